/** Attention whose weights are never held. */
import type { Dtype } from '../../kernels/index.ts'
import { bind } from '../bind.ts'
import { argumentError, checkOptions } from '../error.ts'
import { attention as attentionPrimitive } from '../primitives/attention.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Attends, Keys, Values } from '../type.ts'
import { reshape } from './structure/index.ts'

export interface AttentionOptions {
  /** By what the products of queries and keys are multiplied; 1 / √width unless given. */
  readonly scale?: number | undefined
  /** Query i looks at keys 0 … i + causal only; at all of them where left out. */
  readonly causal?: number | undefined
  /** bool, broadcasts to [..., queries, keys]: which keys each query may look at. */
  readonly mask?: Tensor | undefined
  /** Weights are 0 with probability `rate` and else divided by 1 - rate: `random.bernoulli` of the key decides. */
  readonly dropout?: { readonly rate: number; readonly key: Tensor } | undefined
}

/**
 * softmax(query · keyᵀ · scale) · value for query [..., queries, width], key [..., keys, width] and value [...,
 * keys, valueWidth] with equal leading axes. Neither it nor its derivative holds the weights of all queries where
 * the engine has a kernel for it: memory is linear in the length. A query that may look at nothing gives zeros.
 *
 * @throws PullbackError when shapes or dtypes do not fit.
 * @example
 * ```ts
 * import { attention, tensor, toNested } from 'pullback'
 * const x = tensor([[1, 0], [0, 1]])
 * console.log(await toNested(attention(x, x, tensor([[2], [4]]), { causal: 0 }))) // first row [ 2 ]
 * ```
 */
export const attention = <Q extends Shape, K extends Shape, V extends Shape, D extends Dtype>(
  query: Tensor<Q, D>,
  key: Tensor<K, D> & Keys<Q, K>,
  value: Tensor<V, D> & Values<K, V>,
  options: AttentionOptions = {},
): Tensor<Attends<Q, V>, D> => {
  checkOptions('attention', options, ['scale', 'causal', 'mask', 'dropout'])
  const { scale, causal, mask, dropout } = options
  const width = query.shape.at(-1) ?? 1
  const rate = dropout?.rate ?? 0
  if (!(rate >= 0 && rate < 1)) throw argumentError('attention', `the rate must be in [0, 1), got ${rate}`)
  const rank = query.shape.length
  const ones = new Array<number>(Math.max(0, rank - (mask?.shape.length ?? rank))).fill(1)
  const masks = mask === undefined ? [] : [ones.length === 0 ? mask : reshape(mask, [...ones, ...mask.shape])]
  const keys = dropout === undefined || rate === 0 ? [] : [dropout.key]
  const params = {
    scale: scale ?? 1 / Math.sqrt(Math.max(1, width)),
    causal: causal ?? null,
    rate,
    masked: mask !== undefined,
  }
  const [result] = bind(attentionPrimitive, [query, key, value, ...masks, ...keys], params)
  return result as Tensor<Attends<Q, V>, D>
}
