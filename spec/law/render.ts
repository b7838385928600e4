/** Numbers and trees of tensors as text, for failures that a person reads. */
import { isTensor } from '../../core/index.ts'
import type { HostArray, Shape } from '../../core/index.ts'

const longest = 24

/** A number in as few digits as tell it apart. */
export const renderNumber = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** Numbers nested as the axes are; long tensors are cut. */
export const renderNumbers = (data: HostArray, shape: Shape): string => {
  if (data.length > longest)
    return `[${[...data.subarray(0, longest)].map(renderNumber).join(', ')}, … ${data.length - longest} more]`
  let at = 0
  const build = (axis: number): string => {
    if (axis === shape.length) return renderNumber(data[at++] as number)
    const parts = Array.from({ length: shape[axis] as number }, () => build(axis + 1))
    return `[${parts.join(', ')}]`
  }
  return build(0)
}

/** Where a leaf stands, for messages: `x`, `x/weight`. */
export const place = (name: string, path: string): string => (path === '' ? name : `${name}/${path}`)

/** Whether a value is a tensor of floating point. */
export const isFloat = (x: unknown): boolean =>
  isTensor(x) && (x.dtype === 'float32' || x.dtype === 'float64')
