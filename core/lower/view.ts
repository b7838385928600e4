/** The view operations of lowering: each costs nothing, unless a reshape meets unevenly spaced elements. */
import type { Shape } from '../shape.ts'
import type { Builder } from './builder.ts'
import type { Lazy } from './lazy.ts'
import { costOf, restride, stepped } from './lazy.ts'
import { sizeOf } from '../../kernels/index.ts'

/** Above this cost an expression is given memory rather than computed again for each element it spreads to. */
const spreadCost = 2

export const broadcastView = (lazy: Lazy, shape: Shape, builder: Builder): Lazy => {
  if (lazy.shape.length === shape.length && lazy.shape.every((size, axis) => size === shape[axis]))
    return lazy
  const grows = sizeOf(shape) > sizeOf(lazy.shape)
  const settled = builder.settle(lazy)
  const source =
    grows && costOf(settled.node) > spreadCost && sizeOf(lazy.shape) > 0
      ? builder.materialise(settled)
      : settled
  const lead = shape.length - lazy.shape.length
  return restride(source, shape, ({ strides, offset }) => ({
    offset,
    strides: shape.map((size, axis) =>
      axis < lead || (lazy.shape[axis - lead] === 1 && size !== 1) ? 0 : (strides[axis - lead] as number),
    ),
  })) as Lazy
}

export const transposeView = (lazy: Lazy, permutation: readonly number[]): Lazy =>
  stepped(lazy, { kind: 'permute', permutation }) as Lazy

export const sliceView = (
  lazy: Lazy,
  start: readonly number[],
  shape: Shape,
  step: readonly number[],
  builder: Builder,
): Lazy =>
  restride(builder.settle(lazy), shape, ({ strides, offset }) => ({
    // An empty axis has no first element to point at.
    offset: strides.reduce(
      (at, stride, axis) => at + (shape[axis] === 0 ? 0 : stride * (start[axis] as number)),
      offset,
    ),
    strides: strides.map((stride, axis) => stride * (step[axis] as number)),
  })) as Lazy

export const reverseView = (lazy: Lazy, axes: readonly number[], builder: Builder): Lazy =>
  restride(builder.settle(lazy), lazy.shape, ({ strides, offset }) => ({
    offset: axes.reduce(
      (at, axis) => at + Math.max(0, (lazy.shape[axis] as number) - 1) * (strides[axis] as number),
      offset,
    ),
    strides: strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
  })) as Lazy

export const reshapeView = (lazy: Lazy, shape: Shape, builder: Builder): Lazy => {
  const step = { kind: 'reshape', from: lazy.shape, to: shape } as const
  return stepped(lazy, step) ?? (stepped(builder.materialise(lazy), step) as Lazy)
}
