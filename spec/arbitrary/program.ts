/** Random valid programs over the whole launch language, with arguments and tolerances. */
import type * as fc from 'fast-check'
import type {
  BufferSpec,
  Dtype,
  HostArray,
  Indexed,
  Launch,
  Operand,
  Output,
  Program,
  View,
} from '../../kernels/index.ts'
import { hostArray, isFloating, sizeOf } from '../../kernels/index.ts'
import type { Draft } from './body.ts'
import { bodyOf, choose, chooseFold, draft, grow, pushConstant, pushFold, pushRead, valueOf } from './body.ts'
import type { Fact } from './fact.ts'
import { arithmetic, dotted, folded, integer, truth, union, wrapped } from './fact.ts'
import type { Tape } from './tape.ts'
import { fromTape, uniform } from './tape.ts'
import type { Layout } from './view.ts'
import { extended, layout, placed, plain, spanOf } from './view.ts'

export interface ProgramCase {
  readonly program: Program
  readonly inputs: readonly HostArray[]
  /** How much each output may differ, absolutely; 0 means not at all. */
  readonly tolerances: readonly number[]
}

export interface ProgramOptions {
  readonly dtypes?: readonly Dtype[]
  readonly kinds?: readonly Launch['kind'][]
  readonly maxLaunches?: number
}

const allDtypes: readonly Dtype[] = ['float32', 'int32', 'bool', 'uint32', 'float64']
const allKinds: readonly Launch['kind'][] = ['map', 'reduce', 'matmul', 'scatter', 'scan', 'sort', 'custom']

interface Buffer {
  readonly spec: BufferSpec
  fact: Fact
  readonly writable: boolean
  /** The argument, where the buffer is one. */
  readonly data: HostArray | undefined
  readonly donated: boolean
}

interface Build {
  readonly tape: Tape
  readonly dtypes: readonly Dtype[]
  readonly buffers: Buffer[]
  readonly launches: Launch[]
  /** Buffers that the launch under construction uses, and how often. */
  readonly used: Map<number, number>
}

const use = ({ used }: Build, buffer: number): void => void used.set(buffer, (used.get(buffer) ?? 0) + 1)

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

const finite = ({ bound, error, dtype }: Fact): boolean => !isFloating(dtype) || (bound < 1e6 && error < 1)

/** A view of some buffer of this dtype: an earlier one where one fits, or a new argument. */
const viewOf = (
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

interface Read {
  readonly operand: Operand
  readonly fact: Fact
  readonly rowwise: boolean
  /** Whether an output may be written exactly where this operand stands. */
  readonly exclusive: boolean
}

/** An operand over [...shape, ...trailing]; a row-wise one does not move along the trailing axes. */
const read = (build: Build, shape: readonly number[], trailing: readonly number[]): Read => {
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

const gathers = (
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

const constantFill = (buffer: number, { dtype, size }: BufferSpec): Launch => ({
  kind: 'map',
  shape: [size],
  operands: [],
  body: [{ op: 'constant', value: 1, dtype }],
  outputs: [{ target: { buffer, strides: [1], offset: 0 }, value: 0 }],
})

/** Where a value over `shape` is written: in place of an operand, into an earlier buffer, or into a new one. */
const target = (
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
const write = ({ buffers }: Build, id: number, fact: Fact): void => {
  const buffer = buffers[id] as Buffer
  buffer.fact = union(buffer.fact, fact)
}

/** A new buffer of ones. */
const filled = ({ buffers }: Build, dtype: Dtype, size: number, before: Launch[]): number => {
  const fact: Fact = { dtype, bound: 1, error: 0, whole: true }
  const spec = { dtype, size }
  before.push(constantFill(buffers.length, spec))
  return buffers.push({ spec, fact, writable: true, data: undefined, donated: false }) - 1
}

const outputs = (
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

const map = (build: Build): Launch[] => {
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

const reduce = (build: Build): Launch[] => {
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

const matmul = (build: Build): Launch[] => {
  const { tape, dtypes } = build
  const allowed = dtypes.filter((dtype) => dtype !== 'bool')
  const dtype = tape.of(allowed)
  const batch = shapeOf(tape, 0, 2, 6)
  const sizes = [2, 3, 1, 4, 5, 7, 8, 9, 16, 17, 33, 0] as const
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

const scatter = (build: Build): Launch[] => {
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

const writes =
  (id: number) =>
  (launch: Launch): boolean =>
    'outputs' in launch
      ? launch.outputs.some(({ target }) => target.buffer === id)
      : typeof launch.target === 'number'
        ? launch.target === id
        : launch.target.buffer === id

const row = (build: Build, dtype: Dtype, test: (fact: Fact) => boolean) => {
  const outer = shapeOf(build.tape, 0, 2, 40)
  const length = dimension(build.tape)
  const input = viewOf(build, dtype, layout(build.tape, [...outer, length], false), test)
  return { outer, length, input, fact: (build.buffers[input.buffer] as Buffer).fact }
}

const sort = (build: Build): Launch[] => {
  const { tape } = build
  const { outer, length, input } = row(build, tape.of(build.dtypes), ({ error }) => error === 0)
  const before: Launch[] = []
  const into = target(build, [...outer, length], integer('int32', Math.max(length, 1)), [], before)
  return [...before, { kind: 'sort', outer, length, descending: tape.chance(2), input, target: into }]
}

const scan = (build: Build): Launch[] => {
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

const custom = (build: Build): Launch[] => {
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

const makers: Readonly<Record<Launch['kind'], (build: Build) => Launch[]>> = {
  map,
  reduce,
  matmul,
  scatter,
  sort,
  scan,
  custom,
}

const build = (
  tape: Tape,
  { dtypes = allDtypes, kinds = allKinds, maxLaunches = 4 }: ProgramOptions,
): ProgramCase => {
  const state: Build = {
    tape,
    dtypes: allDtypes.filter((dtype) => dtypes.includes(dtype)),
    buffers: [],
    launches: [],
    used: new Map(),
  }
  const chosen = kinds.filter((kind) => kind !== 'sort' || dtypes.includes('int32'))
  for (let n = 1 + tape.pick(maxLaunches); n > 0; n--) {
    state.used.clear()
    state.launches.push(...makers[tape.of(chosen)](state))
  }
  const { buffers, launches } = state
  const written = buffers.flatMap((_, id) => (launches.some(writes(id)) ? [id] : [])).reverse()
  const outputs = written.filter((_, index) => index === 0 || !tape.chance(3))
  if (tape.chance(10)) outputs.push(tape.pick(buffers.length))
  const inputs = buffers.flatMap(({ data }, id) => (data === undefined ? [] : [id]))
  return {
    program: {
      buffers: buffers.map(({ spec }) => spec),
      inputs,
      outputs,
      donated: inputs.flatMap((id, position) => ((buffers[id] as Buffer).donated ? [position] : [])),
      launches,
    },
    inputs: inputs.map((id) => (buffers[id] as Buffer).data as HostArray),
    tolerances: outputs.map((id) => {
      const { error, dtype } = (buffers[id] as Buffer).fact
      return isFloating(dtype) ? error : 0
    }),
  }
}

/** Programs of one to `maxLaunches` random launches (and the fills that their targets need). */
export const programCase = (options: ProgramOptions = {}): fc.Arbitrary<ProgramCase> =>
  fromTape(400, (tape) => build(tape, options))
