/** The check of views: they stay within their buffers. */
import type { Indexed, Operand, Program, Strided, View } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { extentOf } from '../region.ts'
import type { Complain } from './complain.ts'
import { isCount } from './complain.ts'

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`

const checkStrides = (
  { strides, offset }: Strided,
  shape: readonly number[],
  what: string,
  complain: Complain,
) => {
  if (strides.length !== shape.length)
    complain(`${what} has ${strides.length} strides over a shape of ${shape.length} axes, ${show(shape)}`)
  else if (![offset, ...strides].every(Number.isSafeInteger))
    complain(`${what} has strides or an offset that are not whole numbers`)
  else return true
  return false
}

/** Whether a view stays within its buffer. */
export const checkView = (
  program: Program,
  view: View,
  shape: readonly number[],
  what: string,
  complain: Complain,
  at: readonly Indexed[] = [],
): void => {
  const spec = program.buffers[view.buffer]
  if (spec === undefined)
    return complain(`${what} is of buffer ${view.buffer}, but there are ${program.buffers.length} buffers`)
  if (!checkStrides(view, shape, what, complain)) return
  const touched = sizeOf(shape) > 0
  for (const [axis, { index, size, stride }] of at.entries()) {
    const name = `index ${axis} of ${what}`
    if (program.buffers[index.buffer]?.dtype !== 'int32') complain(`${name} must be an int32 buffer`)
    checkView(program, index, shape, name, complain)
    if (!Number.isSafeInteger(stride)) return complain(`${name} has a stride that is not a whole number`)
    if (!isCount(size) || (touched && size === 0))
      return complain(`${name} must choose among at least 1, got ${size}`)
  }
  const extent = extentOf(view, shape, at)
  if (extent !== undefined && (extent.low < 0 || extent.high >= spec.size))
    complain(
      `${what} touches elements ${extent.low} to ${extent.high} of buffer ${view.buffer}, which has ${spec.size}`,
    )
}

export const checkOperands = (
  program: Program,
  operands: readonly Operand[],
  shape: readonly number[],
  complain: Complain,
): void =>
  operands.forEach((operand, index) => {
    const what = `operand ${index}`
    if (operand.kind === 'iota') checkStrides(operand, shape, what, complain)
    else checkView(program, operand, shape, what, complain, operand.at)
  })

export const checkShape = (sizes: readonly number[], complain: Complain): boolean => {
  const good = sizes.every(isCount)
  if (!good) complain(`sizes must be whole and not negative, got ${show(sizes)}`)
  return good
}
