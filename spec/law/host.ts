/** Tensors' numbers on the host, where laws compute with them. */
import { fromArray, isTensor, toArray, tree } from '../../core/index.ts'
import type { Engine, HostArray, Shape, Tensor } from '../../core/index.ts'
import { hostArray, isFloating, sizeOf } from '../../kernels/index.ts'

/** The function of a flat list of tensors behind a function of trees, and that list. */
export interface Flat {
  readonly inputs: readonly Tensor[]
  readonly paths: readonly string[]
  /** The positions of floating-point tensors. */
  readonly floats: readonly number[]
  readonly args: (inputs: readonly Tensor[]) => readonly unknown[]
}

export const flat = (args: readonly unknown[]): Flat => {
  const [inputs, structure] = tree.flatten(args)
  return {
    inputs,
    paths: tree.pathsOf(args),
    floats: inputs.flatMap(({ dtype }, i) => (isFloating(dtype) ? [i] : [])),
    args: (values) => structure.unflatten(values) as readonly unknown[],
  }
}

/** A tensor of float64 numbers. */
export const float64 = (data: Float64Array, shape: Shape): Tensor => fromArray(data, shape)

/** The numbers in float64. */
export const numbersOf = async (x: Tensor): Promise<Float64Array> => Float64Array.from(await toArray(x))

export const allNumbers = (tensors: readonly Tensor[]): Promise<readonly Float64Array[]> =>
  Promise.all(tensors.map(numbersOf))

/** Σ aᵢ bᵢ over lists of arrays, and Σ |aᵢ bᵢ|. */
export const dot = (
  a: readonly Float64Array[],
  b: readonly Float64Array[],
): { readonly sum: number; readonly size: number } => {
  let [sum, size] = [0, 0]
  a.forEach((left, k) => {
    const right = b[k] as Float64Array
    for (let i = 0; i < left.length; i++) {
      const term = (left[i] as number) * (right[i] as number)
      sum += term
      size += Math.abs(term)
    }
  })
  return { sum, size }
}

/** Random numbers in [-1, -1/2] and [1/2, 1]: every element counts. (mulberry32) */
export const directions = (seed: number): ((count: number) => Float64Array) => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return (count) => Float64Array.from({ length: count }, () => (next() < 0.5 ? -1 : 1) * (0.5 + next() / 2))
}

/** A tensor like `x` with other numbers. */
export const like = (x: Tensor, numbers: ArrayLike<number>): Tensor => {
  const data: HostArray = hostArray(x.dtype, sizeOf(x.shape))
  data.set(numbers)
  return fromArray(data, x.shape)
}

/** The tree with its tensors on another engine, read and uploaded as they are. */
export const onEngine = async <T>(value: T, engine: Engine): Promise<T> => {
  const all = tree.leaves(value)
  const moved = await Promise.all(
    all.map(async (x) => fromArray((await toArray(x)) as HostArray, x.shape, { engine })),
  )
  let i = 0
  return tree.map(() => moved[i++], value)
}

/** The tensors of a result. */
export const leavesOf = (result: unknown): readonly Tensor[] =>
  isTensor(result) ? [result] : tree.leaves(result)
