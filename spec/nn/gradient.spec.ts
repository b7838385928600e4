/** Derivatives of layers in parameters and inputs, against finite differences in float64. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, tensor, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Layer, Mask } from '../../nn/index.ts'
import { differentiableAt } from '../law/differentiable.ts'

const gradient = suite('derivatives of layers')

const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const keyMask = tensor([
  [true, true, false],
  [true, true, true],
]) as Mask

/** Parameters away from what they begin as: norms and biases too. */
const shaken = <P>(params: P): P => {
  let i = 0
  return tree.map((x) => random.normal(random.key(100 + i++), x.shape), params)
}

const holds = async <P, I>(
  layer: Layer<P, I, Tensor>,
  input: I,
  order: 1 | 2,
  run: nn.Run = nn.evaluation,
): Promise<void> => {
  const f = (params: P, x: I): Tensor => layer.apply(params, run)(x)
  assert.ok(
    await differentiableAt(f, [shaken(layer.init(random.key(1))), input], 1, { order }),
    'nothing was decided',
  )
}

const simple: Readonly<Record<string, Layer<unknown, Tensor, Tensor>>> = {
  linear: nn.linear(4, 3) as Layer<unknown, Tensor, Tensor>,
  layerNorm: nn.layerNorm(4) as Layer<unknown, Tensor, Tensor>,
  'layerNorm of two axes': nn.layerNorm([3, 4]) as Layer<unknown, Tensor, Tensor>,
  rmsNorm: nn.rmsNorm(4, { bias: true }) as Layer<unknown, Tensor, Tensor>,
  prelu: nn.prelu(4) as Layer<unknown, Tensor, Tensor>,
  learnedPositions: nn.learnedPositions(5, 4) as Layer<unknown, Tensor, Tensor>,
  feedForward: nn.feedForward({ width: 4, hidden: 5, activation: 'gelu' }) as Layer<unknown, Tensor, Tensor>,
  swiglu: nn.swiglu({ width: 4, hidden: 5 }) as Layer<unknown, Tensor, Tensor>,
  geglu: nn.geglu({ width: 4, hidden: 5 }) as Layer<unknown, Tensor, Tensor>,
}

for (const [name, layer] of Object.entries(simple)) gradient(name, () => holds(layer, normal(1, 2, 3, 4), 2))

gradient('activations', async () => {
  for (const [name, f] of Object.entries(nn.activations))
    assert.ok(await differentiableAt(f, [normal(1, 7)]), `${name}: nothing was decided`)
})

gradient('dropout and the rest in training', async () => {
  const run = nn.training(random.key(3))
  await holds(nn.dropout(0.4), normal(1, 2, 3), 2, run)
  const layer = nn.encoderLayer({ width: 4, heads: 2, hidden: 5, activation: 'gelu', dropout: 0.3 })
  await holds(layer, { x: normal(1, 2, 3, 4), keyMask }, 1, run)
})

gradient('attention', async () => {
  const query = normal(1, 2, 2, 4)
  const config = { width: 4, heads: 2 }
  await holds(nn.multiHeadAttention(config), { query, key: normal(2, 2, 3, 4), keyMask }, 2)
  await holds(nn.multiHeadAttention(config), { query, causal: true, bias: normal(3, 2, 2) }, 1)
  const other = { ...config, keyWidth: 3, valueWidth: 5, keyValueHeads: 1, learnedSink: true, zeroSink: true }
  await holds(
    nn.multiHeadAttention(other),
    { query, key: normal(2, 2, 3, 3), value: normal(3, 2, 3, 5), keyMask },
    1,
  )
  for (const interleaved of [false, true])
    await holds(nn.multiHeadAttention({ ...config, rotary: { interleaved } }), { query }, 1)
})

gradient('encoder and decoder', async () => {
  const config = { layers: 2, width: 4, heads: 2, hidden: 5, activation: 'gelu' } as const
  await holds(nn.encoder(config), { x: normal(1, 2, 3, 4), keyMask }, 1)
  await holds(
    nn.encoder({ ...config, preNorm: true, norm: 'rmsNorm', gated: true }),
    { x: normal(1, 2, 3, 4) },
    1,
  )
  const input = { x: normal(1, 2, 2, 4), memory: normal(2, 2, 3, 4), memoryMask: keyMask }
  await holds(nn.decoder({ ...config, preNorm: true }), input, 1)
})

gradient.run()
