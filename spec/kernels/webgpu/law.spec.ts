/** The laws of engines on WebGPU. */
import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import { engineAgrees } from '../../law/engine.ts'
import { operationsAgree, operationUlps, specialRowsAgree } from '../../law/operation.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu laws')
const kinds = ['map', 'reduce', 'matmul', 'scatter', 'sort', 'scan', 'custom'] as const
/** Their kernels take a second each to be compiled in software, so that there are fewer of them. */
const costly = ['attention', 'attentionGradient'] as const
const opened = await gpuForTests({ plain: false })

if (E.isLeft(opened)) skip(test, 'the laws of engines', opened.left)
else {
  const engine = opened.right
  // Drivers may divide and take roots with a small error, and turn subnormal numbers to 0; y log x, of which
  // the power is e to that, is up to 88.
  const ulps = { ...operationUlps, div: 3, sqrt: 3, rsqrt: 4, pow: 200 }

  test('agrees with the reference on every operation', () => operationsAgree(engine, { ulps, flushes: true }))

  test('agrees with the reference on rows with special values', () => specialRowsAgree(engine))

  for (const kind of kinds)
    test(`agrees with the reference on ${kind} launches`, () =>
      fc.assert(engineAgrees(engine, { kinds: [kind], maxLaunches: 3 }), { numRuns: 15 }))

  for (const kind of ['matmul', 'reduce'] as const)
    test(`agrees with the reference on ${kind} launches whose threads work for themselves alone`, async () => {
      const plain = await gpuForTests({ plain: true })
      if (E.isLeft(plain)) throw new Error(plain.left)
      await fc.assert(engineAgrees(plain.right, { kinds: [kind], maxLaunches: 3 }), { numRuns: 15 })
      await plain.right.close()
    })

  for (const kind of costly)
    test(`agrees with the reference on ${kind} launches`, () =>
      fc.assert(engineAgrees(engine, { kinds: [kind], maxLaunches: 1 }), { numRuns: 4 }))

  test.after(() => engine.close())
}

test.run()
