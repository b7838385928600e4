/** Laws about single operations of the scalar language, on every value that is likely to go wrong. */
import type {
  BinaryOp,
  Body,
  Dtype,
  Engine,
  HostArray,
  Launch,
  Program,
  ScalarOp,
  UnaryOp,
} from '../../kernels/index.ts'
import {
  accepts,
  binaryDtype,
  binaryOps,
  hostArray,
  isFloating,
  isWord,
  referenceEngine,
  unaryDtype,
  unaryOps,
} from '../../kernels/index.ts'
import { roundoff } from '../arbitrary/fact.ts'
import { assertClose } from './engine.ts'

/** Units in the last place that an operation may be off by; those not named are exact. */
export type Ulps = Readonly<Partial<Record<UnaryOp | BinaryOp, number>>>

/** What elementary functions of a good library reach, with some room. Sine and cosine are off absolutely. */
export const operationUlps: Ulps = {
  exp: 4,
  expm1: 4,
  log: 4,
  log1p: 4,
  sin: 4,
  cos: 4,
  tanh: 8,
  sigmoid: 8,
  erf: 8,
  erfInv: 16,
  rsqrt: 2,
  pow: 16,
  atan2: 4,
}

/** Ordinary and extreme values; subnormal ones are left out, as GPUs may flush them to zero. */
const floats = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3, -7, 0.1, -0.3, 0.9999999, 1.0000001, 1e-7, -1e-7, 1e-20,
  6.02, -12.75, 30, -30, 88.5, -87, 100, -100, 12345.678, 16777216, 2147483648, -2147483649, 4294967296, 1e20,
  -1e30,
]
const specials = [Infinity, -Infinity, NaN]
const integers = [
  0, 1, -1, 2, -2, 3, 7, -10, 31, 32, 33, 100, 65535, 16777217, -16777219, 2147483647, -2147483648,
]

const gridOf = (dtype: Dtype, special: boolean): readonly number[] => {
  if (isFloating(dtype)) return special ? [...floats, ...specials] : floats
  return dtype === 'bool' ? [0, 1] : integers
}

const fill = (dtype: Dtype, values: readonly number[]): HostArray => {
  const array = hostArray(dtype, values.length)
  array.set(dtype === 'uint32' ? values.map((value) => value >>> 0) : values)
  return array
}

const mapOf = (body: Body, size: number): Launch => ({
  kind: 'map',
  shape: [size],
  operands: body.flatMap((op) =>
    op.op === 'read' ? [{ kind: 'buffer' as const, buffer: op.index, strides: [1], offset: 0 }] : [],
  ),
  body,
  outputs: [
    {
      target: { buffer: body.filter(({ op }) => op === 'read').length, strides: [1], offset: 0 },
      value: body.length - 1,
    },
  ],
})

const check = async (
  engine: Engine,
  reference: Engine,
  last: ScalarOp,
  inputs: readonly HostArray[],
  dtypes: readonly Dtype[],
  ulps: number,
  flushes: boolean,
  where: string,
): Promise<void> => {
  const size = (inputs[0] as HostArray).length
  const reads: ScalarOp[] = dtypes.map((dtype, index) => ({ op: 'read', index, dtype }))
  const program: Program = {
    buffers: [...dtypes, last.dtype].map((dtype) => ({ dtype, size })),
    inputs: inputs.map((_, index) => index),
    outputs: [inputs.length],
    donated: [],
    launches: [mapOf([...reads, last], size)],
  }
  const run = async (on: Engine): Promise<HostArray> => {
    const memories = inputs.map(on.upload)
    const results = on.compile(program).run(memories)
    const result = await on.read(results[0] as (typeof results)[number])
    for (const memory of [...memories, ...results]) on.release(memory)
    return result
  }
  const expected = await run(reference)
  const actual = await run(engine)
  const unit = roundoff(last.dtype)
  const smallest = last.dtype === 'float64' ? 2 ** -1022 : 2 ** -126
  for (let i = 0; i < size; i++) {
    const value = expected[i] as number
    const magnitude = where.startsWith('sin') || where.startsWith('cos') ? 1 : Math.abs(value)
    const tolerance =
      isFloating(last.dtype) && Number.isFinite(value)
        ? 2 * ulps * unit * magnitude + (ulps > 0 || flushes ? smallest : 0)
        : 0
    const at = `${engine.name}: ${where} of ${inputs.map((input) => input[i]).join(' and ')}`
    assertClose(actual.subarray(i, i + 1), expected.subarray(i, i + 1), tolerance, at)
  }
}

export interface OperationOptions {
  readonly ulps?: Ulps
  /** Whether NaN and infinities are tried as well. */
  readonly special?: boolean
  /** Whether results that are subnormal numbers may be 0, as on GPUs. */
  readonly flushes?: boolean
}

/**
 * Law: each operation gives what the reference gives, within `ulps` units in the last place, on ordinary and
 * extreme values of every dtype that the engine supports, and each conversion likewise.
 */
export const operationsAgree = async (
  engine: Engine,
  { ulps = operationUlps, special = true, flushes = false }: OperationOptions = {},
  reference: Engine = referenceEngine(),
): Promise<void> => {
  const dtypes = (['float32', 'float64', 'int32', 'uint32', 'bool'] as const).filter(engine.supports)
  for (const dtype of dtypes) {
    const grid = gridOf(dtype, special)
    for (const op of unaryOps)
      if (accepts(op, dtype)) {
        const last: ScalarOp = { op, args: [0], dtype: unaryDtype(op, dtype) }
        await check(
          engine,
          reference,
          last,
          [fill(dtype, grid)],
          [dtype],
          ulps[op] ?? 0,
          flushes,
          `${op} ${dtype}`,
        )
      }
    const left = fill(
      dtype,
      grid.flatMap((x) => grid.map(() => x)),
    )
    const right = fill(
      dtype,
      grid.flatMap(() => grid),
    )
    for (const op of binaryOps)
      if (accepts(op, dtype)) {
        const last: ScalarOp = { op, args: [0, 1], dtype: binaryDtype(op, dtype) }
        await check(
          engine,
          reference,
          last,
          [left, right],
          [dtype, dtype],
          ulps[op] ?? 0,
          flushes,
          `${op} ${dtype}`,
        )
      }
    for (const op of ['cast', 'bitcast'] as const)
      for (const to of dtypes) {
        if (op === 'bitcast' && !(isWord(dtype) && isWord(to))) continue
        const last: ScalarOp = { op, args: [0], dtype: to }
        // The bits of a NaN are no matter of the law, and -1 and some others are the bits of one.
        const values = op === 'cast' ? grid : grid.filter((x) => !isNaN(x))
        const where = `${op} from ${dtype} to ${to}`
        await check(engine, reference, last, [fill(dtype, values)], [dtype], 0, flushes, where)
      }
  }
}

const rows = [
  [1, 3, 2, 3, -1],
  [NaN, 1, 2, 0, 5],
  [1, 2, NaN, 7, NaN],
  [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
  [Infinity, 3, Infinity, -Infinity, 0],
  [0, 0, -0, 0, 0],
] as const

/**
 * Law: folds, scans and sorts of rows with ties, NaN and infinities agree with the reference exactly: max and
 * min propagate NaN, the first extreme element (or the first NaN) is the one found, NaN sorts last.
 */
export const specialRowsAgree = async (
  engine: Engine,
  reference: Engine = referenceEngine(),
): Promise<void> => {
  const [outer, length] = [rows.length, rows[0].length]
  const size = outer * length
  const view = (buffer: number, strides: readonly number[]) => ({ buffer, strides, offset: 0 })
  const folds = (['max', 'min', 'argmax', 'argmin'] as const).map((op) => ({ op, value: 0 }))
  const launches: readonly Launch[] = [
    {
      kind: 'reduce',
      outer: [outer],
      inner: [length],
      operands: [{ kind: 'buffer', ...view(0, [length, 1]) }],
      body: [
        { op: 'read', index: 0, dtype: 'float32' },
        ...folds.map((_, index): ScalarOp => ({ op: 'fold', index, dtype: index < 2 ? 'float32' : 'int32' })),
      ],
      folds,
      outputs: folds.map((_, index) => ({ over: 'outer', value: index + 1, target: view(1 + index, [1]) })),
    },
    ...[false, true].map((descending, index): Launch => ({
      kind: 'sort',
      outer: [outer],
      length,
      descending,
      input: view(0, [length, 1]),
      target: view(5 + index, [length, 1]),
    })),
    ...(['max', 'min'] as const).map((op, index): Launch => ({
      kind: 'scan',
      op,
      outer: [outer],
      length,
      reverse: false,
      input: view(0, [length, 1]),
      target: view(7 + index, [length, 1]),
    })),
  ]
  const dtypes: readonly Dtype[] = [
    'float32',
    'float32',
    'int32',
    'int32',
    'int32',
    'int32',
    'float32',
    'float32',
  ]
  const program: Program = {
    buffers: [
      { dtype: 'float32', size },
      ...dtypes.map((dtype, index) => ({ dtype, size: index < 4 ? outer : size })),
    ],
    inputs: [0],
    outputs: dtypes.map((_, index) => index + 1),
    donated: [],
    launches,
  }
  const run = async (on: Engine): Promise<readonly HostArray[]> => {
    const input = on.upload(Float32Array.from(rows.flat()))
    const results = on.compile(program).run([input])
    const read = await Promise.all(results.map(on.read))
    for (const memory of [input, ...results]) on.release(memory)
    return read
  }
  const expected = await run(reference)
  const names = ['max', 'min', 'argmax', 'argmin', 'ascending', 'descending', 'running max', 'running min']
  for (const [index, actual] of (await run(engine)).entries())
    assertClose(actual, expected[index] as HostArray, 0, `${engine.name}: ${names[index]}`)
}
