/** Layers against PyTorch's: outputs, and gradients of parameters and inputs. */
import { suite } from 'uvu'
import { logSoftmax, logicalNot, relu, reshape, sigmoid, softmax, swapAxes, tanh } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Activation, EncoderLayerParams, Mask } from '../../nn/index.ts'
import type { Case } from './reference.ts'
import { assertCase, assertSame, attentionFrom, below, linearFrom, normFrom, reference } from './reference.ts'

const { evaluation } = nn
const torch = suite('as in PyTorch')

const layer = reference('layer')

torch('linear', async () => {
  const apply = (params: nn.LinearParams, x: Tensor): Tensor => nn.linear(5, 6).apply(params, evaluation)(x)
  await assertCase(layer('linear'), linearFrom, ['x'], apply)
  await assertCase(layer('linear_nobias'), linearFrom, ['x'], apply)
})

torch('layerNorm and rmsNorm', async () => {
  const apply =
    (norm: nn.Layer<nn.NormParams, Tensor, Tensor>) =>
    (params: nn.NormParams, x: Tensor): Tensor =>
      norm.apply(params, evaluation)(x)
  await assertCase(layer('layernorm'), normFrom, ['x'], apply(nn.layerNorm(6)))
  await assertCase(layer('layernorm_2d'), normFrom, ['x'], apply(nn.layerNorm([3, 6], { epsilon: 1e-3 })))
  await assertCase(layer('rmsnorm'), normFrom, ['x'], apply(nn.rmsNorm(6)))
})

torch('embedding with a padding index', async () => {
  const table = nn.embedding(9, 6, { paddingIndex: 2 })
  const params = (read: Case): nn.EmbeddingParams => ({ weight: read.get('weight') })
  await assertCase(layer('embedding_padding'), params, ['i'], (p, ids) => table.apply(p, evaluation)(ids))
})

const activations: Readonly<Record<string, Activation>> = {
  gelu: nn.gelu,
  gelu_tanh: nn.geluTanh,
  silu: nn.silu,
  relu,
  relu6: nn.relu6,
  leaky_relu: nn.leakyRelu(0.1),
  elu: nn.elu(),
  selu: nn.selu,
  softplus: nn.softplus,
  mish: nn.mish,
  hardswish: nn.hardSwish,
  hardsigmoid: nn.hardSigmoid,
  tanh,
  sigmoid,
  softmax,
  log_softmax: logSoftmax,
  softsign: nn.softsign,
  logsigmoid: nn.logSigmoid,
  tanhshrink: nn.tanhShrink,
  glu: nn.glu,
}

for (const [name, activation] of Object.entries(activations))
  torch(name, () =>
    assertCase(
      layer(`act_${name}`),
      () => ({}),
      ['x'],
      (_, x) => activation(x),
    ),
  )

torch('prelu', async () => {
  const params = (read: Case): { weight: Tensor } => ({ weight: read.get('weight') })
  await assertCase(layer('act_prelu'), params, ['x'], (p, x) => nn.prelu().apply(p, evaluation)(x))
})

/** In PyTorch's modules, true is masked out. */
const not = (mask: Tensor): Mask => logicalNot(mask) as Mask
const maskIn = (it: Case, name: string): Mask | undefined =>
  it.has(`in.${name}`) ? not(it.get(`in.${name}`)) : undefined

const attention = reference('attention')

const attentions: Readonly<Record<string, readonly [Partial<nn.AttentionConfig>, (it: Case) => nn.Masks]>> = {
  self: [{}, () => ({})],
  cross_key_padding: [{}, (it) => ({ keyMask: maskIn(it, 'key_padding_mask') })],
  self_causal_bool: [{}, () => ({ causal: true })],
  cross_float_mask: [{}, (it) => ({ bias: it.get('in.attn_mask') })],
  // PyTorch lays batch and heads in one axis.
  cross_per_head_mask: [{}, (it) => ({ mask: reshape(not(it.get('in.attn_mask')), [2, 4, 5, 7]) as Mask })],
  kdim_vdim_nobias: [{ keyWidth: 19, valueWidth: 11, bias: false }, () => ({})],
  bias_kv_zero_attn: [{ learnedSink: true, zeroSink: true }, () => ({})],
  seq_first: [{}, () => ({})],
}

for (const [name, [config, masks]] of Object.entries(attentions))
  torch(`attention, ${name}`, async () => {
    const it = attention(name)
    const layer = nn.multiHeadAttention({ width: 16, heads: 4, ...config })
    const turn = (x: Tensor): Tensor => (name === 'seq_first' ? swapAxes(x, 0, 1) : x)
    const input = (query: Tensor, key: Tensor, value: Tensor): nn.AttentionInput => ({
      query: turn(query),
      key: turn(key),
      value: turn(value),
      ...masks(it),
    })
    await assertCase(it, attentionFrom, ['query', 'key', 'value'], (params, query, key, value) =>
      turn(layer.apply(params, evaluation)(input(query, key, value))),
    )
    const [query, key, value] = ['query', 'key', 'value'].map((part) => it.get(`in.${part}`)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    const { taps } = nn.withTaps(layer, ['weights']).apply(attentionFrom(below(it, 'param.')), evaluation)(
      input(query, key, value),
    )
    await assertSame(taps['weights'], it.get('out.weights'), `${name} weights`)
  })

torch('dotProductAttention', async () => {
  const it = attention('sdpa')
  const [q, k, v] = ['q', 'k', 'v'].map((name) => it.get(`in.${name}`)) as [Tensor, Tensor, Tensor]
  const cases: Readonly<Record<string, nn.DotProductOptions>> = {
    plain: {},
    'scale_0.5': { scale: 0.5 },
    bool_mask_keep: { mask: it.get('in.bool_mask_keep') as Mask },
    causal: { causal: true },
  }
  for (const [name, options] of Object.entries(cases))
    await assertSame(nn.dotProductAttention(q, k, v, options).output, it.get(`out.${name}`), name)
})

const encoderLayerFrom = (read: Case, norms = ['norm1', 'norm2']): EncoderLayerParams => ({
  attention: attentionFrom(below(read, 'self_attn.')),
  attentionNorm: normFrom(below(read, `${norms[0]}.`)),
  feedForward: { up: linearFrom(below(read, 'linear1.')), down: linearFrom(below(read, 'linear2.')) },
  feedForwardNorm: normFrom(below(read, `${norms[1]}.`)),
})

const decoderLayerFrom = (read: Case): nn.DecoderLayerParams => ({
  ...encoderLayerFrom(read, ['norm1', 'norm3']),
  crossAttention: attentionFrom(below(read, 'multihead_attn.')),
  crossAttentionNorm: normFrom(below(read, 'norm2.')),
})

const transformer = reference('transformer')
const sizes = { width: 16, heads: 4, hidden: 32 } as const

for (const place of ['post', 'pre'] as const)
  for (const activation of ['relu', 'gelu'] as const) {
    const config = { ...sizes, activation, preNorm: place === 'pre' }
    torch(`encoder layer, ${place}, ${activation}`, async () => {
      const it = transformer(`encoder_layer_${place}_${activation}`)
      const keyMask = maskIn(it, 'src_key_padding_mask')
      await assertCase(it, encoderLayerFrom, ['src'], (params, x) =>
        nn.encoderLayer(config).apply(params, evaluation)({ x, keyMask }),
      )
    })
    torch(`decoder layer, ${place}, ${activation}`, async () => {
      const it = transformer(`decoder_layer_${place}_${activation}`)
      const masks = {
        keyMask: maskIn(it, 'tgt_key_padding_mask'),
        memoryMask: maskIn(it, 'memory_key_padding_mask'),
      }
      await assertCase(it, decoderLayerFrom, ['tgt', 'memory'], (params, x, memory) =>
        nn.decoderLayer(config).apply(params, evaluation)({ x, memory, ...masks }),
      )
    })
  }

torch('encoder layer, sequence first, another epsilon', async () => {
  const it = transformer('encoder_layer_seqfirst_eps')
  const layer = nn.encoderLayer({ ...sizes, epsilon: 1e-3 })
  await assertCase(it, encoderLayerFrom, ['src'], (params, x) =>
    swapAxes(layer.apply(params, evaluation)({ x: swapAxes(x, 0, 1) }), 0, 1),
  )
})

torch('encoder and decoder, as one Transformer', async () => {
  const it = transformer('transformer')
  const config = { ...sizes, layers: 2, finalNorm: true }
  const params = (read: Case): { encoder: nn.EncoderParams; decoder: nn.DecoderParams } => ({
    encoder: {
      block: [0, 1].map((i) => encoderLayerFrom(below(read, `encoder.layers.${i}.`))),
      norm: normFrom(below(read, 'encoder.norm.')),
    },
    decoder: {
      block: [0, 1].map((i) => decoderLayerFrom(below(read, `decoder.layers.${i}.`))),
      norm: normFrom(below(read, 'decoder.norm.')),
    },
  })
  await assertCase(it, params, ['src', 'tgt'], (given, src, tgt) => {
    const keyMask = maskIn(it, 'src_key_padding_mask')
    const memory = nn.encoder(config).apply(given.encoder, evaluation)({ x: src, keyMask })
    const memoryMask = maskIn(it, 'memory_key_padding_mask')
    return nn.decoder(config).apply(given.decoder, evaluation)({ x: tgt, memory, memoryMask })
  })
})

torch.run()
