/** Whole programs, with loops and choices, on WebGPU. */
import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import { controlsAgree } from '../../law/control.ts'
import { engineAgrees } from '../../law/engine.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu programs')
const kinds = ['map', 'reduce', 'matmul', 'scatter', 'sort', 'scan', 'custom'] as const
const opened = await gpuForTests({ plain: false })

if (E.isLeft(opened)) skip(test, 'the laws of programs', opened.left)
else {
  const engine = opened.right

  test('agrees with the reference on whole programs', () =>
    fc.assert(engineAgrees(engine, { kinds, maxLaunches: 6 }), { numRuns: 25 }))

  controlsAgree(test, 'webgpu', engine, 15, { kinds })

  test.after(() => engine.close())
}

test.run()
