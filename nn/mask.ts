/**
 * Masks say where attention may look: true = may. (So do attention masks of 1 and 0 in Hugging Face's models and
 * PyTorch's scaled_dot_product_attention; the masks of PyTorch's modules say the opposite.)
 */
import { expandDims, greaterEqual, iota, logicalAnd, add, notEqual } from '../core/index.ts'
import type { Shape, Tensor } from '../core/index.ts'
import { dtypeError, shapeError } from '../core/error.ts'
import { sameShape } from '../core/shape.ts'

export type Mask = Tensor<Shape, 'bool'>

/**
 * [time, keys]: the query at t may look at keys 0 … t + offset. `offset` is how many keys lie before the queries.
 *
 * @example
 * ```ts
 * import { causalMask } from 'pullback/nn'
 * console.log(causalMask(3))
 * // => bool[3, 3] [[true, false, false], [true, true, false], [true, true, true]]
 * // one query behind two keys that were read before
 * console.log(causalMask(1, 3, 2)) // => bool[1, 3] [[true, true, true]]
 * ```
 */
export const causalMask = (time: number, keys: number = time, offset: Tensor | number = 0): Mask =>
  greaterEqual(add(iota([time, 1], 0), offset), iota([1, keys], 1)) as Mask

/**
 * Which ids are not padding: bool, of their shape.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { notPadding } from 'pullback/nn'
 * console.log(notPadding(tensor([[5, 7, 0, 0]], { dtype: 'int32' }), 0))
 * // => bool[1, 4] [[true, true, false, false]]
 * ```
 */
export const notPadding = (ids: Tensor, paddingIndex: number): Mask => notEqual(ids, paddingIndex) as Mask

/** What attention is told about where to look. */
export interface Masks {
  /** bool [batch, keys]: which keys are real. */
  readonly keyMask?: Mask | undefined
  /** bool [time, keys], [batch, time, keys] or [batch, heads, time, keys]: which key each query may look at. */
  readonly mask?: Mask | undefined
  /** Whether the query at t may look at keys 0 … t + offset only. */
  readonly causal?: boolean | undefined
  /** How many keys lie before the first query, for `causal`; none unless given. */
  readonly offset?: Tensor | number | undefined
  /** Added to the scores, with the shapes of `mask`: relative positions, or -∞ where a query may not look. */
  readonly bias?: Tensor | undefined
}

/** [..., heads, time, keys]: what broadcasts in the scores. */
const overHeads = (name: string, mask: Tensor, scores: Shape): Tensor => {
  const rank = mask.shape.length
  const whole = rank === scores.length - 1 && rank > 2 ? expandDims(mask, -3) : mask
  const fits =
    rank >= 2 &&
    whole.shape.length <= scores.length &&
    whole.shape.every(
      (size, axis) => size === 1 || size === scores[axis - whole.shape.length + scores.length],
    )
  if (!fits)
    throw shapeError(
      'attention',
      `the ${name} must be [time, keys], [batch, time, keys] or the scores' shape`,
      mask.shape,
      scores,
    )
  return whole
}

/** [batch, keys] as [batch, 1, 1, keys]. */
const overQueries = (mask: Tensor, scores: Shape): Tensor => {
  const expected = [...scores.slice(0, -3), scores.at(-1) as number]
  if (!sameShape(mask.shape, expected))
    throw shapeError('attention', 'the key mask must be [batch, keys]', mask.shape, expected)
  return expandDims(expandDims(mask, -2), -2)
}

const asBool = (name: string, mask: Tensor): Mask => {
  if (mask.dtype !== 'bool')
    throw dtypeError(
      'attention',
      `the ${name} must be bool (true = may look); numbers to add are the bias`,
      mask.dtype,
    )
  return mask as Mask
}

/** All masks as one that broadcasts to the scores [..., heads, time, keys]; undefined if there is none. */
export const combinedMask = ({ keyMask, mask, causal, offset }: Masks, scores: Shape): Mask | undefined => {
  const parts: readonly Tensor[] = [
    ...(keyMask === undefined ? [] : [overQueries(asBool('key mask', keyMask), scores)]),
    ...(mask === undefined ? [] : [overHeads('mask', asBool('mask', mask), scores)]),
    ...(causal === true ? [causalMask(scores.at(-2) as number, scores.at(-1) as number, offset)] : []),
  ]
  return parts.length === 0 ? undefined : (parts.reduce((a, b) => logicalAnd(a, b)) as Mask)
}

/** The bias so that it broadcasts to the scores. */
export const biasOf = ({ bias }: Masks, scores: Shape): Tensor | undefined =>
  bias === undefined ? undefined : overHeads('bias', bias, scores)
