import { shapeError } from './error.ts'

/** Sizes of the axes, outermost first; [] is a scalar's. */
export type Shape = readonly number[]

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis])

/** NumPy's broadcasting: axes align from the last; sizes agree or one of them is 1. */
export const broadcastShapes = (operation: string, ...shapes: readonly Shape[]): Shape => {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1
      if (own === size || own === 1) continue
      if (size !== 1) throw shapeError(operation, 'shapes do not broadcast', ...shapes)
      size = own
    }
    return size
  })
}

/** The axis counted from the front; negative axes count from the back. */
export const normalAxis = (operation: string, axis: number, shape: Shape, extra = 0): number => {
  const rank = shape.length + extra
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw shapeError(operation, `axis ${axis} is out of range for rank ${rank}`, shape)
  return axis < 0 ? axis + rank : axis
}

/** Distinct axes in ascending order; `undefined` means all. */
export const normalAxes = (
  operation: string,
  axes: number | readonly number[] | undefined,
  shape: Shape,
): number[] => {
  if (axes === undefined) return shape.map((_, axis) => axis)
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalAxis(operation, axis, shape))
  if (new Set(list).size !== list.length)
    throw shapeError(operation, `axes [${list.join(', ')}] repeat`, shape)
  return list.sort((a, b) => a - b)
}

/** The shape of a reduction over `axes` (normal, ascending). */
export const reducedShape = (shape: Shape, axes: readonly number[], keepDims: boolean): Shape =>
  keepDims
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis))
