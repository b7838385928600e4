/** Random operands of launches: views of buffers written before, or of new arguments. */
import type { BufferSpec, Dtype, HostArray, Indexed, Launch, Operand, View } from '../../kernels/index.ts'
import { hostArray, isFloating } from '../../kernels/index.ts'
import type { Fact } from './fact.ts'
import { integer, truth, wrapped } from './fact.ts'
import type { Tape } from './tape.ts'
import { uniform } from './tape.ts'
import type { Layout } from './view.ts'
import { extended, layout, placed, spanOf } from './view.ts'

export interface Buffer {
  readonly spec: BufferSpec
  fact: Fact
  readonly writable: boolean
  /** The argument, where the buffer is one. */
  readonly data: HostArray | undefined
  readonly donated: boolean
}

export interface Build {
  readonly tape: Tape
  readonly dtypes: readonly Dtype[]
  readonly buffers: Buffer[]
  readonly launches: Launch[]
  /** Buffers that the launch under construction uses, and how often. */
  readonly used: Map<number, number>
}

export const use = ({ used }: Build, buffer: number): void =>
  void used.set(buffer, (used.get(buffer) ?? 0) + 1)

/** A new argument filled with truth values, small whole numbers or, unless `tame`, reals or any bits. */
const argument = (build: Build, dtype: Dtype, size: number, tame: boolean): number => {
  const { tape, buffers } = build
  const random = uniform(tape.pick(65536))
  const wild = tape.chance(3) && !tame
  const data = hostArray(dtype, size)
  for (let i = 0; i < size; i++) {
    const u = random()
    if (dtype === 'bool') data[i] = u < 0.5 ? 0 : 1
    else if (isFloating(dtype)) data[i] = wild ? 4 * u - 2 : Math.floor(9 * u) - 4
    else data[i] = wild ? Math.floor(u * 2 ** 32) | 0 : Math.floor(19 * u) - (dtype === 'int32' ? 9 : 0)
  }
  const fact: Fact = isFloating(dtype)
    ? { dtype, bound: 4, error: 0, whole: !wild }
    : dtype === 'bool'
      ? truth
      : wild
        ? wrapped(dtype)
        : integer(dtype, 18)
  const donated = tape.chance(2)
  return buffers.push({ spec: { dtype, size }, fact, writable: donated, data, donated }) - 1
}

export const finite = ({ bound, error, dtype }: Fact): boolean =>
  !isFloating(dtype) || (bound < 1e6 && error < 1)

/** A view of some buffer of this dtype: an earlier one where one fits, or a new argument. */
export const viewOf = (
  build: Build,
  dtype: Dtype,
  form: Layout,
  test: (fact: Fact) => boolean = () => true,
  tame = false,
): View => {
  const { tape, buffers } = build
  const fits = buffers.flatMap(({ spec, fact }, id) =>
    spec.dtype === dtype && spec.size >= spanOf(form) && finite(fact) && test(fact) ? [id] : [],
  )
  const fresh = fits.length === 0 || tape.chance(3)
  const buffer = fresh
    ? argument(build, dtype, spanOf(form) + tape.of([0, 0, 1, 3]), tame)
    : tape.of(fits.reverse())
  use(build, buffer)
  return { buffer, ...placed(tape, form, (buffers[buffer] as Buffer).spec.size) }
}

export interface Read {
  readonly operand: Operand
  readonly fact: Fact
  readonly rowwise: boolean
  /** Whether an output may be written exactly where this operand stands. */
  readonly exclusive: boolean
}

/** An operand over [...shape, ...trailing]; a row-wise one does not move along the trailing axes. */
export const read = (build: Build, shape: readonly number[], trailing: readonly number[]): Read => {
  const { tape } = build
  const rowwise = trailing.length > 0 && tape.chance(3)
  const over = (injective: boolean): Layout =>
    rowwise
      ? extended(layout(tape, shape, injective), trailing.length)
      : layout(tape, [...shape, ...trailing], injective)
  if (tape.chance(8)) {
    const { strides, low, high } = over(false)
    const offset = tape.pick(5) - 2
    const fact = integer('int32', Math.max(Math.abs(low), Math.abs(high)) + 2)
    return { operand: { kind: 'iota', strides, offset }, fact, rowwise, exclusive: false }
  }
  const dtype = tape.of(build.dtypes)
  if (build.dtypes.includes('int32') && tape.chance(5)) {
    const form = over(false)
    const { extra, at } = gathers(build, () => over(false))
    const reach: Layout = { ...form, low: form.low + extra.low, high: form.high + extra.high }
    const view = viewOf(build, dtype, reach)
    const { fact } = build.buffers[view.buffer] as Buffer
    return { operand: { kind: 'buffer', ...view, at }, fact, rowwise, exclusive: false }
  }
  const form = over(tape.chance(2))
  const view = viewOf(build, dtype, form)
  const { fact } = build.buffers[view.buffer] as Buffer
  return { operand: { kind: 'buffer', ...view }, fact, rowwise, exclusive: form.injective }
}

export const gathers = (
  build: Build,
  over: () => Layout,
): { readonly at: readonly Indexed[]; readonly extra: { readonly low: number; readonly high: number } } => {
  const { tape } = build
  const at = Array.from({ length: 1 + tape.pick(2) }, () => ({
    index: viewOf(build, 'int32', over()),
    size: 1 + tape.pick(7),
    stride: tape.of([1, 2, 5, -1]),
  }))
  const ends = at.map(({ size, stride }) => (size - 1) * stride)
  return {
    at,
    extra: {
      low: ends.reduce((sum, end) => sum + Math.min(0, end), 0),
      high: ends.reduce((sum, end) => sum + Math.max(0, end), 0),
    },
  }
}
