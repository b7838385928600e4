/** Trees of tensors that should be the same. */
import * as assert from 'uvu/assert'
import { toArray, tree } from '../../core/index.ts'

/**
 * How far float32 results may be from PyTorch's, relative to 1 or the largest element: a few times the
 * rounding of both.
 */
export const tolerance = 3e-6

/** Trees of one structure and shapes, whose numbers are the same to rounding. */
export const assertSame = async (actual: unknown, expected: unknown, what: string): Promise<void> => {
  const [got, wanted] = [tree.entries(actual), tree.entries(expected)]
  assert.equal(got.map(String), wanted.map(String), `${what}: paths and shapes`)
  for (const [i, [path, x]] of got.entries()) {
    const [a, b] = [await toArray(x), await toArray((wanted[i] as (typeof wanted)[number])[1])]
    let scale = 1
    for (const value of b) scale = Math.max(scale, Math.abs(value))
    a.forEach((value, j) => {
      if (!(Math.abs(value - (b[j] as number)) <= tolerance * scale))
        assert.unreachable(`${what} ${path}[${j}]: expected ${b[j]}, got ${value}`)
    })
  }
}
