import {
  equal,
  expandDims,
  iota,
  matmul,
  random,
  stopGradient,
  swapAxes,
  take,
  where,
} from '../core/index.ts'
import type { Shape, Tensor } from '../core/index.ts'
import { argumentError, checkOptions, dtypeError, shapeError } from '../core/error.ts'
import { numbersIfKnown } from '../core/make.ts'
import type { Initialiser } from './initialiser.ts'
import { fansOf, normal } from './initialiser.ts'
import { requireParam } from './layer.ts'
import { biased } from './linear.ts'
import type { Rowwise, Takes, WideningLayer } from './size.ts'
import { asQuantized, quantizedProduct, quantizedRows, quantizedSizes } from './quantized.ts'

/** `weight` [count, width]: one row for each id. */
export interface EmbeddingParams {
  readonly weight: Tensor
}

/** A table of which the sizes are known; any table is one as far as types know. */
export interface Table<Count extends number, Width extends number> extends EmbeddingParams {
  readonly weight: Tensor & { readonly table?: readonly [Count, Width] }
}

export interface EmbeddingOptions {
  /** The id whose row begins as zeros and is never trained. */
  readonly paddingIndex?: number | undefined
  /** Normal with deviation 1 unless given, as in PyTorch. */
  readonly initialiser?: Initialiser
}

/**
 * Rows of a table by integer ids: [...] → [..., width]. An id beyond the table is refused where its value is known; in
 * a compiled function, and on engines that are awaited, it is not, and reads the nearest row.
 *
 * @throws PullbackError when ids are not integers, or are known and not in the table.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * const words = embedding(1000, 16, { paddingIndex: 0 })
 * const ids = tensor([[5, 7, 0]], { dtype: 'int32' })
 * console.log(words.apply(words.init(random.key(0)), { mode: 'eval' })(ids).shape) // => [1, 3, 16]
 * ```
 */
export const embedding = <const C extends number, const W extends number>(
  count: C,
  width: W,
  options: EmbeddingOptions = {},
): WideningLayer<Table<C, W>, W> => {
  checkOptions('embedding', options, ['paddingIndex', 'initialiser'])
  const { paddingIndex, initialiser = normal(1) } = options
  if (
    paddingIndex !== undefined &&
    !(Number.isInteger(paddingIndex) && paddingIndex >= 0 && paddingIndex < count)
  )
    throw argumentError('embedding', `the padding index must be one of ${count} ids, got ${paddingIndex}`)
  return {
    init: (key) => {
      const drawn = initialiser(random.foldIn(key, 'weight'), [count, width], fansOf([count, width]))
      if (paddingIndex === undefined) return { weight: drawn }
      return { weight: where(equal(iota([count, 1], 0), paddingIndex), 0, drawn) }
    },
    apply: (params, run) => {
      requireParam('embedding', params, 'weight')
      run.onMatrix?.(params, 'table')
      return ((ids: Tensor) => {
        checkIds(ids, count)
        return lookUp(params.weight, ids, paddingIndex)
      }) as never
    },
  }
}

const checkIds = (ids: Tensor, count: number): void => {
  const wrong = numbersIfKnown('embedding', ids)?.find((id) => !(id >= 0 && id < count))
  if (wrong !== undefined)
    throw argumentError('embedding', `ids must be 0 to ${count - 1}, rows of the table, got ${wrong}`)
}

const lookUp = (weight: Tensor, ids: Tensor, paddingIndex: number | undefined): Tensor => {
  if (ids.dtype !== 'int32' && ids.dtype !== 'uint32')
    throw dtypeError('embedding', 'ids must be int32', ids.dtype)
  const matrix = asQuantized(weight)
  const rows = matrix === undefined ? take(weight, ids) : quantizedRows(matrix, ids) // [..., width]
  if (paddingIndex === undefined) return rows
  const isPadding = expandDims(equal(ids, paddingIndex), -1) // [..., 1]
  return where(isPadding, stopGradient(rows), rows)
}

/**
 * Scores of every id by a table of embeddings, the output layer that shares its weight with the input (Press and
 * Wolf 2016): x · weightᵀ + bias, [..., width] → [..., count]. What `embedding` makes knows its sizes, so that rows
 * of another width do not compile.
 *
 * @throws PullbackError when the last axis is not the table's width.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { embedding, unembed } from 'pullback/nn'
 * const table = embedding(100, 8)
 * const scores = unembed(table.init(random.key(0)))
 * console.log(scores(zeros([1, 5, 8])).shape) // => [1, 5, 100]
 * ```
 */
export const unembed = <C extends number, W extends number, S extends Shape>(
  { weight }: Table<C, W>,
  bias?: Tensor<S> & Takes<"unembed's bias", S, number, C>,
): Rowwise<'unembed', W, C> => ((x: Tensor) => scored(weight, bias, x)) as never

const scored = (weight: Tensor, bias: Tensor | undefined, x: Tensor): Tensor => {
  const matrix = asQuantized(weight)
  const table = matrix === undefined ? weight.shape : quantizedSizes(matrix).toReversed() // [count, width]
  if (x.shape.at(-1) !== table[1])
    throw shapeError('unembed', "the input's last axis must be the table's width", x.shape, table)
  const scores = matrix === undefined ? matmul(x, swapAxes(weight, 0, 1)) : quantizedProduct(x, matrix) // [..., count]
  return biased(scores, bias)
}
