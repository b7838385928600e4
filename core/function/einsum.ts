/** Einstein summation. */
import { sizeOf } from '../../kernels/index.ts'
import type { EinsumError, EinsumShape } from '../einsum.ts'
import { PullbackError, argumentError, shapeError } from '../error.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { DtypeOf, ShapeOf } from '../type.ts'
import { mul } from './elementwise/index.ts'
import { promote } from './basic.ts'
import { matmul } from './matrix.ts'
import { sum } from './reduce/index.ts'
import { broadcastTo, reshape, slice, transpose } from './structure/index.ts'

/** A tensor whose axes have names, each at most once. */
interface Named {
  readonly x: Tensor
  readonly names: readonly string[]
}

const fail = (subscripts: string, detail: string): PullbackError =>
  argumentError('einsum', `${detail}, in '${subscripts}'`)

/** Axes that '...' stands for have numbers as names, counted from the last. */
const namesOf = (subscripts: string, term: string, shape: Shape): readonly string[] => {
  const [before = '', after] = term.split('...')
  const odd = [...before, ...(after ?? '')].find((letter) => !/[a-zA-Z]/.test(letter))
  if (odd !== undefined || term.split('...').length > 2)
    throw fail(subscripts, `the term '${term}' must be letters, and '...' at most once`)
  const named = before.length + (after?.length ?? 0)
  if (after === undefined ? named !== shape.length : named > shape.length)
    throw new PullbackError({
      tag: 'shape',
      operation: 'einsum',
      detail: `the term '${term}' names ${named} axes, in '${subscripts}'`,
      shapes: [shape],
    })
  const open = Array.from({ length: shape.length - named }, (_, i) => String(shape.length - named - 1 - i))
  return after === undefined ? [...before] : [...before, ...open, ...after]
}

/** The elements with equal positions on two axes, which become one, the last. */
const diagonal = (x: Tensor, a: number, b: number): Tensor => {
  const order = x.shape.flatMap((_, axis) => (axis === a || axis === b ? [] : [axis]))
  const moved = transpose(x, [...order, a, b])
  const lead = moved.shape.slice(0, -2)
  const n = moved.shape.at(-1) as number
  const flat = reshape(moved, [...lead, n * n])
  return slice(
    flat,
    flat.shape.map(() => 0),
    flat.shape,
    flat.shape.map((_, axis) => (axis === lead.length ? n + 1 : 1)),
  )
}

/** Repeated names taken on their diagonal. */
const distinct = (subscripts: string, { x, names }: Named): Named => {
  const b = names.findIndex((name, i) => names.indexOf(name) < i)
  if (b < 0) return { x, names }
  const a = names.indexOf(names[b] as string)
  if (x.shape[a] !== x.shape[b])
    throw shapeError('einsum', `axes that share the letter ${names[b]} must have one size`, x.shape)
  const rest = names.filter((_, i) => i !== a && i !== b)
  return distinct(subscripts, { x: diagonal(x, a, b), names: [...rest, names[a] as string] })
}

const sumOut = ({ x, names }: Named, kept: ReadonlySet<string>): Named => {
  const axes = names.flatMap((name, i) => (kept.has(name) ? [] : [i]))
  return axes.length === 0
    ? { x, names }
    : { x: sum(x, { axis: axes }), names: names.filter((name) => kept.has(name)) }
}

const ordered = ({ x, names }: Named, order: readonly string[]): Tensor =>
  transpose(
    x,
    order.map((name) => names.indexOf(name)),
  )

/** The product of two, summed over the names that are not kept: one batched matrix product. */
const contract = (
  left: Named,
  right: Named,
  kept: ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): Named => {
  const needed = (other: Named): ReadonlySet<string> => new Set([...kept, ...other.names])
  const [a, b] = [sumOut(left, needed(right)), sumOut(right, needed(left))]
  const shared = a.names.filter((name) => b.names.includes(name))
  const inner = shared.filter((name) => !kept.has(name))
  const batch = shared.filter((name) => kept.has(name))
  const rows = a.names.filter((name) => !shared.includes(name))
  const columns = b.names.filter((name) => !shared.includes(name))
  const size = (names: readonly string[]): Shape => names.map((name) => sizes.get(name) as number)
  const wide = (named: Named, order: readonly string[]): Tensor =>
    broadcastTo(ordered(named, order), size(order))
  if (inner.length === 0) {
    const order = [...batch, ...rows, ...columns]
    const [x, y] = [wide(a, [...batch, ...rows]), wide(b, [...batch, ...columns])]
    const spread = reshape(x, [...x.shape, ...columns.map(() => 1)])
    const between = reshape(y, [...size(batch), ...rows.map(() => 1), ...size(columns)])
    return { x: mul(spread, between), names: order }
  }
  const product = matmul(
    reshape(wide(a, [...batch, ...rows, ...inner]), [
      ...size(batch),
      sizeOf(size(rows)),
      sizeOf(size(inner)),
    ]),
    reshape(wide(b, [...batch, ...inner, ...columns]), [
      ...size(batch),
      sizeOf(size(inner)),
      sizeOf(size(columns)),
    ]),
  )
  const names = [...batch, ...rows, ...columns]
  return { x: reshape(product, size(names)), names }
}

const sizesOf = (subscripts: string, operands: readonly Named[]): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>()
  for (const { x, names } of operands)
    names.forEach((name, axis) => {
      const [own, before] = [x.shape[axis] as number, sizes.get(name)]
      const open = /\d/.test(name)
      if (before !== undefined && before !== own && !(open && (before === 1 || own === 1)))
        throw new PullbackError({
          tag: 'shape',
          operation: 'einsum',
          detail: `${open ? "axes under '...'" : `the letter ${name}`} must stand for one size, got ${before} and ${own}, in '${subscripts}'`,
          shapes: operands.map((operand) => operand.x.shape),
        })
      sizes.set(name, before === undefined || before === 1 ? own : before)
    })
  return sizes
}

const evaluate = (subscripts: string, given: readonly Tensor[]): Tensor => {
  const [left = '', right, ...more] = subscripts.replaceAll(' ', '').split('->')
  if (more.length > 0) throw fail(subscripts, "there is more than one '->'")
  const terms = left.split(',')
  if (terms.length !== given.length)
    throw fail(subscripts, `there are ${terms.length} terms for ${given.length} operands`)
  const all = promote(...given).map((x, i): Named => ({
    x,
    names: namesOf(subscripts, terms[i] as string, x.shape),
  }))
  const sizes = sizesOf(subscripts, all)
  const everywhere = all.flatMap(({ names }) => names)
  const open = [...new Set(everywhere.filter((name) => /\d/.test(name)))].sort(
    (a, b) => Number(b) - Number(a),
  )
  const once = [...new Set(everywhere)].filter(
    (name) => !/\d/.test(name) && everywhere.indexOf(name) === everywhere.lastIndexOf(name),
  )
  const result =
    right === undefined
      ? [...open, ...once.sort()]
      : right.includes('...')
        ? [...(right.split('...')[0] ?? ''), ...open, ...(right.split('...')[1] ?? '')]
        : [...right]
  const unknown = result.find((name) => !everywhere.includes(name))
  if (unknown !== undefined) throw fail(subscripts, `the letter ${unknown} of the result is in no operand`)
  if (new Set(result).size !== result.length) throw fail(subscripts, 'a letter of the result repeats')
  const parts = all.map((named) => distinct(subscripts, named))
  let total = parts[0] as Named
  for (let i = 1; i < parts.length; i++) {
    const later = parts.slice(i + 1).flatMap(({ names }) => names)
    total = contract(total, parts[i] as Named, new Set([...result, ...later]), sizes)
  }
  return ordered(sumOut(total, new Set(result)), result)
}

type Shapes<T extends readonly Tensor[]> = { readonly [I in keyof T]: ShapeOf<T[I]> }
type Checked<S extends string, T extends readonly Tensor[]> =
  EinsumShape<S, Shapes<T>> extends infer E ? (E extends EinsumError<string> ? E : unknown) : never

/** The tensor that an einsum gives. */
export type Einsum<S extends string, T extends readonly Tensor[]> =
  EinsumShape<S, Shapes<T>> extends infer R
    ? R extends Shape
      ? Tensor<R, DtypeOf<T[number]>>
      : never
    : never

/**
 * Einstein summation: axes are named by letters, products are summed over the letters that the result does not
 * name. '...' stands for any further axes, which broadcast; a letter twice in a term takes the diagonal; without
 * '->' the result names, in order, the letters that occur once. Sizes that are known are checked, and the result's
 * shape is found, by the type. Operands are contracted from left to right, each as one matrix product.
 *
 * @example
 * ```ts
 * import { ones } from 'pullback'
 * const scores = einsum('bqd,bkd->bqk', ones([2, 3, 8]), ones([2, 5, 8]))
 * console.log(scores.shape) // => [2, 3, 5]
 * ```
 */
export const einsum = <const S extends string, const T extends readonly Tensor[]>(
  subscripts: S & Checked<S, T>,
  ...operands: T
): Einsum<S, T> => evaluate(subscripts, operands) as Einsum<S, T>
