/** The element types a buffer can hold. `bool` is one byte, 0 or 1. */
export type Dtype = 'float32' | 'float64' | 'int32' | 'uint32' | 'bool'

/** The typed array that holds a dtype on the host. */
export interface HostArrays {
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly int32: Int32Array
  readonly uint32: Uint32Array
  readonly bool: Uint8Array
}

export type HostArray = HostArrays[Dtype]

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const

/**
 * The names of all dtypes.
 *
 * @example
 * ```ts
 * import { dtypes } from 'pullback/kernels'
 * console.log(dtypes) // => ['float32', 'float64', 'int32', 'uint32', 'bool']
 * ```
 */
export const dtypes: readonly Dtype[] = ['float32', 'float64', 'int32', 'uint32', 'bool']

/**
 * Bytes of one element.
 *
 * @example
 * ```ts
 * import { bytesOf } from 'pullback/kernels'
 * console.log(bytesOf('float32'), bytesOf('bool')) // => 4 1
 * ```
 */
export const bytesOf = (dtype: Dtype): number => constructors[dtype].BYTES_PER_ELEMENT

/**
 * A new host array of zeros.
 *
 * @example
 * ```ts
 * import { hostArray } from 'pullback/kernels'
 * console.log(hostArray('int32', 3)) // => Int32Array(3) [0, 0, 0]
 * ```
 */
export const hostArray = <D extends Dtype>(dtype: D, size: number): HostArrays[D] =>
  new constructors[dtype](size) as HostArrays[D]

/**
 * Whether the dtype is floating point, that is, differentiable.
 *
 * @example
 * ```ts
 * import { isFloating } from 'pullback/kernels'
 * console.log(isFloating('float64'), isFloating('int32')) // => true false
 * ```
 */
export const isFloating = (dtype: Dtype): boolean => dtype === 'float32' || dtype === 'float64'

/**
 * The dtype that a host array holds; `undefined` when it is none of ours.
 *
 * @example
 * ```ts
 * import { dtypeOf } from 'pullback/kernels'
 * console.log(dtypeOf(new Float32Array(2)), dtypeOf(new DataView(new ArrayBuffer(2))))
 * // => float32 undefined
 * ```
 */
export const dtypeOf = (array: ArrayBufferView): Dtype | undefined =>
  (Object.keys(constructors) as Dtype[]).find((dtype) => array instanceof constructors[dtype])
