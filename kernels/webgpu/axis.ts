/** Positions and addresses in WGSL, in 32-bit integers throughout. */
import type { Operand, Strided, View } from '../program/index.ts'

/** The elements at `axes`, as `offset + Σ strides · axes`. */
export const address = ({ strides, offset }: Strided, axes: readonly string[]): string => {
  const terms = strides.flatMap((stride, axis) =>
    stride === 0 || axes[axis] === '0' ? [] : [stride === 1 ? `${axes[axis]}` : `${axes[axis]} * ${stride}`],
  )
  return [...(offset === 0 && terms.length > 0 ? [] : [String(offset)]), ...terms].join(' + ')
}

/** What the batch axes add to an address, behind a sum. */
export const batchAddress = ({ strides }: View, axes: readonly string[]): string =>
  axes.map((axis, index) => (strides[index] === 0 ? '' : ` + ${axis} * ${strides[index]}`)).join('')

/** Names and definitions of the axes of `shape` at the row-major position `flat` (a u32). */
export const unravel = (
  flat: string,
  shape: readonly number[],
  prefix: string,
): { readonly axes: readonly string[]; readonly code: readonly string[] } => {
  const axes = shape.map((_, axis) => `${prefix}${axis}`)
  if (shape.length <= 1) return { axes, code: axes.map((name) => `let ${name} = i32(${flat});`) }
  const code: string[] = []
  let rest = flat
  for (let axis = shape.length - 1; axis > 0; axis--) {
    // WGSL refuses to divide by the constant 0; there is no such position anyway.
    const size = Math.max(1, shape[axis] as number)
    code.push(`let ${prefix}${axis} = i32(${rest} % ${size}u);`)
    const next = `${prefix}${axis}_rest`
    code.push(`let ${next} = ${rest} / ${size}u;`)
    rest = next
  }
  return { axes, code: [...code, `let ${prefix}0 = i32(${rest});`] }
}

const stridedOf = (operand: Operand): readonly Strided[] =>
  operand.kind === 'iota' ? [operand] : [operand, ...(operand.at ?? []).map(({ index }) => index)]

const pick = <S extends Strided>(strided: S, kept: readonly number[]): S => ({
  ...strided,
  strides: kept.flatMap((axis) => strided.strides[axis] ?? []),
})

/** The operand over the axes `kept` alone. */
const withAxes = (operand: Operand, kept: readonly number[]): Operand =>
  operand.kind === 'iota' || operand.at === undefined
    ? pick(operand, kept)
    : {
        ...pick(operand, kept),
        at: operand.at.map((at) => ({ ...at, index: pick(at.index, kept) })),
      }

export interface Collapsed {
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly targets: readonly View[]
}

/**
 * The same iteration over as few axes as possible: axes of one element are dropped, and neighbours that are
 * one axis to every view are joined, outer ones and inner ones apart. A target may lack the inner axes.
 */
export const collapse = ({ outer, inner, operands, targets }: Collapsed): Collapsed => {
  const shape = [...outer, ...inner]
  const views = [...operands.flatMap(stridedOf), ...targets]
  const merge = (from: number, to: number): readonly (readonly number[])[] => {
    const found: number[][] = []
    for (let axis = from; axis < to; axis++) {
      if (shape[axis] === 1) continue
      const last = found.at(-1)?.at(-1)
      const joins =
        last !== undefined &&
        views.every(
          ({ strides }) =>
            strides[axis] === undefined ||
            strides[last] === (strides[axis] as number) * (shape[axis] as number),
        )
      if (joins) found.at(-1)?.push(axis)
      else found.push([axis])
    }
    return found
  }
  const rows = merge(0, outer.length)
  const columns = merge(outer.length, shape.length)
  const size = (axes: readonly number[]): number => axes.reduce((n, axis) => n * (shape[axis] as number), 1)
  const kept = [...rows, ...columns].map((axes) => axes.at(-1) as number)
  return {
    outer: rows.map(size),
    inner: columns.map(size),
    operands: operands.map((operand) => withAxes(operand, kept)),
    targets: targets.map((target) => pick(target, kept)),
  }
}

/** How threads are spread over more groups than one axis of a dispatch allows. */
export const groupsFor = (count: number, limit = 65535): readonly [x: number, y: number] => {
  if (count <= limit) return [count, 1]
  const y = Math.ceil(count / limit)
  return [Math.ceil(count / y), y]
}
