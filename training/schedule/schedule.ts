/** What a schedule is, and how one formula serves numbers and traced tensors alike. */
import {
  Tensor,
  add,
  cast,
  cos,
  div,
  floor,
  less,
  maximum,
  minimum,
  mul,
  pow,
  sqrt,
  sub,
  where,
} from '../../core/index.ts'

/**
 * A number (a learning rate, a momentum …) as a pure function of the step, 0 before the first update. A plain
 * number gives a plain number, to print or plot; a scalar tensor gives a float32 scalar, so that a compiled step
 * contains its schedule and is never compiled again.
 */
export interface Schedule {
  (step: number): number
  (step: Tensor): Tensor
}

/** The arithmetic in which schedules are written. */
export interface Arithmetic<T> {
  readonly add: (a: T | number, b: T | number) => T
  readonly sub: (a: T | number, b: T | number) => T
  readonly mul: (a: T | number, b: T | number) => T
  readonly div: (a: T | number, b: T | number) => T
  readonly pow: (a: T | number, b: T | number) => T
  readonly minimum: (a: T | number, b: T | number) => T
  readonly maximum: (a: T | number, b: T | number) => T
  readonly sqrt: (a: T) => T
  readonly cos: (a: T) => T
  readonly floor: (a: T) => T
  /** `a < b ? x : y`; both are computed. */
  readonly whereLess: (a: T | number, b: T | number, x: T | number, y: T | number) => T
}

const ofNumbers: Arithmetic<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  minimum: Math.min,
  maximum: Math.max,
  sqrt: Math.sqrt,
  cos: Math.cos,
  floor: Math.floor,
  whereLess: (a, b, x, y) => (a < b ? x : y),
}

const ofTensors: Arithmetic<Tensor> = {
  add,
  sub,
  mul,
  div,
  pow,
  minimum,
  maximum,
  sqrt,
  cos,
  floor,
  whereLess: (a, b, x, y) => where(less(a, b), x, y),
}

/**
 * A schedule from a formula.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * const halving = schedule.makeSchedule(({ pow, div }) => (step) => pow(0.5, div(step, 100)))
 * console.log(halving(200)) // 0.25
 * ```
 */
export const makeSchedule = (formula: <T>(arithmetic: Arithmetic<T>) => (step: T) => T): Schedule => {
  const onNumber = formula(ofNumbers)
  const onTensor = formula(ofTensors)
  return ((step: number | Tensor) =>
    step instanceof Tensor ? onTensor(cast(step, 'float32')) : onNumber(step)) as Schedule
}

/**
 * The schedule that is the same number at every step; a schedule is returned as it is.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * console.log(schedule.asSchedule(0.1)(1000)) // => 0.1
 * ```
 */
export const asSchedule = (rate: number | Schedule): Schedule =>
  typeof rate === 'number'
    ? makeSchedule(
        ({ mul, add }) =>
          (step) =>
            add(mul(step, 0), rate),
      )
    : rate

/**
 * One schedule until `boundary`, then another, whose own steps begin at 0 there.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * const rate = schedule.join(schedule.constant(1), 2, schedule.exponential({ initial: 1, gamma: 0.5 }))
 * console.log([0, 1, 2, 3, 4].map((step) => rate(step))) // => [1, 1, 1, 0.5, 0.25]
 * ```
 */
export const join = (first: Schedule, boundary: number, second: Schedule): Schedule =>
  ((step: number | Tensor) => {
    if (typeof step === 'number') return step < boundary ? first(step) : second(step - boundary)
    return where(less(step, boundary), first(step), second(maximum(sub(step, boundary), 0)))
  }) as Schedule

/**
 * The schedule multiplied by a factor.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * console.log(schedule.scale(2)(schedule.constant(0.5))(0)) // => 1
 * ```
 */
export const scale =
  (factor: number) =>
  (schedule: Schedule): Schedule =>
    ((step: number | Tensor) =>
      typeof step === 'number' ? schedule(step) * factor : mul(schedule(step), factor)) as Schedule
