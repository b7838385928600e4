/** Optimizers against PyTorch's and Transformers': 20 steps on given gradients and on a small network. */
import { function as f } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jit, tree } from '../../../core/index.ts'
import * as o from '../../../training/optimizer/index.ts'
import type { Transform } from '../../../training/optimizer/index.ts'
import { assertClose, named, readJson, readTensors } from '../fixture.ts'
import { assertPasses } from '../../verify/pass.ts'

const tensors = readTensors('optimizers/reference.safetensors')

/** One compiled update; parameters and state go in and come out. */
const stepOf = (
  optimizer: Transform,
): (<P>(params: P, state: unknown, gradients: P) => readonly [P, unknown]) =>
  jit((params: unknown, state: unknown, gradients: unknown) => {
    const [updates, next] = optimizer.update(gradients, state, params)
    return [o.applyUpdates(params, updates), next] as const
  }) as <P>(params: P, state: unknown, gradients: P) => readonly [P, unknown]

const reference = suite('optimizers')

reference('are the libraries’', () => assertPasses('optimizers', 80))

reference('muon: given gradients, iterated in float32', () => {
  const expected = readJson('optimizers/muon-float32.json') as Readonly<Record<string, readonly number[]>>
  const optimizer = o.muon({ learningRate: 0.05, weightDecay: 0.1, layout: 'outIn' })
  let params = { w: named(tensors, 'fixed.init.w') }
  let state = optimizer.init(params)
  const step = stepOf(optimizer)
  for (let k = 1; k <= 20; k++) {
    ;[params, state] = step(params, state, { w: named(tensors, `fixed.grad.${k}.w`) })
    const after = expected[`step${k}`]
    if (after !== undefined)
      assertClose(params.w, after, `w after step ${k}`, { relative: 1e-4, absolute: 2e-5 })
  }
})

reference('pipe, then and chain say the same', () => {
  const parts = [o.clipByGlobalNorm(1), o.scaleByAdam(), o.scaleByLearningRate(0.1)] as const
  const gradients = { w: named(tensors, 'fixed.grad.1.w') }
  const piped = f.pipe(parts[0], o.andThen(parts[1]), o.andThen(parts[2]))
  const chained = o.chain(...parts)
  const [a] = piped.update(gradients, piped.init(gradients), gradients)
  const [b] = chained.update(gradients, chained.init(gradients), gradients)
  assertClose(a.w, b.w, 'updates', { relative: 0, absolute: 0 })
  assert.equal(tree.pathsOf(chained.init(gradients)), ['1/count', '1/firstMoment/w', '1/secondMoment/w'])
})

reference.run()
