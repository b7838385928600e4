/** PyTorch's attention, its layers of encoders and decoders, and its whole Transformer. */
import { logicalNot, reshape, swapAxes } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { EncoderLayerParams, Mask } from '../../nn/index.ts'
import type { Module } from './module.ts'
import { attentionFrom, below as part, linearFrom, normFrom } from './param.ts'
import type { Case } from './param.ts'

const { evaluation } = nn

/** In PyTorch's modules, true is masked out. */
const not = (mask: Tensor): Mask => logicalNot(mask) as Mask
const maskIn = (it: Case, name: string): Mask | undefined => (it.has(name) ? not(it.get(name)) : undefined)

const attentionModule: Module = (params, input, option) => {
  const own = attentionFrom(params)
  const width = own.output.weight.shape[1] as number
  const heads = option('heads', 4)
  const isFirst = option('batch_first', !params.name.includes('seq_first'))
  const turn = (x: Tensor): Tensor => (isFirst ? x : swapAxes(x, 0, 1))
  const [query, key, value] = ['query', 'key', 'value'].map((name) => turn(input.get(name))) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const config = {
    width,
    heads,
    keyWidth: key.shape[2] as number,
    valueWidth: value.shape[2] as number,
    bias: own.query.bias !== undefined,
    learnedSink: params.has('bias_k'),
    zeroSink: option('add_zero_attn', params.name.includes('zero_attn')),
  }
  const masks = input.has('attn_mask') ? attentionMask(input.get('attn_mask'), query, heads) : {}
  const layer = nn.withTaps(nn.multiHeadAttention(config), ['weights'])
  const { output, taps } = layer.apply(
    own,
    evaluation,
  )({ query, key, value, keyMask: maskIn(input, 'key_padding_mask'), ...masks })
  return { output: turn(output), weights: taps['weights'] as Tensor }
}

/** PyTorch lays batch and heads in one axis. */
const attentionMask = (mask: Tensor, query: Tensor, heads: number): nn.Masks => {
  const batch = query.shape[0] as number
  const shaped = mask.shape.length === 3 ? reshape(mask, [batch, heads, ...mask.shape.slice(1)]) : mask
  return mask.dtype === 'bool' ? { mask: not(shaped) } : { bias: shaped }
}

const dotProducts: Module = (_, input) => {
  const [q, k, v] = [input.get('q'), input.get('k'), input.get('v')]
  const cases: Readonly<Record<string, nn.DotProductOptions>> = {
    plain: {},
    'scale_0.5': { scale: 0.5 },
    bool_mask_keep: { mask: input.get('bool_mask_keep') as Mask },
    causal: { causal: true },
  }
  return Object.fromEntries(
    Object.entries(cases).map(([name, options]) => [name, nn.dotProductAttention(q, k, v, options).output]),
  )
}

const encoderLayerFrom = (read: Case, norms = ['norm1', 'norm2']): EncoderLayerParams => ({
  attention: attentionFrom(part(read, 'self_attn.')),
  attentionNorm: normFrom(part(read, `${norms[0]}.`)),
  feedForward: { up: linearFrom(part(read, 'linear1.')), down: linearFrom(part(read, 'linear2.')) },
  feedForwardNorm: normFrom(part(read, `${norms[1]}.`)),
})

const decoderLayerFrom = (read: Case): nn.DecoderLayerParams => ({
  ...encoderLayerFrom(read, ['norm1', 'norm3']),
  crossAttention: attentionFrom(part(read, 'multihead_attn.')),
  crossAttentionNorm: normFrom(part(read, 'norm2.')),
})

/** Sizes from the parameters; norms in front and activations from the case's name, or its options. */
const blockOf = (
  params: Case,
  prefix: string,
  option: <T>(name: string, otherwise: T) => T,
): nn.BlockConfig => {
  const up = params.get(`${prefix}linear1.weight`) // [hidden, width]
  const { name } = params
  return {
    width: up.shape[1] as number,
    hidden: up.shape[0] as number,
    heads: option('nhead', 4),
    activation: option<'relu' | 'gelu'>('activation', name.includes('gelu') ? 'gelu' : 'relu'),
    preNorm: option('norm_first', /(^|_)pre(_|$)/.test(name)),
    epsilon: option('layer_norm_eps', name.includes('_eps') ? 1e-3 : 1e-5),
  }
}

const causalIn = (input: Case, name: string): { readonly mask?: Mask } =>
  input.has(name) ? { mask: maskIn(input, name) as Mask } : {}

const turnedAs =
  (params: Case) =>
  (x: Tensor): Tensor =>
    params.name.includes('seqfirst') ? swapAxes(x, 0, 1) : x

const encoderLayer: Module = (params, input, option) => {
  const turn = turnedAs(params)
  const layer = nn.encoderLayer(blockOf(params, '', option))
  const x = turn(input.get('src'))
  const keyMask = maskIn(input, 'src_key_padding_mask')
  return {
    output: turn(
      layer.apply(encoderLayerFrom(params), evaluation)({ x, keyMask, ...causalIn(input, 'src_mask') }),
    ),
  }
}

/** A decoder here is causal by itself, as its mask there has to say. */
const decoderLayer: Module = (params, input, option) => {
  const turn = turnedAs(params)
  const layer = nn.decoderLayer(blockOf(params, '', option))
  return {
    output: turn(
      layer.apply(
        decoderLayerFrom(params),
        evaluation,
      )({
        x: turn(input.get('tgt')),
        memory: turn(input.get('memory')),
        keyMask: maskIn(input, 'tgt_key_padding_mask'),
        memoryMask: maskIn(input, 'memory_key_padding_mask'),
      }),
    ),
  }
}

const layersIn = (params: Case, stack: string): readonly number[] => {
  const found: number[] = []
  while (params.has(`${stack}.layers.${found.length}.linear1.weight`)) found.push(found.length)
  return found
}

const transformer: Module = (params, input, option) => {
  const [inner, outer] = [layersIn(params, 'encoder'), layersIn(params, 'decoder')]
  const config = { ...blockOf(params, 'encoder.layers.0.', option), finalNorm: true }
  const encoder = {
    block: inner.map((i) => encoderLayerFrom(part(params, `encoder.layers.${i}.`))),
    norm: normFrom(part(params, 'encoder.norm.')),
  }
  const decoder = {
    block: outer.map((i) => decoderLayerFrom(part(params, `decoder.layers.${i}.`))),
    norm: normFrom(part(params, 'decoder.norm.')),
  }
  const keyMask = maskIn(input, 'src_key_padding_mask')
  const memory = nn.encoder({ ...config, layers: inner.length }).apply(encoder, evaluation)({
    x: input.get('src'),
    keyMask,
  })
  const memoryMask = maskIn(input, 'memory_key_padding_mask')
  const last = nn.decoder({ ...config, layers: outer.length }).apply(decoder, evaluation)({
    x: input.get('tgt'),
    memory,
    memoryMask,
  })
  return { output: last }
}

/** Modules by the beginning of a case's name. */
export const blocks: readonly (readonly [RegExp, Module])[] = [
  [/^encoder_layer/, encoderLayer],
  [/^decoder_layer/, decoderLayer],
  [/^transformer/, transformer],
  [/^sdpa/, dotProducts],
  [/^(self|cross|kdim|bias_kv|zero_attn|seq_first)/, attentionModule],
]
