/** Tensors from numbers, and numbers from tensors. */
import type { Dtype, Engine, HostArray, HostArrays } from '../kernels/index.ts'
import { dtypeOf, dtypes, hostArray, sizeOf } from '../kernels/index.ts'
import { defaultEngine } from './engine.ts'
import { PullbackError, argumentError, checkOptions, describe, shapeError } from './error.ts'
import type { Shape } from './shape.ts'
import { sameShape } from './shape.ts'
import { Concrete, Literal, known } from './tensor.ts'
import type { Tensor } from './tensor.ts'
import { nextTurn } from './turn.ts'
import type { DtypeOfNested, ShapeOfNested } from './type.ts'
import { literalMemory } from './eager.ts'

/** Numbers (or booleans) nested as the axes are. */
export type Nested = number | boolean | readonly Nested[]

export interface TensorOptions<D extends Dtype> {
  readonly dtype?: D
  readonly engine?: Engine
}

const shapeOfNested = (data: Nested): Shape => {
  if (!Array.isArray(data)) return []
  const parts = (data as readonly Nested[]).map(shapeOfNested)
  const [first] = parts
  for (const [i, shape] of parts.entries())
    if (!sameShape(shape, first as Shape))
      throw shapeError('tensor', `rows must have one shape; row 0 and row ${i} differ`, first as Shape, shape)
  return [parts.length, ...(first ?? [])]
}

const fill = (data: Nested, into: HostArray, at: number): number => {
  if (!Array.isArray(data)) {
    if (typeof data !== 'number' && typeof data !== 'boolean') throw notNested(data)
    into[at] = into instanceof Uint8Array ? Number(Number(data) !== 0) : Number(data)
    return at + 1
  }
  for (const part of data as readonly Nested[]) at = fill(part, into, at)
  return at
}

const notNested = (data: unknown): PullbackError =>
  argumentError(
    'tensor',
    `expected numbers or booleans, nested as the axes are, got ${describe(data)}${ArrayBuffer.isView(data) ? '; fromArray(data, shape) takes it' : ''}`,
  )

const checkDtype = (dtype: Dtype | undefined): void => {
  if (dtype !== undefined && !dtypes.includes(dtype))
    throw argumentError('tensor', `there is no dtype ${String(dtype)}, there are ${dtypes.join(', ')}`)
}

const firstNumber = (data: Nested): number | boolean | undefined =>
  Array.isArray(data)
    ? (data as readonly Nested[]).map(firstNumber).find((x) => x !== undefined)
    : (data as number)

/**
 * A tensor of nested numbers: float32, or bool where they are booleans, unless a dtype is given.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * console.log(tensor([[1, 2, 3], [4, 5, 6]]).shape) // [ 2, 3 ]
 * ```
 */
export const tensor = <const N extends Nested, D extends Dtype = DtypeOfNested<N>>(
  data: N,
  options: TensorOptions<D> = {},
): Tensor<ShapeOfNested<N>, D> => {
  checkOptions('tensor', options, ['dtype', 'engine'])
  checkDtype(options.dtype)
  const shape = shapeOfNested(data)
  const dtype = options.dtype ?? (typeof firstNumber(data) === 'boolean' ? 'bool' : 'float32')
  const array = hostArray(dtype, sizeOf(shape))
  fill(data, array, 0)
  const engine = options.engine ?? defaultEngine()
  return new Concrete(shape, dtype as D, engine, upload(engine, array)) as never
}

const upload = (engine: Engine, data: HostArray): ReturnType<Engine['upload']> => {
  const dtype = dtypeOf(data) as Dtype
  if (!engine.supports(dtype))
    throw new PullbackError({
      tag: 'engine',
      operation: 'tensor',
      detail: `the ${engine.name} engine has no ${dtype}; use another dtype, or the reference engine`,
    })
  // Engines take it for granted that a bool is 0 or 1.
  if (dtype === 'bool' && data.some((x) => x > 1)) return engine.upload(data.map((x) => Number(x !== 0)))
  return engine.upload(data)
}

/**
 * A tensor of the numbers of a typed array (copied), in row-major order; the array's type is the dtype.
 *
 * @example
 * ```ts
 * import { fromArray } from 'pullback'
 * console.log(fromArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3])) // => int32[2, 3] [[1, 2, 3], [4, 5, 6]]
 * ```
 */
export const fromArray = <const S extends Shape, A extends HostArray>(
  data: A,
  shape: S,
  options: { readonly engine?: Engine } = {},
): Tensor<S, { [D in Dtype]: A extends HostArrays[D] ? D : never }[Dtype]> => {
  checkOptions('fromArray', options, ['engine'])
  if (sizeOf(shape) !== data.length)
    throw shapeError('fromArray', `${data.length} numbers do not fill the shape`, shape)
  const dtype = dtypeOf(data)
  if (dtype === undefined)
    throw argumentError(
      'fromArray',
      'expected a Float32Array, Float64Array, Int32Array, Uint32Array or Uint8Array',
    )
  const engine = options.engine ?? defaultEngine()
  return new Concrete(shape, dtype, engine, upload(engine, data)) as never
}

const concrete = (operation: string, x: Tensor): Concrete | Literal => {
  const value = known(x)
  if (value instanceof Concrete || value instanceof Literal) return value
  throw new PullbackError({
    tag: 'escaped',
    operation,
    detail: `this ${x.toString()} has no value while a function is traced; return it from the compiled function and read it there, or use where instead of if`,
  })
}

/**
 * The numbers of a tensor, row-major. Timers and signals have their turn meanwhile, so that a loop that awaits its
 * results can be ended.
 *
 * @example
 * ```ts
 * import { tensor, toArray } from 'pullback'
 * console.log(await toArray(tensor([[1, 2], [3, 4]]))) // => Float32Array(4) [1, 2, 3, 4]
 * ```
 */
export const toArray = <D extends Dtype>(x: Tensor<Shape, D>): Promise<HostArrays[D]> => read('toArray', x)

/** Reads in the name of an operation. */
const read = async <D extends Dtype>(operation: string, x: Tensor<Shape, D>): Promise<HostArrays[D]> => {
  const value = concrete(operation, x)
  if (value instanceof Literal) return readSync(operation, x)
  const { engine } = value
  const numbers = (await engine.read(value.memory(operation))) as HostArrays[D]
  // Such engines are never waited for.
  if (engine.readSync !== undefined) await nextTurn()
  return numbers
}

/**
 * The numbers of a tensor, row-major, at once; an error on an engine that can only be awaited.
 *
 * @example
 * ```ts
 * import { tensor, toArraySync } from 'pullback'
 * console.log(toArraySync(tensor([[1, 2], [3, 4]]))) // => Float32Array(4) [1, 2, 3, 4]
 * ```
 */
export const toArraySync = <D extends Dtype>(x: Tensor<Shape, D>): HostArrays[D] => readSync('toArraySync', x)

const readSync = <D extends Dtype>(operation: string, x: Tensor<Shape, D>): HostArrays[D] => {
  const value = concrete(operation, x)
  const engine = value instanceof Literal ? defaultEngine() : value.engine
  if (engine.readSync === undefined)
    throw new PullbackError({
      tag: 'engine',
      operation,
      detail: `the ${engine.name} engine cannot be read at once; await item(x) or toArray(x)`,
    })
  const memory = value instanceof Literal ? literalMemory(value, engine) : value.memory(operation)
  return engine.readSync(memory) as HostArrays[D]
}

/** The numbers of a tensor, where they can be read at once: not of one that is traced, nor on engines that are awaited. */
export const numbersIfKnown = (operation: string, x: Tensor): HostArray | undefined => {
  const value = known(x)
  return value instanceof Concrete ? value.engine.readSync?.(value.memory(operation)) : undefined
}

const single = (operation: string, x: Tensor): void => {
  if (sizeOf(x.shape) !== 1) throw shapeError(operation, 'the tensor must have one element', x.shape)
}

/**
 * The number in a tensor of one element.
 *
 * @example
 * ```ts
 * import { item, sum, tensor } from 'pullback'
 * console.log(await item(sum(tensor([1, 2, 3])))) // => 6
 * ```
 */
export const item = async (x: Tensor): Promise<number> => {
  single('item', x)
  return (await read('item', x))[0] as number
}

/**
 * The number in a tensor of one element, at once.
 *
 * @example
 * ```ts
 * import { itemSync, sum, tensor } from 'pullback'
 * console.log(itemSync(sum(tensor([1, 2, 3])))) // => 6
 * ```
 */
export const itemSync = (x: Tensor): number => {
  single('itemSync', x)
  return readSync('itemSync', x)[0] as number
}

/**
 * The numbers nested as the axes are.
 *
 * @example
 * ```ts
 * import { tensor, toNested } from 'pullback'
 * console.log(await toNested(tensor([[1, 2], [3, 4]]))) // => [[1, 2], [3, 4]]
 * ```
 */
export const toNested = async (x: Tensor): Promise<Nested> => nest(await read('toNested', x), x.shape)

const nest = (data: HostArray, shape: Shape): Nested => {
  const build = (axis: number, at: number): Nested => {
    if (axis === shape.length) return data[at] as number
    const step = sizeOf(shape.slice(axis + 1))
    return Array.from({ length: shape[axis] as number }, (_, i) => build(axis + 1, at + i * step))
  }
  return build(0, 0)
}

/**
 * The tensor on another engine.
 *
 * @example
 * ```ts
 * import { referenceEngine } from 'pullback/kernels'
 * import { tensor, transfer } from 'pullback'
 * console.log(await transfer(tensor([1, 2]), referenceEngine())) // => float32[2] [1, 2]
 * ```
 */
export const transfer = async <S extends Shape, D extends Dtype>(
  x: Tensor<S, D>,
  engine: Engine,
): Promise<Tensor<S, D>> => new Concrete(x.shape, x.dtype, engine, upload(engine, await toArray(x)))
