/**
 * Forward mode. A primitive's record has one derivative, its vjp, which is linear in the cotangent; the
 * transpose of that linear map is the jvp, so forward mode is reverse mode applied to the vjp rule.
 */
import { isFloating } from '../../kernels/index.ts'
import { tensorsOf } from '../argument.ts'
import { bind, whileOpen, withLevel } from '../bind.ts'
import { argumentError, escapedError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Primitive, Pushed } from '../primitive.ts'
import type { Application, Trace, Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import { ValueTracer, checkLike } from './tracer.ts'
import { linearised, vjp } from './vjp.ts'

class JvpTracer extends ValueTracer {
  readonly trace: JvpTrace
  readonly tangent: Tensor

  constructor(trace: JvpTrace, value: Tensor, tangent: Tensor) {
    super(value)
    this.trace = trace
    this.tangent = tangent
  }
}

class JvpTrace implements Trace {
  readonly level: number
  open = true

  constructor(level: number) {
    this.level = level
  }

  own(x: Tensor): x is JvpTracer {
    return x instanceof JvpTracer && x.trace === this
  }

  process({ primitive, inputs, params }: Application): readonly Tensor[] {
    if (!this.open) throw escapedError(primitive.name, 'differentiated')
    const record = primitive as Primitive
    const values = inputs.map((x) => (this.own(x) ? x.value : x))
    const tangents = inputs.map((x) => (this.own(x) && isFloating(x.dtype) ? x.tangent : undefined))
    if (tangents.every((tangent) => tangent === undefined)) return bind(record, values, params)
    const pushed =
      record.jvp?.(functions, { inputs: values, tangents, params }) ??
      transposed(record, values, tangents, params)
    return pushed.outputs.map((out, i) => {
      if (!isFloating(out.dtype)) return out
      const tangent = pushed.tangents[i]
      return tangent === undefined ? out : new JvpTracer(this, out, tangent)
    })
  }
}

/** The outputs, and their tangents by the transpose of the pullback. */
const transposed = (
  record: Primitive,
  inputs: readonly Tensor[],
  tangents: readonly (Tensor | undefined)[],
  params: unknown,
): Pushed => {
  const needs = tangents.map((tangent) => tangent !== undefined)
  const { outputs, pullback } = linearised(record, inputs, params, needs)
  const smooth = outputs.map(({ dtype }) => isFloating(dtype))
  if (pullback === undefined || !smooth.includes(true)) return { outputs, tangents: [] }
  const seeds = outputs.filter((_, i) => smooth[i]).map((out) => functions.zerosLike(out))
  const linear = vjp(
    (...cotangents: Tensor[]) => {
      let next = 0
      const results = pullback(smooth.map((is) => (is ? cotangents[next++] : undefined)))
      return inputs.flatMap((value, i) =>
        needs[i] === true ? [results[i] ?? functions.zerosLike(value)] : [],
      )
    },
    ...seeds,
  )
  const pushed = linear.pullback(tangents.filter((tangent) => tangent !== undefined))
  let next = 0
  return { outputs, tangents: smooth.map((is) => (is ? pushed[next++] : undefined)) }
}

/**
 * The value of `f` at `primals`, a list of its arguments (trees of tensors), and its directional derivative along
 * `tangents`, of the same structure and shapes: two trees as `f` returns them. Where an output does not depend on what
 * moves, or is an integer, its tangent is zero.
 *
 * @throws PullbackError when tangents have another structure, other shapes or other dtypes than the primals.
 * @example
 * ```ts
 * import { item, jvp, sin, tensor } from 'pullback'
 * const [, slope] = jvp(sin, [tensor(0)], [tensor(1)])
 * console.log(await item(slope)) // => 1
 * ```
 */
export const jvp = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  primals: A,
  tangents: A,
): readonly [value: B, tangent: B] => {
  const [values, structure] = tensorsOf(primals)
  const [directions, same] = tensorsOf(tangents)
  if (same.key !== structure.key)
    throw argumentError('jvp', 'tangents must have the structure of the primals')
  return withLevel((level) => {
    const trace = new JvpTrace(level)
    const inputs = values.map((value, i) => {
      const tangent = directions[i] as Tensor
      checkLike('jvp', ['a tangent', 'primal'], tangent, value)
      return isFloating(value.dtype) ? new JvpTracer(trace, value, tangent) : value
    })
    const result = whileOpen(trace, () => f(...(structure.unflatten(inputs) as A)))
    return [
      tree.map((x) => (trace.own(x) ? x.value : x), result),
      tree.map((x) => (trace.own(x) ? x.tangent : functions.zerosLike(x)), result),
    ]
  })
}
