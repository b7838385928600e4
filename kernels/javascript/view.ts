/** Elements of buffers, loops over positions, and the definitions of what is computed at one. */
import type { Indexed, Operand, Strided, View } from '../program/index.ts'
import type { Body } from '../scalar.ts'
import { reachable } from '../scalar.ts'
import { printOp } from './scalar.ts'

const address = (view: Strided, axes: readonly string[]): string =>
  [String(view.offset), ...view.strides.flatMap((s, axis) => (s === 0 ? [] : [`${s} * ${axes[axis]}`]))].join(
    ' + ',
  )

export const element = (view: View, axes: readonly string[]): string =>
  `b${view.buffer}[${address(view, axes)}]`

const clamped = (index: string, size: number): string => `Math.min(Math.max(${index}, 0), ${size - 1})`

/** The address of a view, and what is data in it. */
export const gathered = (view: Strided, at: readonly Indexed[], axes: readonly string[]): string =>
  [
    address(view, axes),
    ...at.map(({ index, stride, size }) => `${stride} * ${clamped(element(index, axes), size)}`),
  ].join(' + ')

const readOperand = (operand: Operand, axes: readonly string[]): string =>
  operand.kind === 'iota'
    ? `(${address(operand, axes)})`
    : `b${operand.buffer}[${gathered(operand, operand.at ?? [], axes)}]`

export const axesOf = (shape: readonly number[], prefix = 'i'): string[] =>
  shape.map((_, axis) => `${prefix}${axis}`)

export const loops = (shape: readonly number[], axes: readonly string[], inside: string): string =>
  shape.reduceRight(
    (code, size, axis) =>
      `for (let ${axes[axis]} = 0; ${axes[axis]} < ${size}; ${axes[axis]}++) {\n${code}\n}`,
    inside,
  )

/** The definitions of the operations that `values` need, in order. */
export const definitions = (
  body: Body,
  values: readonly number[],
  operands: readonly Operand[],
  axes: readonly string[],
): string => {
  const needed = reachable(body, values)
  return body
    .flatMap((op, index) =>
      needed.has(index)
        ? [`const v${index} = ${printOp(op, body, (o) => readOperand(operands[o] as Operand, axes))}`]
        : [],
    )
    .join('\n')
}
