/** Reference tensors from spec/fixtures, and comparison with them. */
import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import * as assert from 'uvu/assert'
import { fromArray, toArraySync } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsTensor } from '../../core/safetensors.ts'

const folder = new URL('../fixtures/', import.meta.url)

export const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'))

/** The tensors of a safetensors file; 64-bit integers become int32. */
export const readTensors = (path: string): ReadonlyMap<string, Tensor> => {
  const read = decodeSafetensors(readFileSync(new URL(path, folder)))
  if (E.isLeft(read)) throw new Error(read.left)
  return new Map([...read.right.tensors].map(([name, one]) => [name, asTensor(one)]))
}

const asTensor = ({ dtype, shape, data }: SafetensorsTensor): Tensor => {
  switch (dtype) {
    case 'F32':
    case 'F64':
    case 'I32':
      return fromArray(data, shape)
    case 'I64':
      return fromArray(Int32Array.from(data, Number), shape)
    default:
      throw new Error(`no tensor of ${dtype}`)
  }
}

/** The tensor of a name that must be there. */
export const named = (tensors: ReadonlyMap<string, Tensor>, name: string): Tensor => {
  const found = tensors.get(name)
  if (found === undefined) throw new Error(`the fixture has no ${name}`)
  return found
}

/** Element by element within `absolute + relative · |expected|`; NaN equals NaN. */
export const assertClose = (
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  what: string,
  { relative = 1e-5, absolute = 1e-6 }: { readonly relative?: number; readonly absolute?: number } = {},
): void => {
  const numbers = (x: Tensor | ArrayLike<number>): ArrayLike<number> => ('dtype' in x ? toArraySync(x) : x)
  if ('dtype' in actual && 'dtype' in expected) assert.equal(actual.shape, expected.shape, what)
  const [a, b] = [numbers(actual), numbers(expected)]
  assert.is(a.length, b.length, what)
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    if (!(Math.abs(x - y) <= absolute + relative * Math.abs(y)) && !Object.is(x, y))
      assert.unreachable(`${what}: element ${i} is ${x}, expected ${y}`)
  }
}
