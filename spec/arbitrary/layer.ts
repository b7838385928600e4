/** Generated layers: configurations of the blocks that Transformers are made of, and compositions of layers. */
import * as fc from 'fast-check'
import { random, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  encoderLayer,
  feedForward,
  identity,
  layerNorm,
  learnedPositions,
  lift,
  linear,
  residual,
  rmsNorm,
  sequence,
  swiglu,
} from '../../nn/index.ts'
import type { ActivationName, BlockConfig, Layer } from '../../nn/index.ts'
import { tensors } from './tensor.ts'

export interface LayerConfigOptions {
  /** Only activations without kinks; true by default. */
  readonly smooth?: boolean
  /** Whether rates of dropout above 0 are among them, for laws of layers in training; false by default. */
  readonly dropout?: boolean
  /** The most heads; 3 by default. The width is a small multiple of them. */
  readonly maxHeads?: number
}

const smoothActivations: readonly ActivationName[] = [
  'gelu',
  'geluTanh',
  'quickGelu',
  'silu',
  'tanh',
  'sigmoid',
  'softplus',
  'mish',
]
const kinkedActivations: readonly ActivationName[] = ['relu', 'leakyRelu', 'relu6', 'elu', 'hardSwish']

/**
 * Configurations of encoder and decoder layers: norms of both kinds in front of each part or behind it, gated or not,
 * with and without biases, heads that share keys and values, rotary positions. They shrink toward one head and what is
 * left out of a configuration.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { encoderLayer } from 'pullback/nn'
 * const layers = layerConfigs({ maxHeads: 2 }).map((config) => encoderLayer(config))
 * console.log(fc.sample(layers, 5).length) // => 5
 * ```
 */
export const layerConfigs = ({
  smooth = true,
  dropout = false,
  maxHeads = 3,
}: LayerConfigOptions = {}): fc.Arbitrary<BlockConfig> =>
  fc.integer({ min: 1, max: maxHeads }).chain((heads) =>
    fc.record({
      heads: fc.constant(heads),
      // Rotary positions turn pairs, so heads are of even width.
      width: fc.constantFrom(2, 4).map((each) => each * heads),
      hidden: fc.integer({ min: 1, max: 6 }),
      activation: fc.constantFrom(...smoothActivations, ...(smooth ? [] : kinkedActivations)),
      gated: fc.boolean(),
      preNorm: fc.boolean(),
      norm: fc.constantFrom('layerNorm' as const, 'rmsNorm' as const),
      epsilon: fc.constantFrom(1e-5, 0.1),
      bias: fc.boolean(),
      dropout: dropout ? fc.constantFrom(0, 0.1, 0.5) : fc.constant(0),
      attention: fc.record({
        keyValueHeads: fc.constantFrom(...[1, heads].slice(0, heads)),
        rotary: fc.option(fc.record({ interleaved: fc.boolean() }), { nil: undefined }),
        zeroSink: fc.boolean(),
      }),
    }),
  )

/** A layer, parameters for it, and an input. */
export interface LayerCase {
  /** [batch, time, width] → [batch, time, width]. */
  readonly layer: Layer<unknown, Tensor, Tensor>
  readonly params: unknown
  readonly input: Tensor
}

type Named = readonly [name: string, layer: Layer<unknown, Tensor, Tensor>]

const named = (name: string, layer: unknown): Named => [name, layer as Named[1]]

/** Layers that keep a width. */
const simple = (width: number, heads: number): fc.Arbitrary<Named> =>
  fc.oneof(
    fc.constantFrom(
      named('identity', identity),
      named('linear', linear(width, width)),
      named('linear without bias', linear(width, width, { bias: false })),
      named('layerNorm', layerNorm(width, { epsilon: 0.01 })),
      named('rmsNorm', rmsNorm(width, { epsilon: 0.01, bias: true })),
      named('feedForward', feedForward({ width, hidden: width + 1, activation: 'silu' })),
      named('swiglu', swiglu({ width, hidden: 2 })),
      named('learnedPositions', learnedPositions(8, width)),
    ),
    layerConfigs({ maxHeads: heads }).map((config) => {
      const own = { ...config, width, heads, attention: { ...config.attention, keyValueHeads: 1 } }
      const block = encoderLayer(own)
      return named(`encoderLayer ${JSON.stringify(own)}`, {
        init: block.init,
        apply:
          (params: ReturnType<typeof block.init>, run: Parameters<typeof block.apply>[1]) => (x: Tensor) =>
            block.apply(params, run)({ x }),
      })
    }),
  )

/** Parameters away from what they begin as, so that no norm is the identity and no bias zero. */
const shaken = (params: unknown, seed: number): unknown => {
  let i = 0
  return tree.map(
    (x) => random.normal(random.foldIn(random.key(seed), i++), x.shape, { dtype: x.dtype as 'float32' }),
    params,
  )
}

/**
 * Layers with parameters and an input [batch, time, width], for laws that every layer obeys: single ones, Transformer
 * blocks, residual ones, and sequences of up to three. They shrink toward one simple layer.
 *
 * @example
 * ```ts
 * import { evaluation } from 'pullback/nn'
 * import { check, batchInvariantAt, law } from 'pullback/spec'
 * const alone = law('an example is the same alone', layers(), ({ layer, params, input }) =>
 *   batchInvariantAt(layer.apply(params, evaluation), [input]),
 * )
 * await check(alone, { numRuns: 5 })
 * ```
 */
export const layers = (): fc.Arbitrary<LayerCase> =>
  fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(2, 4)).chain(([heads, each]) => {
    const width = heads * each
    const one = fc
      .tuple(simple(width, heads), fc.boolean())
      .map(([[name, layer], beside]) =>
        beside ? named(`residual ${name}`, residual(layer)) : named(name, layer),
      )
    return fc
      .record({
        parts: fc.array(one, { minLength: 1, maxLength: 3 }),
        seed: fc.nat(999),
        input: fc
          .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }))
          .chain(([batch, time]) => tensors({ shape: [batch, time, width], values: 'distinct' })),
      })
      .map(({ parts, seed, input }): LayerCase => {
        const all = [
          named(
            'identity',
            lift((x: Tensor) => x),
          ),
          ...parts,
        ]
        const layer = (
          parts.length === 1 ? (parts[0] as Named)[1] : sequence(...all.map(([, own]) => own))
        ) as LayerCase['layer']
        const params = shaken(layer.init(random.key(seed)), seed)
        return {
          layer,
          params,
          input,
          [fc.toStringMethod]: () =>
            `${parts.map(([name]) => name).join(', then ')}, parameters of seed ${seed}, ${fc.stringify(input)}`,
        } as LayerCase
      })
  })
