/**
 * Sinks: keys and values behind the others that every query may look at whatever the masks say, so that it need
 * not take much from any other (PyTorch's `add_bias_kv` and `add_zero_attn`).
 */
import { broadcastTo, concatenate, pad, reshape, zeros } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import type { Initialiser } from './initialiser.ts'
import { xavierNormal } from './initialiser.ts'
import type { Layer, NoParams } from './layer.ts'
import { lift, parameter } from './layer.ts'

/** A vector for all heads side by side, or nothing. */
export const sinkVector = (
  width: number | undefined,
  initialiser: Initialiser = xavierNormal(),
): Layer<Tensor | NoParams, void, Tensor | undefined> =>
  (width === undefined ? lift(() => undefined) : parameter([width], initialiser)) as Layer<
    Tensor | NoParams,
    void,
    Tensor | undefined
  >

/** `rows` [..., heads, count, width] with a row of the sink [heads · width] behind, and then zeros if asked for. */
export const withSinks = (rows: Tensor, sink: Tensor | undefined, zero: boolean): Tensor => {
  const [heads, width] = [rows.shape.at(-3) as number, rows.shape.at(-1) as number]
  const row = [...rows.shape.slice(0, -2), 1, width]
  const learned = sink === undefined ? [] : [broadcastTo(reshape(sink, [heads, 1, width]), row)]
  return concatenate([rows, ...learned, ...(zero ? [zeros(row, rows.dtype)] : [])], -2)
}

/** A mask or bias over `keys` keys continued over `count` sinks with `free`, which lets every query look. */
export const overSinks = <T extends Tensor>(
  mask: T | undefined,
  keys: number,
  count: number,
  free: number,
): T | undefined => {
  if (mask === undefined || count === 0) return mask
  const whole = broadcastTo(mask, [...mask.shape.slice(0, -1), keys]) // [..., time or 1, keys]
  const last = whole.shape.length - 1
  return pad(
    whole,
    whole.shape.map((_, axis) => [0, axis === last ? count : 0]),
    free,
  ) as Tensor as T
}
