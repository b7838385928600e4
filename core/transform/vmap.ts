/** Batching: a function of one example runs on tracers that hold the whole batch along axis 0. */
import { whileOpen, withLevel } from '../bind.ts'
import { argumentError, checkOptions, describe, escapedError, shapeError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Primitive } from '../primitive.ts'
import { normalAxis } from '../shape.ts'
import type { Application, Trace, Tensor } from '../tensor.ts'
import { Tracer } from '../tensor.ts'
import * as tree from '../tree.ts'
import type { BatchedArguments, BatchedResult, NoOptions, OptionOf } from '../type.ts'

class BatchTracer extends Tracer {
  readonly trace: BatchTrace
  /** The batch, along axis 0. */
  readonly value: Tensor
  override readonly known: undefined

  constructor(trace: BatchTrace, value: Tensor) {
    super(value.shape.slice(1), value.dtype)
    this.trace = trace
    this.value = value
  }
}

class BatchTrace implements Trace {
  readonly level: number
  readonly size: number
  open = true

  constructor(level: number, size: number) {
    this.level = level
    this.size = size
  }

  own(x: Tensor): x is BatchTracer {
    return x instanceof BatchTracer && x.trace === this
  }

  process({ primitive, inputs, params }: Application): readonly Tensor[] {
    if (!this.open) throw escapedError(primitive.name, 'batched')
    const batched = inputs.map((x) => this.own(x))
    const values = inputs.map((x) => (this.own(x) ? x.value : x))
    const outputs = (primitive as Primitive).batch(functions, {
      inputs: values,
      batched,
      size: this.size,
      params,
    })
    return outputs.map((value) => new BatchTracer(this, value))
  }
}

/** An axis for every leaf of an argument, or `null` for an argument that all examples share. */
export type BatchAxis = number | null

export interface VmapOptions {
  /** The batch axis of the arguments: one for all, or one for each. */
  readonly inAxes?: BatchAxis | readonly BatchAxis[]
  /** Where the batch axis stands in the results; `null` where they have none, as all examples share them. */
  readonly outAxes?: BatchAxis
}

/**
 * The function over batches of a function of single examples: every leaf of each argument has the examples
 * along its batch axis (0 by default), and so has every leaf of the result. Shapes inside `f` are those of one example.
 *
 * @throws PullbackError when batch axes are not there or of different sizes, no argument has one, `inAxes` names more or
 * fewer arguments than there are, or `outAxes` is `null` and the result differs from example to example.
 * @example
 * ```ts
 * import { grad, mul, tensor, vmap } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const square = (x: Tensor<[]>) => mul(x, x)
 * console.log(vmap(grad(square))(tensor([1, 2, 3]))) // => float32[3] [2, 4, 6]
 * ```
 */
export const vmap = <A extends readonly unknown[], B, const O extends VmapOptions = NoOptions>(
  f: (...args: A) => B,
  options?: O,
): ((...args: BatchedArguments<A, OptionOf<O, 'inAxes'>>) => BatchedResult<B, OptionOf<O, 'outAxes'>>) =>
  mapped(f as (...args: readonly unknown[]) => unknown, options) as never

/** Refuses what is no axis: JAX's trees of axes, say. */
const checkAxis = (name: string, axis: unknown): void => {
  if (typeof axis !== 'number' && axis !== null)
    throw argumentError(
      'vmap',
      `${name} must be a number for all leaves of an argument or result, got ${describe(axis)}; pass parts with other axes as arguments of their own`,
    )
}

/** The batch axis of each argument. */
const axesOf = (inAxes: VmapOptions['inAxes'], count: number): readonly BatchAxis[] => {
  const axes = Array.isArray(inAxes)
    ? (inAxes as readonly BatchAxis[])
    : Array.from({ length: count }, () => inAxes)
  if (axes.length !== count)
    throw argumentError(
      'vmap',
      `inAxes must have an axis, or null, for each of the ${count} arguments, got ${axes.length}: [${axes.join(', ')}]`,
    )
  for (const axis of axes) checkAxis('an axis of inAxes', axis)
  return axes as readonly BatchAxis[]
}

const mapped = (
  f: (...args: readonly unknown[]) => unknown,
  options: VmapOptions = {},
): ((...args: readonly unknown[]) => unknown) => {
  checkOptions('vmap', options, ['inAxes', 'outAxes'])
  const { inAxes = 0, outAxes = 0 } = options
  checkAxis('outAxes', outAxes)
  return (...args) => {
    const axes = axesOf(inAxes, args.length)
    const [, structure] = tree.flatten(args)
    const leaves = args.flatMap((arg, i) =>
      tree.leaves(arg).map((leaf) => ({ leaf, axis: axes[i] as BatchAxis })),
    )
    const moved = leaves.map(({ leaf, axis }) =>
      axis === null ? undefined : functions.moveAxis(leaf, normalAxis('vmap', axis, leaf.shape), 0),
    )
    const sized = moved.filter((x) => x !== undefined)
    const size = sized[0]?.shape[0]
    if (size === undefined)
      throw argumentError(
        'vmap',
        'no argument has a batch axis; give inAxes a number for at least one of them',
      )
    const odd = sized.find((x) => x.shape[0] !== size)
    if (odd !== undefined)
      throw shapeError('vmap', 'batch axes must have one size', (sized[0] as Tensor).shape, odd.shape)
    return withLevel((level) => {
      const trace = new BatchTrace(level, size)
      const inputs = leaves.map(({ leaf }, i) => {
        const batch = moved[i]
        return batch === undefined ? leaf : new BatchTracer(trace, batch)
      })
      return tree.map(
        (out) => {
          if (outAxes === null) {
            if (trace.own(out))
              throw argumentError(
                'vmap',
                `outAxes is null, but the result ${out.toString()} differs from example to example; give it an axis, or take its sum or mean over the examples outside`,
              )
            return out
          }
          const batch = trace.own(out) ? out.value : functions.broadcastTo(out, [size, ...out.shape])
          return functions.moveAxis(batch, 0, normalAxis('vmap, outAxes', outAxes, batch.shape))
        },
        whileOpen(trace, () => f(...(structure.unflatten(inputs) as readonly unknown[]))),
      )
    })
  }
}
