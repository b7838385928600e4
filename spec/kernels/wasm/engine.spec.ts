import { test } from 'uvu'
import * as fc from 'fast-check'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import type { Launch } from '../../../kernels/index.ts'
import { engineAgrees } from '../../law/engine.ts'

const engines = [wasmEngine(), wasmEngine({ strict: true })]
const kinds: readonly Launch['kind'][] = [
  'map',
  'reduce',
  'matmul',
  'scatter',
  'scan',
  'sort',
  'custom',
  'attention',
  'attentionGradient',
]

for (const engine of engines) {
  for (const kind of kinds)
    test(`${engine.detail}: agrees with the reference on ${kind} launches`, () =>
      fc.assert(engineAgrees(engine, { kinds: [kind] }), { numRuns: 120 }))

  test(`${engine.detail}: agrees with the reference on whole programs`, () =>
    fc.assert(engineAgrees(engine, { maxLaunches: 8 }), { numRuns: 150 }))
}

test.run()
