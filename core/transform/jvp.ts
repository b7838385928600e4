/**
 * Forward mode. A primitive's record has one derivative, its vjp, which is linear in the cotangent; the
 * transpose of that linear map is the jvp, so forward mode is reverse mode applied to the vjp rule.
 */
import { isFloating } from '../../kernels/index.ts'
import { bind, withLevel } from '../bind.ts'
import { PullbackError, argumentError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Primitive } from '../primitive.ts'
import { sameShape } from '../shape.ts'
import type { Application, Trace, Tensor } from '../tensor.ts'
import { Tracer } from '../tensor.ts'
import * as tree from '../tree.ts'
import { vjp } from './vjp.ts'

class JvpTracer extends Tracer {
  readonly trace: JvpTrace
  readonly value: Tensor
  override readonly known: Tensor
  readonly tangent: Tensor

  constructor(trace: JvpTrace, value: Tensor, tangent: Tensor) {
    super(value.shape, value.dtype)
    this.trace = trace
    this.value = value
    this.known = value
    this.tangent = tangent
  }
}

class JvpTrace implements Trace {
  readonly level: number

  constructor(level: number) {
    this.level = level
  }

  own(x: Tensor): x is JvpTracer {
    return x instanceof JvpTracer && x.trace === this
  }

  process({ primitive, inputs, params }: Application): readonly Tensor[] {
    const record = primitive as Primitive
    const values = inputs.map((x) => (this.own(x) ? x.value : x))
    const outputs = bind(record, values, params)
    const rule = record.vjp
    const moving = inputs.map((x) => this.own(x) && isFloating(x.dtype))
    if (rule === 'none' || !moving.includes(true)) return outputs
    const smooth = outputs.map(({ dtype }) => isFloating(dtype))
    const tangents = inputs.flatMap((x, i) => (moving[i] === true ? [(x as JvpTracer).tangent] : []))
    const seeds = outputs.filter((_, i) => smooth[i]).map((out) => functions.zerosLike(out))
    const transposed = vjp(
      (...cotangents: Tensor[]) => {
        let next = 0
        const given = smooth.map((is) => (is ? cotangents[next++] : undefined))
        const results = rule(functions, { cotangents: given, inputs: values, outputs, params, needs: moving })
        return values.flatMap((value, i) =>
          moving[i] === true ? [results[i] ?? functions.zerosLike(value)] : [],
        )
      },
      ...seeds,
    )
    const pushed = transposed.pullback(tangents)
    let next = 0
    return outputs.map((out, i) =>
      smooth[i] === true ? new JvpTracer(this, out, pushed[next++] as Tensor) : out,
    )
  }
}

/**
 * The value of `f` at `primals` and its directional derivative along `tangents`, trees of the same structure.
 *
 * @example
 * ```ts
 * import { item, jvp, sin, tensor } from 'pullback'
 * const [, slope] = jvp(sin, [tensor(0)], [tensor(1)])
 * console.log(await item(slope)) // 1
 * ```
 */
export const jvp = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  primals: A,
  tangents: A,
): readonly [value: B, tangent: B] => {
  const [values, structure] = tree.flatten(primals)
  const [directions, same] = tree.flatten(tangents)
  if (same.key !== structure.key)
    throw argumentError('jvp', 'tangents must have the structure of the primals')
  return withLevel((level) => {
    const trace = new JvpTrace(level)
    const inputs = values.map((value, i) => {
      const tangent = directions[i] as Tensor
      if (!sameShape(value.shape, tangent.shape))
        throw new PullbackError({
          tag: 'shape',
          operation: 'jvp',
          detail: 'a tangent must have the shape of its primal',
          shapes: [value.shape, tangent.shape],
        })
      return isFloating(value.dtype) ? new JvpTracer(trace, value, tangent) : value
    })
    const result = f(...(structure.unflatten(inputs) as A))
    return [
      tree.map((x) => (trace.own(x) ? x.value : x), result),
      tree.map((x) => (trace.own(x) ? x.tangent : functions.zerosLike(x)), result),
    ]
  })
}
