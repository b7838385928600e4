import * as fc from 'fast-check'
import { suite } from 'uvu'
import { referenceEngine } from '../../kernels/index.ts'
import { engineAgrees } from '../law/engine.ts'
import { operationsAgree, specialRowsAgree } from '../law/operation.ts'

const test = suite('reference')

// Against itself: what is tested is that its runs do not depend on what ran before, and that it leaks nothing.
test('gives the same on every run of a random program', () =>
  fc.assert(engineAgrees(referenceEngine()), { numRuns: 300 }))

test('gives the same for every operation', () => operationsAgree(referenceEngine()))

test('gives the same for rows with special values', () => specialRowsAgree(referenceEngine()))

test.run()
