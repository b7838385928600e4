/** PyTorch's parameters under our names. */
import { reshape, splitAxis, swapAxes } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { AttentionParams, LinearParams, NormParams } from '../../nn/index.ts'

/** The tensors of one case by name, without the case's name. */
export interface Case {
  readonly name: string
  readonly get: (name: string) => Tensor
  readonly has: (name: string) => boolean
}

/** The case's tensors below a prefix, such as `param.` or `grad.`. */
export const below = ({ name, get, has }: Case, prefix: string): Case => ({
  name,
  get: (part) => get(prefix + part),
  has: (part) => has(prefix + part),
})

/** PyTorch's weight is [out, in]. */
export const linearFrom = (read: Case): LinearParams => ({
  weight: swapAxes(read.get('weight'), 0, 1),
  ...(read.has('bias') ? { bias: read.get('bias') } : {}),
})

export const normFrom = (read: Case): NormParams => ({
  weight: read.get('weight'),
  ...(read.has('bias') ? { bias: read.get('bias') } : {}),
})

/** The three projections are one matrix where their inputs have one width. */
export const attentionFrom = (read: Case): AttentionParams => {
  const together = read.has('in_proj_weight')
  const weights = together
    ? splitAxis(read.get('in_proj_weight'), 3, 0)
    : ['q', 'k', 'v'].map((name) => read.get(`${name}_proj_weight`))
  const biases = read.has('in_proj_bias') ? splitAxis(read.get('in_proj_bias'), 3, 0) : []
  const [query, key, value] = weights.map((weight, i) => ({
    weight: swapAxes(weight, 0, 1),
    ...(biases[i] === undefined ? {} : { bias: biases[i] }),
  })) as [LinearParams, LinearParams, LinearParams]
  const sinks = read.has('bias_k')
    ? { sinkKey: flat(read.get('bias_k')), sinkValue: flat(read.get('bias_v')) }
    : {}
  return { query, key, value, output: linearFrom(below(read, 'out_proj.')), ...sinks }
}

const flat = (x: Tensor): Tensor => reshape(x, [-1])
