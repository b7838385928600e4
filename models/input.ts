/** What models do with their inputs before they look anything up. */
import {
  add,
  arange,
  argMax,
  cast,
  clip,
  full,
  iota,
  mul,
  notEqual,
  reshape,
  sliceAxis,
  squeeze,
  take,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { dtypeError, shapeError } from '../core/error.ts'
import { positionsIn } from '../nn/index.ts'
import type { Mask, Run } from '../nn/index.ts'

/** A mask of bools, or of integers, 0 = no, as attention masks are in Hugging Face's models. */
export const asMask = (mask: Tensor | undefined): Mask | undefined => {
  if (mask === undefined || mask.dtype === 'bool') return mask as Mask | undefined
  if (mask.dtype === 'int32' || mask.dtype === 'uint32') return notEqual(mask, 0) as Mask
  throw dtypeError('keyMask', 'expected bool (true = a real token) or int32', mask.dtype)
}

/**
 * The positions of ids [batch, time]: those given, or 0 … time - 1, or those behind what a cache has of the text.
 *
 * @throws PullbackError when ids are not [batch, time], or there are more of them than positions.
 */
export const placesOf = (
  operation: string,
  { ids, positions }: { readonly ids: Tensor; readonly positions?: Tensor | undefined },
  maxLength: number,
  run: Run,
): Tensor => {
  if (ids.shape.length !== 2) throw shapeError(operation, 'ids must be [batch, time]', ids.shape)
  const time = ids.shape[1] as number
  if (positions === undefined) {
    if (time > maxLength)
      throw shapeError(operation, `the model has ${maxLength} positions, the sequence is longer`, ids.shape)
    return positionsIn(run, time)
  }
  const { shape } = positions
  if (shape.join() !== ids.shape.slice(2 - shape.length).join() || shape.length === 0)
    throw shapeError(operation, 'positions must be [time] or [batch, time]', shape, ids.shape)
  return positions
}

/** The rows of x [batch, time, width] at `places` int32 [batch, n]: [batch, n, width]. */
export const rowsAt = (operation: string, x: Tensor, places: Tensor): Tensor => {
  const [batch, time, width] = x.shape as readonly [number, number, number]
  if (places.shape.length !== 2 || places.shape[0] !== batch)
    throw shapeError(operation, 'places must be [batch, predictions]', places.shape, x.shape)
  const rows = reshape(x, [batch * time, width])
  const start = mul(iota([batch, 1], 0), time) // [batch, 1]
  return take(rows, add(clip(places, 0, time - 1), start)) // [batch, predictions, width]
}

/** The row of the first token: [batch, time, width] → [batch, width]. */
export const firstRow = (x: Tensor): Tensor => squeeze(sliceAxis(x, 1, 0, 1), 1)

/**
 * The place of the last token of each text: the last that is not padding, by its id where that is known, else by the
 * mask; the last of all where neither is. ids [batch, time] → int32 [batch, 1].
 */
export const lastPlaces = (
  ids: Tensor,
  { paddingId, keyMask }: { readonly paddingId?: number | undefined; readonly keyMask?: Tensor | undefined },
): Tensor => {
  const [batch, time] = ids.shape as readonly [number, number]
  const real = paddingId === undefined ? asMask(keyMask) : notEqual(ids, paddingId)
  if (real === undefined) return full([batch, 1], time - 1, 'int32')
  return reshape(argMax(mul(cast(real, 'int32'), arange(time)), { axis: -1 }), [batch, 1])
}
