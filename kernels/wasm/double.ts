/** Four float32 numbers by way of float64, where that is cheaper than parts of float32: two at a time. */
import type { Code } from './code/index.ts'
import { f32x4, f64x2, shuffle32 } from './code/index.ts'
import type { Emitter } from './emitter.ts'

/** `f` of the lower and of the upper two lanes, as float64, rounded to float32 in the end. */
export const throughDouble = (
  e: Emitter,
  args: readonly Code[],
  f: (...halves: readonly Code[]) => Code,
): Code => {
  const lower = args.map((arg) => e.keep(f64x2.promoteF32(arg)))
  const upper = args.map((arg) => e.keep(f64x2.promoteF32(shuffle32(arg, arg, [2, 3, 2, 3]))))
  const [first, second] = [lower, upper].map((half) => e.keep(f32x4.demoteF64(f(...half)))) as [Code, Code]
  return e.keep(shuffle32(first, second, [0, 1, 4, 5]))
}

/** Horner's scheme in float64, highest coefficient first. */
export const hornerDouble = (e: Emitter, x: Code, coefficients: readonly number[]): Code =>
  coefficients
    .slice(1)
    .reduce<Code>((sum, c) => e.maddDouble(sum, x, e.f64(c)), e.f64(coefficients[0] as number))
