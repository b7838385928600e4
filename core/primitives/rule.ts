import type { Lazy, Node } from '../lower/lazy.ts'
import { broadcastView } from '../lower/view.ts'
import type { BatchSite, LowerSite, Operations, Primitive } from '../primitive.ts'
import type { Aval, Tensor } from '../tensor.ts'

/** Applies a primitive from inside a rule. Rules get `bind` with their operations, and so import no trace. */
export const bind = <P>(
  ops: Operations,
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
): readonly Tensor[] => ops.bind(primitive, inputs, params)

/** `bind` of a primitive with one output. */
export const bind1 = <P>(
  ops: Operations,
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
): Tensor => ops.bind(primitive, inputs, params)[0] as Tensor

/** The batching rule of everything elementwise: batched inputs get axes of size 1 behind the batch. */
export const batchElementwise =
  <P>(primitive: () => Primitive<P>) =>
  (ops: Operations, { inputs, batched, params, size }: BatchSite<P>): readonly Tensor[] => {
    const ranks = inputs.map((x, i) => x.shape.length - (batched[i] === true ? 1 : 0))
    const rank = Math.max(...ranks)
    const aligned = inputs.map((x, i) => {
      if (batched[i] !== true || ranks[i] === rank) return x
      const ones = new Array<number>(rank - (ranks[i] as number)).fill(1)
      return ops.reshape(x, [size, ...ones, ...x.shape.slice(1)])
    })
    return bind(ops, primitive(), aligned, params)
  }

/** Lowers an elementwise operation: broadcasts the inputs and puts one expression on them. */
export const lowerElementwise =
  <P>(make: (args: readonly Node[], params: P) => Node) =>
  ({ inputs, outputs, params, builder }: LowerSite<P>): readonly Lazy[] => {
    const { shape, dtype } = outputs[0] as Aval
    const args = inputs.map((input) => broadcastView(input, shape, builder).node)
    return [{ shape, dtype, node: make(args, params) }]
  }
