/** Generated applications of every primitive. */
import * as fc from 'fast-check'
import type { Dtype, Shape, Tensor } from '../../core/index.ts'
import type { primitives } from '../../core/index.ts'
import type { Primitive, PrimitiveName } from '../../core/index.ts'
import type { AttentionParams } from '../../core/primitives/attention.ts'
import type { NumberOptions, Values } from './number.ts'
import type { ShapeOptions } from './shape.ts'
import { broadcastable, shapes } from './shape.ts'
import { tensors } from './tensor.ts'

/** Arguments and parameters that a primitive accepts. */
export interface Application<P = unknown> {
  readonly inputs: readonly Tensor[]
  readonly params: P
}

/** What is wanted of the arguments. */
export interface Wish {
  /** The dtype of the arguments whose dtype is free. */
  readonly dtype: Dtype
  /** What they are filled with; by default what the primitive is smooth at. */
  readonly values?: Values
  readonly shape?: ShapeOptions
}

/** How a primitive's applications are made. */
export interface Generator<P> {
  /** The dtypes that the free arguments can have. */
  readonly dtypes: readonly Dtype[]
  readonly applications: (wish: Wish) => fc.Arbitrary<Application<P>>
  /** Whether outputs are convex or concave in the inputs, so that slopes at kinks have bounds. */
  readonly kinked?: boolean
}

type ParamsOf<T> = T extends Primitive<infer P> ? P : never

/** A generator for every primitive: one that is missing is an error of the type check. */
export type Generators = { readonly [N in PrimitiveName]: Generator<ParamsOf<(typeof primitives)[N]>> }

type None = Readonly<Record<string, never>>

const floats: readonly Dtype[] = ['float32', 'float64']
const integers: readonly Dtype[] = ['int32', 'uint32']
const numeric: readonly Dtype[] = [...floats, ...integers]
const every: readonly Dtype[] = [...numeric, 'bool']

const filled = (
  { dtype, values }: Wish,
  shape: Shape | fc.Arbitrary<Shape>,
  numbers: NumberOptions = {},
): fc.Arbitrary<Tensor> =>
  tensors({ shape, dtype, ...numbers, ...(values === undefined ? {} : { values, avoid: [] }) })

/** One argument of any shape. */
const unary = (
  numbers: NumberOptions = {},
  dtypes: readonly Dtype[] = floats,
  more: Partial<Generator<None>> = {},
): Generator<None> => ({
  dtypes,
  applications: (wish) => filled(wish, shapes(wish.shape), numbers).map((x) => ({ inputs: [x], params: {} })),
  ...more,
})

const together = (
  arguments_: readonly ((shape: Shape) => fc.Arbitrary<Tensor>)[],
  shape: ShapeOptions | undefined,
): fc.Arbitrary<readonly Tensor[]> =>
  broadcastable(arguments_.length, shape).chain((own) =>
    fc.tuple(...arguments_.map((argument, i) => argument(own[i] as Shape))),
  )

/** Two arguments whose shapes broadcast. */
const binary = (
  numbers: readonly [NumberOptions, NumberOptions] = [{}, {}],
  dtypes: readonly Dtype[] = numeric,
  more: Partial<Generator<None>> = {},
): Generator<None> => ({
  dtypes,
  applications: (wish) =>
    together(
      numbers.map((own) => (shape) => filled(wish, shape, own)),
      wish.shape,
    ).map((inputs) => ({ inputs, params: {} })),
  ...more,
})

const even: Values = 'distinct'
/** Between those of `distinct`. */
const offset: NonNullable<NumberOptions['values']> = fc
  .integer({ min: -24, max: 24 })
  .map((n) => n / 8 - 1 / 32)

/** Two arguments of which no elements are nearly equal. */
const apart = (dtypes: readonly Dtype[], kinked = false): Generator<None> =>
  binary(
    [
      // Multiples of 1/8 plus 1/32, and those plus 1/16.
      { values: even },
      { values: offset },
    ],
    dtypes,
    { kinked },
  )

const integerLike = (dtypes: readonly Dtype[]): Generator<None> => ({
  dtypes,
  applications: (wish) =>
    together(
      [0, 1].map(() => (shape) => tensors({ shape, dtype: wish.dtype, values: wish.values ?? 'ordinary' })),
      wish.shape,
    ).map((inputs) => ({ inputs, params: {} })),
})

const axisOf = (shape: Shape): fc.Arbitrary<number> => fc.nat(Math.max(0, shape.length - 1))

const axesOf = (shape: Shape): fc.Arbitrary<readonly number[]> => fc.subarray(shape.map((_, axis) => axis))

const withShape = <P>(
  options: ShapeOptions | undefined,
  more: ShapeOptions,
  make: (shape: Shape) => fc.Arbitrary<Application<P>>,
): fc.Arbitrary<Application<P>> => shapes({ ...options, ...more }).chain(make)

const reduction = (
  dtypes: readonly Dtype[],
  empty: boolean,
  numbers: NumberOptions = {},
  kinked = false,
): Generator<{ readonly axes: readonly number[] }> => ({
  dtypes,
  kinked,
  applications: (wish) =>
    withShape(wish.shape, empty ? {} : { minSize: 1 }, (shape) =>
      fc.record({
        inputs: fc.tuple(filled(wish, shape, numbers)),
        params: fc.record({ axes: axesOf(shape) }),
      }),
    ),
})

const rows = (numbers: NumberOptions = {}): Generator<None> => ({
  dtypes: floats,
  applications: (wish) =>
    withShape(wish.shape, { minRank: 1, minSize: 1 }, (shape) =>
      filled(wish, shape, numbers).map((x) => ({ inputs: [x], params: {} })),
    ),
})

const indices = (shape: Shape, size: number): fc.Arbitrary<Tensor> =>
  tensors({ shape, dtype: 'int32', values: fc.integer({ min: 0, max: Math.max(0, size - 1) }) })

interface Looked {
  readonly operand: Shape
  readonly indices: Shape
  readonly params: { readonly axis: number; readonly batchAxes: number }
}

/** An operand, indices into one of its axes, and leading axes that go together. */
const lookup = (options: ShapeOptions | undefined): fc.Arbitrary<Looked> =>
  shapes({ maxRank: 3, ...options, minRank: 1, minSize: 1 }).chain((operand) =>
    axisOf(operand).chain((axis) =>
      fc.tuple(fc.nat(axis), shapes({ maxRank: 2, maxSize: 3 })).map(([batchAxes, own]) => ({
        operand,
        indices: [...operand.slice(0, batchAxes), ...own],
        params: { axis, batchAxes },
      })),
    ),
  )

const gatheredShape = ({ operand, indices: own, params: { axis, batchAxes } }: Looked): Shape => [
  ...operand.slice(0, axis),
  ...own.slice(batchAxes),
  ...operand.slice(axis + 1),
]

/** A base and updates for some of its positions. */
const scattered = (
  dtypes: readonly Dtype[],
  numbers: NumberOptions = {},
): Generator<{ readonly axis: number; readonly batchAxes: number }> => ({
  dtypes,
  applications: (wish) =>
    lookup(wish.shape).chain((looked) =>
      fc
        .tuple(
          // Never equal to an update where values are distinct.
          filled(wish, looked.operand, numbers.values === undefined ? {} : { values: offset }),
          indices(looked.indices, looked.operand[looked.params.axis] as number),
          filled(wish, gatheredShape(looked), numbers),
        )
        .map((inputs) => ({ inputs, params: looked.params })),
    ),
})

const words = (count: number): ((shape: Shape) => fc.Arbitrary<Tensor>)[] =>
  Array.from(
    { length: count },
    () => (shape: Shape) =>
      tensors({
        shape,
        dtype: 'uint32',
        values: fc.oneof(
          fc.nat(9),
          fc.nat().map((n) => n * 2),
        ),
      }),
  )

const perAxis = <T>(shape: Shape, one: (size: number) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.tuple(...shape.map(one))

/** Sizes of parts that add up to a size. */
const cuts = (size: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.nat(size), { maxLength: 2 }).map((marks) => {
    const sorted = [0, ...marks.sort((a, b) => a - b), size]
    return sorted.slice(1).map((mark, i) => mark - (sorted[i] as number))
  })

/** The inputs of attention (or of its gradient), and parameters that go with them. */
const attending = (wish: Wish, gradient: boolean): fc.Arbitrary<Application<AttentionParams>> =>
  fc
    .record({
      sizes: fc.tuple(
        fc.nat(2),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        fc.nat(3),
        fc.nat(3),
      ),
      rank: fc.nat(2),
      causal: fc.constantFrom(null, 0, 1, -1),
      masked: fc.boolean(),
      rate: fc.constantFrom(0, 0, 0.25, 0.5),
      flat: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
      lead: fc.nat(2),
    })
    .chain(({ sizes: [size, queries, keys, width, valueWidth], rank, causal, masked, rate, flat, lead }) => {
      const batch = [size, 2].slice(0, rank)
      const rows = [...batch, queries]
      const mask = [...rows, keys].map((n, i) => (flat[i] === true ? 1 : n))
      const [key] = words(1) as [(shape: Shape) => fc.Arbitrary<Tensor>]
      const parts = [
        filled(wish, [...rows, width]),
        filled(wish, [...batch, keys, width]),
        filled(wish, [...batch, keys, valueWidth]),
        ...(gradient ? [filled(wish, [...rows, valueWidth]), filled(wish, rows), filled(wish, rows)] : []),
        ...(masked ? [tensors({ shape: mask, dtype: 'bool' })] : []),
        ...(rate > 0 ? [key([...batch.slice(0, lead), 2])] : []),
      ]
      return fc.tuple(...parts).map((inputs) => ({ inputs, params: { scale: 0.5, causal, masked, rate } }))
    })

export const generators: Generators = {
  neg: unary({}, numeric),
  abs: unary({ avoid: [0] }, numeric, { kinked: true }),
  sign: unary({ avoid: [0] }, numeric),
  exp: unary(),
  expm1: unary(),
  log: unary({ values: 'positive' }),
  log1p: unary({ values: 'positive' }),
  sqrt: unary({ values: 'positive' }),
  rsqrt: unary({ values: 'positive' }),
  sin: unary(),
  cos: unary(),
  tanh: unary(),
  sigmoid: unary(),
  erf: unary(),
  erfInv: unary({ values: 'unit' }),
  floor: unary({ avoid: [-3, -2, -1, 0, 1, 2, 3] }),
  ceil: unary({ avoid: [-3, -2, -1, 0, 1, 2, 3] }),
  round: unary({ avoid: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5] }),
  logicalNot: unary({}, ['bool', 'int32', 'uint32']),
  isFinite: unary(),
  isNaN: unary(),
  stopGradient: unary({}, every),

  add: binary(),
  sub: binary(),
  mul: binary(),
  div: binary([{}, { avoid: [0], margin: 0.25 }], floats),
  remainder: binary([{ values: 'unit' }, { values: fc.constantFrom(1.25, -1.5, 2, 0.999) }]),
  pow: binary([{ values: 'positive' }, {}], floats),
  maximum: apart([...numeric, 'bool'], true),
  minimum: apart([...numeric, 'bool'], true),
  atan2: binary([{ values: 'positive' }, { avoid: [0] }], floats),
  equal: apart(every),
  notEqual: apart(every),
  less: apart(every),
  lessEqual: apart(every),
  greater: apart(every),
  greaterEqual: apart(every),
  bitwiseAnd: integerLike([...integers, 'bool']),
  bitwiseOr: integerLike([...integers, 'bool']),
  bitwiseXor: integerLike([...integers, 'bool']),
  shiftLeft: integerLike(integers),
  shiftRight: integerLike(integers),

  select: {
    dtypes: every,
    applications: (wish) =>
      together(
        [
          (shape) => tensors({ shape, dtype: 'bool' }),
          (shape) => filled(wish, shape),
          (shape) => filled(wish, shape),
        ],
        wish.shape,
      ).map((inputs) => ({ inputs, params: {} })),
  },
  cast: {
    dtypes: every,
    applications: (wish) =>
      fc.record({
        inputs: fc.tuple(filled(wish, shapes(wish.shape), { avoid: [-2, -1, 0, 1, 2] })),
        // In float64, so that differences are those of float64.
        params: fc.record({
          dtype: wish.dtype === 'float64' ? fc.constant('float64' as const) : fc.constantFrom(...every),
        }),
      }),
  },
  // Between integers it is a cast, and the model is not told which dtype it is given.
  bitcastConvertType: {
    dtypes: ['float32', 'int32', 'uint32'],
    applications: (wish) =>
      fc.record({
        inputs: fc.tuple(filled(wish, shapes(wish.shape))),
        params: fc.record({
          dtype:
            wish.dtype === 'float32'
              ? fc.constantFrom('int32' as const, 'uint32' as const)
              : fc.constant('float32' as const),
        }),
      }),
  },
  threefry: {
    dtypes: ['uint32'],
    applications: ({ shape }) =>
      fc.record({
        inputs: together(words(4), shape),
        params: fc.record({ word: fc.constantFrom<0 | 1 | 'xor'>(0, 1, 'xor') }),
      }),
  },

  broadcastTo: {
    dtypes: every,
    applications: (wish) =>
      broadcastable(1, wish.shape).chain(([own]) =>
        fc
          .tuple(
            filled(wish, own as Shape),
            shapes({ maxRank: 2 }),
            perAxis(own as Shape, () => fc.integer({ min: 0, max: 3 })),
          )
          .map(([x, lead, grown]) => ({
            inputs: [x],
            params: {
              shape: [
                ...lead,
                ...(own as Shape).map((size, i) => (size === 1 ? (grown[i] as number) : size)),
              ],
            },
          })),
      ),
  },
  reshape: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, {}, (shape) =>
        fc.record({ inputs: fc.tuple(filled(wish, shape)), params: fc.record({ shape: reshapes(shape) }) }),
      ),
  },
  transpose: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, {}, (shape) =>
        fc.record({
          inputs: fc.tuple(filled(wish, shape)),
          params: fc.record({
            permutation: fc.shuffledSubarray(
              shape.map((_, axis) => axis),
              { minLength: shape.length },
            ),
          }),
        }),
      ),
  },
  slice: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, {}, (shape) =>
        fc
          .tuple(
            filled(wish, shape),
            perAxis(shape, (size) => fc.tuple(fc.nat(size), fc.nat(size), fc.integer({ min: 1, max: 3 }))),
          )
          .map(([x, parts]) => ({
            inputs: [x],
            params: {
              start: parts.map(([a, b]) => Math.min(a, b)),
              limit: parts.map(([a, b]) => Math.max(a, b)),
              step: parts.map(([, , step]) => step),
            },
          })),
      ),
  },
  pad: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, {}, (shape) =>
        fc.record({
          inputs: fc.tuple(filled(wish, shape), filled(wish, [])),
          params: fc.record({
            low: perAxis(shape, () => fc.nat(2)),
            high: perAxis(shape, () => fc.nat(2)),
            interior: perAxis(shape, () => fc.nat(2)),
          }),
        }),
      ),
  },
  concatenate: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1 }, (shape) =>
        axisOf(shape).chain((axis) =>
          fc
            .array(fc.nat(3), { minLength: 1, maxLength: 3 })
            .chain((sizes) =>
              fc.tuple(
                ...sizes.map((size) =>
                  filled(
                    wish,
                    shape.map((n, i) => (i === axis ? size : n)),
                  ),
                ),
              ),
            )
            .map((inputs) => ({ inputs, params: { axis } })),
        ),
      ),
  },
  split: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1 }, (shape) =>
        axisOf(shape).chain((axis) =>
          fc.record({
            inputs: fc.tuple(filled(wish, shape)),
            params: fc.record({ axis: fc.constant(axis), sizes: cuts(shape[axis] as number) }),
          }),
        ),
      ),
  },
  reverse: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, {}, (shape) =>
        fc.record({ inputs: fc.tuple(filled(wish, shape)), params: fc.record({ axes: axesOf(shape) }) }),
      ),
  },
  barrier: {
    dtypes: every,
    applications: (wish) =>
      fc
        .array(shapes(wish.shape), { minLength: 1, maxLength: 3 })
        .chain((all) => fc.tuple(...all.map((shape) => filled(wish, shape))))
        .map((inputs) => ({ inputs, params: {} })),
  },
  iota: {
    dtypes: ['int32'],
    applications: (wish) =>
      shapes({ ...wish.shape, minRank: 1 }).chain((shape) =>
        axisOf(shape).map((axis) => ({ inputs: [], params: { shape, axis } })),
      ),
  },

  reduceSum: reduction(numeric, true),
  reduceProd: reduction(numeric, true),
  reduceMax: reduction(every, false, { values: even }, true),
  reduceMin: reduction(every, false, { values: even }, true),
  argMax: reduction(every, false, { values: even }),
  argMin: reduction(every, false, { values: even }),
  cumulative: {
    dtypes: numeric,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1 }, (shape) =>
        fc.record({
          inputs: fc.tuple(filled(wish, shape, { values: even })),
          params: fc.record({
            op: fc.constantFrom<'sum' | 'prod' | 'max' | 'min'>('sum', 'prod', 'max', 'min'),
            axis: axisOf(shape),
            reverse: fc.boolean(),
          }),
        }),
      ),
  },

  softmax: rows(),
  logSoftmax: rows(),
  logSumExp: rows(),
  logSoftmaxAt: {
    dtypes: floats,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1, minSize: 1 }, (shape) =>
        fc
          .tuple(filled(wish, shape), indices(shape.slice(0, -1), shape.at(-1) as number))
          .map((inputs) => ({ inputs, params: {} })),
      ),
  },
  standardise: {
    dtypes: floats,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1, minSize: 1 }, (shape) =>
        fc.record({
          inputs: fc.tuple(filled(wish, shape)),
          params: fc.record({ center: fc.boolean(), epsilon: fc.constantFrom(1e-5, 0.1) }),
        }),
      ),
  },

  gather: {
    dtypes: every,
    applications: (wish) =>
      lookup(wish.shape).chain((looked) =>
        fc
          .tuple(
            filled(wish, looked.operand),
            indices(looked.indices, looked.operand[looked.params.axis] as number),
          )
          .map((inputs) => ({ inputs, params: looked.params })),
      ),
  },
  scatterAdd: scattered(numeric),
  scatterSet: scattered(every),
  scatterMax: scattered(every, { values: even }),
  scatterMin: scattered(every, { values: even }),
  matmul: {
    dtypes: floats,
    applications: (wish) =>
      fc
        .tuple(
          shapes({ maxRank: 2, maxSize: 3, ...wish.shape }),
          shapes({ maxSize: 5, ...wish.shape, minRank: 3, maxRank: 3 }),
        )
        .chain(([batch, [rows = 1, inner = 1, columns = 1]]) =>
          fc.tuple(filled(wish, [...batch, rows, inner]), filled(wish, [...batch, inner, columns])),
        )
        .map((inputs) => ({ inputs, params: {} })),
  },
  attention: { dtypes: floats, applications: (wish) => attending(wish, false) },
  attentionGradient: { dtypes: floats, applications: (wish) => attending(wish, true) },
  argSort: {
    dtypes: every,
    applications: (wish) =>
      withShape(wish.shape, { minRank: 1 }, (shape) =>
        fc.record({
          inputs: fc.tuple(filled(wish, shape, { values: even })),
          params: fc.record({ axis: axisOf(shape), descending: fc.boolean() }),
        }),
      ),
  },
}

/** Shapes with the same number of elements: axes merged, cut, and axes of size 1 put in between. */
function reshapes(shape: Shape): fc.Arbitrary<Shape> {
  const size = shape.reduce((n, axis) => n * axis, 1)
  const factors: Shape[] = [[size], shape, [...shape].reverse(), [1, ...shape], [...shape, 1]]
  if (shape.length > 1)
    factors.push(
      [(shape[0] as number) * (shape[1] as number), ...shape.slice(2)],
      [...shape.slice(0, -2), (shape.at(-2) as number) * (shape.at(-1) as number)],
    )
  for (const divisor of [2, 3])
    if (size > 0 && size % divisor === 0)
      factors.push([divisor, size / divisor], [size / divisor, 1, divisor])
  if (size === 0) factors.push([0, 3], [2, 0, 5])
  if (size === 1) factors.push([])
  return fc.constantFrom(...factors)
}

/**
 * Applications of a primitive by its name.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { applications } from 'pullback/spec'
 * const products = applications('matmul', { dtype: 'float32' })
 * const [application] = fc.sample(products, { numRuns: 1, seed: 1 })
 * console.log(Object.keys(application ?? {})) // => ['inputs', 'params']
 * ```
 */
export const applications = (name: PrimitiveName, wish: Wish): fc.Arbitrary<Application> =>
  generators[name].applications(wish)

/**
 * The names of the primitives that `applications` knows.
 *
 * @example
 * ```ts
 * import { primitiveNames } from 'pullback/spec'
 * console.log(primitiveNames.includes('matmul')) // => true
 * ```
 */
export const primitiveNames = Object.keys(generators) as PrimitiveName[]
