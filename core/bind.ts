import type { Primitive } from './primitive.ts'
import { evaluate } from './eager.ts'
import type { Tensor, Trace } from './tensor.ts'
import { Tracer } from './tensor.ts'

/**
 * The running transformations. Levels order them: an operation goes to the innermost one it touches. A
 * staging trace (`jit`) takes every operation that happens while it is open, also on constants.
 */
let depth = 0
let staging: Trace | undefined

/** Runs `f` with a new innermost level. */
export const withLevel = <A>(f: (level: number) => A): A => {
  depth++
  try {
    return f(depth)
  } finally {
    depth--
  }
}

/** Runs `f` while `trace` records every operation of its level and below. */
export const whileStaging = <A>(trace: Trace, f: () => A): A => {
  const before = staging
  staging = trace
  try {
    return f()
  } finally {
    staging = before
  }
}

/** Runs `f` with a transformation's trace, which takes no operation afterwards. */
export const whileOpen = <A>(trace: { open: boolean }, f: () => A): A => {
  try {
    return f()
  } finally {
    trace.open = false
  }
}

/** Whether a `jit` is recording now. */
export const isStaging = (): boolean => staging !== undefined

/**
 * Applies a primitive: the one door through which every operation goes.
 *
 * @example
 * ```ts
 * import { bind, primitives, tensor } from 'pullback'
 * console.log(bind(primitives.add, [tensor([1]), tensor([2])], {})) // => [float32[1] [3]]
 * ```
 */
export const bind = <P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): readonly Tensor[] => {
  let top = staging
  for (const input of inputs)
    if (input instanceof Tracer && (top === undefined || input.trace.level > top.level)) top = input.trace
  return top === undefined
    ? evaluate(primitive, inputs, params)
    : top.process({ primitive, inputs, params, outputs: primitive.shape(inputs, params) })
}

/** `bind` of a primitive with one output. */
export const bind1 = <P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor =>
  bind(primitive, inputs, params)[0] as Tensor
