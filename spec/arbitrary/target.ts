/** Where random launches write. */
import type { BufferSpec, Dtype, Launch, Output, View } from '../../kernels/index.ts'
import type { Draft } from './body.ts'
import { choose, valueOf } from './body.ts'
import type { Fact } from './fact.ts'
import { union } from './fact.ts'
import type { Buffer, Build, Read } from './operand.ts'
import { use } from './operand.ts'
import { layout, placed, plain, spanOf } from './view.ts'

const constantFill = (buffer: number, { dtype, size }: BufferSpec): Launch => ({
  kind: 'map',
  shape: [size],
  operands: [],
  body: [{ op: 'constant', value: 1, dtype }],
  outputs: [{ target: { buffer, strides: [1], offset: 0 }, value: 0 }],
})

/** Where a value over `shape` is written: in place of an operand, into an earlier buffer, or into a new one. */
export const target = (
  build: Build,
  shape: readonly number[],
  fact: Fact,
  reads: readonly Read[],
  before: Launch[],
): View => {
  const { tape, buffers, used } = build
  const accepts = (id: number, uses: number): boolean => {
    const buffer = buffers[id] as Buffer
    return buffer.writable && buffer.spec.dtype === fact.dtype && (used.get(id) ?? 0) === uses
  }
  const inPlace = reads.flatMap(({ operand, exclusive }) =>
    exclusive && operand.kind === 'buffer' && accepts(operand.buffer, 1) ? [operand] : [],
  )
  if (inPlace.length > 0 && tape.chance(2)) {
    const { buffer, strides, offset } = tape.of(inPlace)
    use(build, buffer)
    write(build, buffer, fact)
    return { buffer, strides, offset }
  }
  const form = tape.chance(3) ? layout(tape, shape, true) : plain(shape)
  const old = buffers.flatMap(({ spec }, id) => (spec.size >= spanOf(form) && accepts(id, 0) ? [id] : []))
  if (old.length > 0 && tape.chance(3)) {
    const buffer = tape.of(old)
    use(build, buffer)
    write(build, buffer, fact)
    return { buffer, ...placed(tape, form, (buffers[buffer] as Buffer).spec.size) }
  }
  const spec = { dtype: fact.dtype, size: spanOf(form) + tape.of([0, 0, 0, 2]) }
  const whole = form.dense && spec.size === spanOf(form)
  const buffer = whole
    ? buffers.push({ spec, fact, writable: true, data: undefined, donated: false }) - 1
    : filled(build, spec.dtype, spec.size, before)
  use(build, buffer)
  write(build, buffer, fact)
  return { buffer, ...placed(tape, form, spec.size) }
}

/** A part of the buffer, at least, now holds values like this. */
export const write = ({ buffers }: Build, id: number, fact: Fact): void => {
  const buffer = buffers[id] as Buffer
  buffer.fact = union(buffer.fact, fact)
}

/** A new buffer of ones. */
export const filled = ({ buffers }: Build, dtype: Dtype, size: number, before: Launch[]): number => {
  const fact: Fact = { dtype, bound: 1, error: 0, whole: true }
  const spec = { dtype, size }
  before.push(constantFill(buffers.length, spec))
  return buffers.push({ spec, fact, writable: true, data: undefined, donated: false }) - 1
}

export const outputs = (
  build: Build,
  body: Draft,
  shape: readonly number[],
  reads: readonly Read[],
  before: Launch[],
): Output[] => {
  const { tape } = build
  const outs = Array.from({ length: tape.of([1, 1, 2, 3]) }, () => {
    const value = choose(body, tape, () => true) ?? 0
    return { value, target: target(build, shape, valueOf(body, value), reads, before) }
  })
  return outs
}
