/** Operations of a user's own: a kernel, the shape of its result, and its derivative. */
import type { Dtype } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import { PullbackError, argumentError, checkOptions, dtypeError } from '../error.ts'
import { asTensor } from '../function/basic.ts'
import { whole } from '../lower/lazy.ts'
import { contiguousBuffer } from '../lower/lower.ts'
import type { BatchSite, Operations, Primitive, VjpSite } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { isTensor } from '../tensor.ts'
import type { DtypeOf, Operand, ShapeOf } from '../type.ts'
import type { Kernel } from './kernel.ts'
import { kernelSource, withConstants } from './kernel.ts'

/** What a custom derivative is told, besides the inputs. */
export interface CustomSite {
  /** The cotangent of the output, of its shape and dtype. */
  readonly cotangent: Tensor
  readonly output: Tensor
  /** Which inputs' cotangents are wanted; `undefined` may stand for the others. */
  readonly needs: readonly boolean[]
}

/** What a custom batching rule is told, besides the inputs; batched ones have the batch as axis 0. */
export interface CustomBatch {
  readonly size: number
  readonly batched: readonly boolean[]
}

export interface CustomOperation {
  /** What it is called in errors and printed graphs. */
  readonly name: string
  /**
   * An ordinary function (no arrow, no method) or its source, which gives the element `this.thread.x` of the
   * output. It is compiled by itself: it sees its inputs and `this.constants`, and `Math`.
   */
  readonly kernel: Kernel | string
  /** The result's shape, from the inputs' shapes and dtypes; the first input's by default. May throw to refuse. */
  readonly shape?: (...inputs: readonly Aval[]) => Shape
  /** The result's dtype; the first input's by default. */
  readonly dtype?: Dtype | ((...inputs: readonly Aval[]) => Dtype)
  /** Numbers that depend on shapes, such as the length of a row, for `this.constants`. */
  readonly constants?: (...inputs: readonly Aval[]) => Readonly<Record<string, number>>
  /**
   * The inputs' cotangents, written with functions of tensors, so that they can be differentiated again.
   * `'none'`: the derivative is zero. Left out: differentiating is an error.
   */
  readonly vjp?:
    'none' | ((site: CustomSite, ...inputs: readonly Tensor[]) => readonly (Tensor | undefined)[])
  /**
   * How a batch is computed under `vmap`. `'loop'`, the default: one example after the other, always right.
   * `'leading'`: in one call, for kernels that treat any axes in front of their own alike, as elementwise and
   * row-wise ones do. Or a rule that gives the output with the batch as axis 0.
   */
  readonly batch?: 'loop' | 'leading' | ((site: CustomBatch, ...inputs: readonly Tensor[]) => Tensor)
}

/** The function that an operation is. Its result's type is what `shape` is declared to give, or the first input's. */
type Custom<O> = <I extends readonly Operand[]>(...inputs: I) => Tensor<CustomShape<O, I>, CustomDtype<O, I>>

type CustomShape<O, I extends readonly unknown[]> = O extends {
  readonly shape: (...inputs: never) => infer S extends Shape
}
  ? S
  : ShapeOf<I[0]>

type CustomDtype<O, I extends readonly unknown[]> = O extends { readonly dtype: infer D }
  ? D extends Dtype
    ? D
    : Dtype
  : I[0] extends Tensor
    ? DtypeOf<I[0]>
    : Dtype

type Params = Readonly<Record<string, never>>

let count = 0

const checkCotangents = (
  name: string,
  results: readonly (Tensor | undefined)[],
  inputs: readonly Tensor[],
): readonly (Tensor | undefined)[] => {
  const given: unknown = results
  if (!Array.isArray(given) || given.length !== inputs.length)
    throw argumentError(
      name,
      `its vjp must give a list of ${inputs.length} cotangents, one for each input, got ${Array.isArray(given) ? given.length : typeof given}`,
    )
  given.forEach((result: unknown, i) => {
    const { shape, dtype } = inputs[i] as Tensor
    if (result === undefined) return
    if (!isTensor(result))
      throw argumentError(
        name,
        `cotangent ${i} of its vjp must be a tensor or undefined, got ${typeof result}`,
      )
    if (!sameShape(result.shape, shape))
      throw new PullbackError({
        tag: 'shape',
        operation: name,
        detail: `cotangent ${i} of its vjp must have the shape of input ${i}`,
        shapes: [shape, result.shape],
      })
    if (result.dtype !== dtype)
      throw dtypeError(
        name,
        `cotangent ${i} of its vjp must have the dtype of input ${i}`,
        dtype,
        result.dtype,
      )
  })
  return results
}

const vjpOf = (name: string, rule: CustomOperation['vjp']): Primitive<Params>['vjp'] => {
  if (rule === 'none') return 'none'
  return (_, { cotangents: [g], inputs, outputs: [y], needs }: VjpSite<Params>) => {
    if (rule === undefined)
      throw argumentError(
        name,
        "it has no derivative; give customOperation a vjp ('none' where it is zero), or keep the gradient away with stopGradient",
      )
    const site = { cotangent: g as Tensor, output: y as Tensor, needs }
    return checkCotangents(name, rule(site, ...inputs), inputs)
  }
}

const batchOf =
  (rule: CustomOperation['batch'], self: () => Primitive<Params>): Primitive<Params>['batch'] =>
  (ops: Operations, { inputs, batched, size, params }: BatchSite<Params>) => {
    if (typeof rule === 'function') return [rule({ size, batched }, ...inputs)]
    if (rule === 'leading') {
      const wide = inputs.map((x, i) => (batched[i] === true ? x : ops.broadcastTo(x, [size, ...x.shape])))
      return ops.bind(self(), wide, params)
    }
    const each = Array.from({ length: size }, (_, example) =>
      bind1(
        self(),
        inputs.map((x, i) => (batched[i] === true ? ops.at(x, example) : x)),
        params,
      ),
    )
    if (each.length > 0) return [ops.stack(each)]
    const one = inputs.map((x, i) => ({ ...x, shape: batched[i] === true ? x.shape.slice(1) : x.shape }))
    const [out] = self().shape(one, params) as [Aval]
    return [ops.zeros([0, ...out.shape], out.dtype)]
  }

const primitiveOf = (operation: CustomOperation): Primitive<Params> => {
  const { name, shape = ({ shape }) => shape, dtype, constants } = operation
  const source = kernelSource(name, operation.kernel)
  const id = count++
  const dtypeFor = (inputs: readonly Aval[]): Dtype =>
    (typeof dtype === 'function' ? dtype(...inputs) : dtype) ?? (inputs[0] as Aval).dtype
  const self: Primitive<Params> = {
    name,
    key: () => `${name} of customOperation ${id}`,
    shape: (inputs) => {
      if (inputs.length === 0) throw argumentError(name, 'it takes at least one input')
      const own = shape(...(inputs as [Aval, ...Aval[]]))
      if (!Array.isArray(own) || own.some((size) => !Number.isSafeInteger(size) || size < 0))
        throw argumentError(name, `its shape must be a list of sizes, got ${JSON.stringify(own)}`)
      return [{ shape: own, dtype: dtypeFor(inputs) }]
    },
    vjp: vjpOf(name, operation.vjp),
    batch: batchOf(operation.batch, () => self),
    lower: ({ inputs, outputs: [out], builder }) => {
      const { shape, dtype } = out as Aval
      const size = sizeOf(shape)
      const ids = inputs.map((x) => contiguousBuffer(x, builder))
      const target = builder.buffer(dtype, size)
      const baked = withConstants(name, source, constants?.(...inputs) ?? {})
      builder.emit({ kind: 'custom', source: baked, inputs: ids, target, size })
      return [whole(target, shape, dtype)]
    },
  }
  return self
}

/**
 * A differentiable operation made of a kernel of your own. The result is a function of tensors (numbers among
 * its arguments take the dtype of the first tensor) and works in every transformation and on every engine: on
 * `gpujs` gpu.js compiles the kernel, elsewhere it runs as JavaScript; `jit(f).plan(...).onHost` tells. Define
 * it once, at the top of a module: each definition is compiled for itself.
 *
 * @throws PullbackError where the kernel is no ordinary function, or uses names from outside.
 *
 * @example
 * ```ts
 * import { grad, mul, sub, sum, tensor, toArray } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const logistic = customOperation({
 *   name: 'logistic',
 *   kernel: function (x) {
 *     return 1 / (1 + Math.exp(-x[this.thread.x]!))
 *   },
 *   vjp: ({ cotangent, output }) => [mul(cotangent, mul(output, sub(1, output)))],
 *   batch: 'leading',
 * })
 * const x = tensor([0, 1])
 * console.log(await toArray(logistic(x))) // 0.5, 0.731…
 * console.log(await toArray(grad((x: Tensor) => sum(logistic(x)))(x))) // 0.25, 0.196…
 * ```
 */
export const customOperation = <const O extends CustomOperation>(operation: O): Custom<O> => {
  checkOptions('customOperation', operation, [
    'name',
    'kernel',
    'shape',
    'dtype',
    'constants',
    'vjp',
    'batch',
  ])
  const primitive = primitiveOf(operation)
  return ((...inputs: readonly Operand[]) => {
    const dtype = inputs.find(isTensor)?.dtype ?? 'float32'
    return bind1(
      primitive,
      inputs.map((x) => asTensor(x, dtype)),
      {},
    )
  }) as Custom<O>
}
