/** Walks along one row of a result: four floats at a time, then what is left of it. */
import { i32, set, v128 } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import type { Emitter } from '../emitter.ts'
import { upTo } from '../gemm.ts'

/** Walks `width` floats in vectors: `at` counts bytes, `visit` gets how many lanes there are. */
export const overWidth = (e: Emitter, at: number, width: number, visit: (count: number) => void): void => {
  const whole = 4 * (width - (width % 4))
  e.push(set(at, i32.const(0)))
  if (whole > 0) upTo(e, at, i32.const(whole), i32.const(16), () => visit(4))
  if (width % 4 > 0) visit(width % 4)
}

/** Writes the first `count` lanes. */
export const storeSome = (e: Emitter, to: Code, value: Code, count: number): void => {
  if (count === 4) e.push(v128.store(to, value))
  else for (let lane = 0; lane < count; lane++) e.push(v128.store32Lane(to, value, lane, 4 * lane))
}
