import type { Dtype, HostArray } from '../dtype.ts'

/** Elements of a memory as a typed array, until it grows. */
export const viewOf = (
  { buffer }: WebAssembly.Memory,
  dtype: Dtype,
  address: number,
  size: number,
): HostArray => {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, address, size)
    case 'float64':
      return new Float64Array(buffer, address, size)
    case 'int32':
      return new Int32Array(buffer, address, size)
    case 'uint32':
      return new Uint32Array(buffer, address, size)
    case 'bool':
      return new Uint8Array(buffer, address, size)
  }
}
