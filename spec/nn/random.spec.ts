/** Laws that every layer obeys, on layers and configurations made at random. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import { cast, random, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decoderLayer, encoderLayer, evaluation, training } from '../../nn/index.ts'
import type { Mask } from '../../nn/index.ts'
import { layerConfigs, layers } from '../arbitrary/layer.ts'
import { masks, tensors } from '../arbitrary/tensor.ts'
import { differentiableAt, withSeed } from '../law/differentiable.ts'
import { checkpointEqualsPlainAt, deterministicAt, jitEqualsEagerAt } from '../law/evaluation.ts'
import { batchInvariantAt, gradientFlowAt, maskInvariantAt, paddingInvariantAt } from '../law/layer.ts'
import { check, law } from '../law/law.ts'
import '../support/reference.ts'

const test = suite('layers at random')
const close = { tolerance: 1e-4, absolute: 1e-5 }
const wide = { tolerance: 1e-8, absolute: 1e-8 }

test('derivatives = finite differences', () =>
  check(
    law('differentiable', withSeed(layers()), ({ args: { layer, params, input }, seed }) =>
      differentiableAt((own: unknown, x: Tensor) => layer.apply(own, evaluation)(x), [params, input], seed, {
        order: 1,
      }),
    ),
    { numRuns: 15 },
  ))

test('examples are alone, jit = eager, checkpoint = plain, in evaluation', () =>
  check(
    law('evaluation', layers(), async ({ layer, params: narrow, input: given }) => {
      // Gradients that are zero but for rounding are small in float64.
      const [params, input] = tree.map((x) => cast(x, 'float64'), [narrow, given] as const)
      const apply = (own: unknown, x: Tensor): Tensor => layer.apply(own, evaluation)(x)
      await batchInvariantAt((x: Tensor) => apply(params, x), [input], wide)
      await jitEqualsEagerAt(apply, [params, input], wide)
      await checkpointEqualsPlainAt(apply, [params, input], wide)
    }),
    { numRuns: 25 },
  ))

const encoders = (dropout: boolean) =>
  fc.record({
    config: layerConfigs({ smooth: false, dropout }),
    seed: fc.nat(999),
    sizes: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 2, max: 4 })),
  })

test('every parameter of an encoder layer learns', () =>
  check(
    law(
      'gradient flow',
      withSeed(
        encoders(false).chain(({ config, seed, sizes }) =>
          tensors({ shape: [...sizes, config.width], values: 'distinct' }).map((x) => ({ config, seed, x })),
        ),
      ),
      async ({ args: { config, seed, x }, seed: weights }) => {
        // A relu may be dead at a few examples; a row of two numbers normalised is constant, whatever came in; and a
        // softmax does not see what is added to all its scores, as a bias of the keys does, unless it looks elsewhere too.
        const attention = { ...config.attention, zeroSink: true }
        const lively = { ...config, attention, activation: 'silu' as const, hidden: 4, epsilon: 0.1 }
        const layer = encoderLayer(lively)
        const params = layer.init(random.key(seed))
        await gradientFlowAt((p: typeof params) => layer.apply(p, evaluation)({ x }), [params], weights)
      },
    ),
    { numRuns: 25 },
  ))

test('what is masked out, and padding, have no influence', () =>
  check(
    law(
      'masks',
      encoders(false).chain(({ config, seed, sizes: [batch, time] }) =>
        fc
          .tuple(
            tensors({ shape: [batch, time, config.width] }),
            masks({ shape: [batch, time], someInEachRow: true }),
          )
          .map(([x, mask]) => ({ config, seed, x, mask })),
      ),
      async ({ config, seed, x, mask }) => {
        const layer = encoderLayer(config)
        const params = layer.init(random.key(seed))
        const f = (own: Tensor, keyMask: Mask): Tensor => layer.apply(params, evaluation)({ x: own, keyMask })
        await paddingInvariantAt(f, [x, mask], close)
        return maskInvariantAt(f, [x, mask], close)
      },
    ),
    { numRuns: 25 },
  ))

test('in training, the same key draws the same, also compiled; decoder layers too', () =>
  check(
    law(
      'training',
      encoders(true).chain(({ config, seed, sizes: [batch, time] }) =>
        fc
          .tuple(
            tensors({ shape: [batch, time, config.width] }),
            tensors({ shape: [batch, 3, config.width] }),
          )
          .map(([x, memory]) => ({ config, seed, x, memory })),
      ),
      async ({ config, seed, x, memory }) => {
        const layer = decoderLayer(config)
        const params = layer.init(random.key(seed))
        const f = (p: typeof params, own: Tensor): Tensor =>
          layer.apply(p, training(random.key(seed)))({ x: own, memory })
        await deterministicAt(f, [params, x])
        await jitEqualsEagerAt(f, [params, x], close)
      },
    ),
    { numRuns: 20 },
  ))

test.run()
