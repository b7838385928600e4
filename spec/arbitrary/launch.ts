/** One random launch of each kind, after the fills that its targets need. */
import type { BufferSpec, Dtype, Launch } from '../../kernels/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import type { Draft } from './body.ts'
import { bodyOf, choose, chooseFold, draft, grow, pushConstant, pushFold, pushRead, valueOf } from './body.ts'
import type { Fact } from './fact.ts'
import { arithmetic, dotted, folded, integer, union } from './fact.ts'
import type { Buffer, Build, Read } from './operand.ts'
import { finite, gathers, read, viewOf } from './operand.ts'
import type { Tape } from './tape.ts'
import { filled, outputs, target, write } from './target.ts'
import type { Layout } from './view.ts'
import { layout, placed, plain, spanOf } from './view.ts'

const dimension = (tape: Tape): number => tape.of([2, 3, 1, 4, 5, 7, 8, 9, 16, 17, 33, 2, 3, 5, 4, 0])

const shapeOf = (tape: Tape, minRank: number, maxRank: number, limit = 600): number[] => {
  const shape: number[] = []
  const rank = minRank + tape.pick(maxRank - minRank + 1)
  for (let axis = 0; axis < rank; axis++) {
    const size = dimension(tape)
    shape.push(sizeOf(shape) * size > limit ? 1 : size)
  }
  return shape
}

/** Adds operands and a few operations to the draft. */
const readAll = (
  build: Build,
  body: Draft,
  shape: readonly number[],
  trailing: readonly number[] = [],
): Read[] => {
  const count = build.tape.of([1, 2, 3, 0, 4])
  return Array.from({ length: count }, (_, index) => {
    const operand = read(build, shape, trailing)
    pushRead(body, index, operand.fact, operand.rowwise)
    return operand
  })
}

const growSome = (build: Build, body: Draft, dtypes: readonly Dtype[]): void => {
  if (body.ops.length === 0) pushConstant(body, dtypes[0] as Dtype, 1)
  for (let n = build.tape.pick(6); n > 0; n--) grow(body, build.tape, dtypes)
}

export const map = (build: Build): Launch[] => {
  const { tape, dtypes } = build
  const shape = shapeOf(tape, 0, 4)
  const body = draft()
  const reads = readAll(build, body, shape)
  growSome(build, body, dtypes)
  const before: Launch[] = []
  const outs = outputs(build, body, shape, reads, before)
  const operands = reads.map(({ operand }) => operand)
  return [...before, { kind: 'map', shape, operands, body: bodyOf(body), outputs: outs }]
}

export const reduce = (build: Build): Launch[] => {
  const { tape, dtypes } = build
  const outer = shapeOf(tape, 0, 2, 60)
  const inner = shapeOf(tape, 1, 2, 60)
  const body = draft()
  const reads = readAll(build, body, outer, inner)
  growSome(build, body, dtypes)
  const folds = []
  for (let index = tape.of([0, 1, 2, 0, 0]); index >= 0; index--) {
    const fold = chooseFold(body, tape, sizeOf(inner))
    if (fold === undefined) break
    pushFold(body, folds.length, fold.fact)
    folds.push({ op: fold.op, value: fold.value })
    growSome(build, body, dtypes)
  }
  const before: Launch[] = []
  const outs = Array.from({ length: tape.of([1, 1, 2, 3]) }, () => {
    const row = tape.pick(3) < 2 ? choose(body, tape, ({ rowwise }) => rowwise) : undefined
    const value = row ?? choose(body, tape, () => true) ?? 0
    const over = row === undefined ? ('all' as const) : ('outer' as const)
    const fact = valueOf(body, value)
    return over === 'outer'
      ? { over, value, target: target(build, outer, fact, [], before) }
      : { over, value, target: target(build, [...outer, ...inner], fact, reads, before) }
  })
  const operands = reads.map(({ operand }) => operand)
  return [...before, { kind: 'reduce', outer, inner, operands, body: bodyOf(body), folds, outputs: outs }]
}

export const matmul = (build: Build): Launch[] => {
  const { tape, dtypes } = build
  const allowed = dtypes.filter((dtype) => dtype !== 'bool')
  const dtype = tape.of(allowed)
  const batch = shapeOf(tape, 0, 2, 6)
  // Large ones are cut into blocks where engines do so.
  const sizes = tape.chance(4) ? [36, 27, 30, 48, 57, 71] : [2, 3, 1, 4, 5, 7, 8, 9, 16, 17, 33, 0]
  const [rows, inner, columns] = [tape.of(sizes), tape.of(sizes), tape.of(sizes)]
  const test = ({ bound }: Fact): boolean => bound < 1e3 || !isFloating(dtype)
  const a = viewOf(build, dtype, layout(tape, [...batch, rows, inner], false), test)
  const b = viewOf(build, dtype, layout(tape, [...batch, inner, columns], false), test)
  const facts = [a, b].map(({ buffer }) => (build.buffers[buffer] as Buffer).fact) as [Fact, Fact]
  const body = draft()
  pushFold(body, 0, dotted(facts[0], facts[1], inner))
  const shape = [...batch, rows, columns]
  const reads = tape.chance(2) ? readAll(build, body, shape) : []
  if (reads.length > 0) growSome(build, body, dtypes)
  const before: Launch[] = []
  const outs = outputs(build, body, shape, reads, before)
  const operands = reads.map(({ operand }) => operand)
  const launch: Launch = {
    kind: 'matmul',
    batch,
    rows,
    inner,
    columns,
    a,
    b,
    operands,
    body: bodyOf(body),
    outputs: outs,
  }
  return [...before, launch]
}

export const scatter = (build: Build): Launch[] => {
  const { tape, dtypes } = build
  const shape = shapeOf(tape, 0, 3, 80)
  const body = draft()
  const reads = readAll(build, body, shape)
  growSome(build, body, dtypes)
  const value = choose(body, tape, finite) ?? pushConstant(body, dtypes[0] as Dtype, 1)
  const fact = valueOf(body, value)
  const sums = fact.dtype !== 'bool' && finite(folded('sum', fact, sizeOf(shape)))
  const op = tape.of(sums ? (['add', 'set', 'max', 'min', 'add'] as const) : (['set', 'max', 'min'] as const))
  const { at, extra } = dtypes.includes('int32')
    ? gathers(build, () => layout(tape, shape, false))
    : { at: [], extra: { low: 0, high: 0 } }
  const form = layout(tape, shape, false)
  const reach: Layout = { ...form, low: form.low + extra.low, high: form.high + extra.high, dense: false }
  const old = build.buffers.flatMap(({ spec, writable, fact: held }, id) =>
    writable && spec.dtype === fact.dtype && spec.size >= spanOf(reach) && finite(held) && !build.used.has(id)
      ? [id]
      : [],
  )
  const before: Launch[] = []
  const id =
    old.length > 0 && tape.chance(2) ? tape.of(old) : filled(build, fact.dtype, spanOf(reach), before)
  const { spec, fact: start } = build.buffers[id] as Buffer
  const added = arithmetic('add', start, folded('sum', fact, sizeOf(shape)))
  write(build, id, op === 'add' ? added : union(start, fact))
  return [
    ...before,
    {
      kind: 'scatter',
      op,
      shape,
      operands: reads.map(({ operand }) => operand),
      body: bodyOf(body),
      value,
      target: { buffer: id, ...placed(tape, reach, spec.size), strides: form.strides },
      at,
    },
  ]
}

const row = (build: Build, dtype: Dtype, test: (fact: Fact) => boolean) => {
  const outer = shapeOf(build.tape, 0, 2, 40)
  const length = dimension(build.tape)
  const input = viewOf(build, dtype, layout(build.tape, [...outer, length], false), test)
  return { outer, length, input, fact: (build.buffers[input.buffer] as Buffer).fact }
}

export const sort = (build: Build): Launch[] => {
  const { tape } = build
  const { outer, length, input } = row(build, tape.of(build.dtypes), ({ error }) => error === 0)
  const before: Launch[] = []
  const into = target(build, [...outer, length], integer('int32', Math.max(length, 1)), [], before)
  return [...before, { kind: 'sort', outer, length, descending: tape.chance(2), input, target: into }]
}

export const scan = (build: Build): Launch[] => {
  const { tape } = build
  const dtype = tape.of(build.dtypes)
  const { outer, length, input, fact } = row(
    build,
    dtype,
    ({ bound, dtype: d }) => !isFloating(d) || bound <= 64,
  )
  const allowed = (['sum', 'max', 'min', 'prod'] as const).filter(
    (op) => op === 'max' || op === 'min' || (dtype !== 'bool' && finite(folded(op, fact, length))),
  )
  const op = tape.of(allowed)
  const result = length === 0 ? fact : folded(op, fact, length)
  const before: Launch[] = []
  const into = target(build, [...outer, length], result, [], before)
  return [...before, { kind: 'scan', op, outer, length, reverse: tape.chance(2), input, target: into }]
}

const kernels = [
  'function (a) { return a[this.thread.x] + 1; }',
  'function (a, b) { return a[this.thread.x] * 2 - b[this.thread.x]; }',
  'function (a, b) { let sum = 0; for (let i = 0; i < 3; i++) { sum += a[i] * b[this.thread.x]; } return sum; }',
] as const

export const custom = (build: Build): Launch[] => {
  const { tape, buffers } = build
  const floats = build.dtypes.filter((dtype) => dtype === 'float32')
  if (floats.length === 0) return map(build)
  const size = 3 + tape.pick(30)
  const source = tape.of(kernels)
  const inputs = Array.from({ length: source.includes('(a, b)') ? 2 : 1 }, () => {
    const view = viewOf(build, 'float32', plain([size]), ({ bound, whole }) => whole && bound <= 64, true)
    return view.buffer
  })
  const largest = Math.max(...inputs.map((id) => (buffers[id] as Buffer).fact.bound))
  const fact: Fact = {
    dtype: 'float32',
    bound: 3 * largest * Math.max(1, largest) + 3,
    error: 0,
    whole: true,
  }
  const spec: BufferSpec = { dtype: 'float32', size }
  const id = buffers.push({ spec, fact, writable: true, data: undefined, donated: false }) - 1
  return [{ kind: 'custom', source, inputs, target: id, size }]
}
