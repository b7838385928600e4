/** A scan as a `loop`: the carry stands in buffers that are overwritten, slices are gathered, results scattered. */
import { contiguous, sizeOf } from '../../../kernels/index.ts'
import type { BufferId, Step } from '../../../kernels/index.ts'
import { hasPending, serialise } from '../../lower/builder.ts'
import type { Builder } from '../../lower/builder.ts'
import { binaryNode, constant, constantNode, whole } from '../../lower/lazy.ts'
import type { Lazy } from '../../lower/lazy.ts'
import { lowerInto } from '../../lower/lower.ts'
import type { LowerSite } from '../../primitive.ts'
import type { Aval } from '../../tensor.ts'
import { assign, lowered, stable, variable } from '../memory.ts'
import { parts } from '../body.ts'
import type { ScanParams } from './params.ts'

/** The slice at the position that is in memory. */
const sliceAt = (x: Lazy, index: BufferId, builder: Builder): Lazy => {
  const view = builder.force(x)
  const [length = 0, ...shape] = x.shape
  const zeros = shape.map(() => 0)
  return {
    shape,
    dtype: x.dtype,
    node: {
      kind: 'leaf',
      dtype: x.dtype,
      operand: {
        kind: 'buffer',
        buffer: view.buffer,
        offset: view.offset,
        strides: view.strides.slice(1),
        at: [
          {
            index: { buffer: index, offset: 0, strides: zeros },
            stride: view.strides[0] as number,
            size: length,
          },
        ],
      },
    },
  }
}

const store = (value: Lazy, into: BufferId, length: number, index: BufferId, builder: Builder): void => {
  if (sizeOf(value.shape) === 0) return
  const settled = builder.settle(value)
  const { operands, body, values } = serialise([settled.node])
  const zeros = value.shape.map(() => 0)
  builder.emit({
    kind: 'scatter',
    op: 'set',
    shape: value.shape,
    operands,
    body,
    value: values[0] as number,
    target: { buffer: into, offset: 0, strides: contiguous(value.shape) },
    at: [{ index: { buffer: index, offset: 0, strides: zeros }, stride: sizeOf(value.shape), size: length }],
  })
}

export const lower = ({ inputs, params, outputs, builder }: LowerSite<ScanParams>): readonly Lazy[] => {
  const { body, carry, length, reverse } = params
  const [consts, first, slices] = parts(inputs, params)
  const fixed = consts.map((x) => stable(x, builder))
  const variables = first.map((x) => variable(x, builder))
  const results = outputs.slice(carry).map(({ shape, dtype }) => variable(constant(0, dtype, shape), builder))
  const index = variable(constant(reverse ? length - 1 : 0, 'int32'), builder)
  const views = length === 0 ? [] : slices.map((x) => sliceAt(x, index, builder))
  const states = variables.map((id, i) => whole(id, (first[i] as Lazy).shape, (first[i] as Lazy).dtype))
  const steps = (): readonly Step[] =>
    builder.inside(() => {
      const values = lowerInto(lowered(body), [...fixed, ...states, ...views], builder)
      // A launch that both a result and the carry wait for runs once.
      const known = values.map((value) => (hasPending(value) ? builder.store(value) : value))
      known.slice(carry).forEach((value, i) => store(value, results[i] as BufferId, length, index, builder))
      assign(variables, known.slice(0, carry), builder)
      const position = whole(index, [], 'int32')
      const moved = binaryNode('add', position.node, constantNode(reverse ? -1 : 1, 'int32'))
      builder.write({ ...position, node: moved }, { buffer: index, strides: [], offset: 0 })
    })
  if (length > 0) builder.emit({ kind: 'loop', count: length, launches: steps() })
  return [
    ...states,
    ...results.map((id, i) => {
      const { shape, dtype } = outputs[carry + i] as Aval
      return whole(id, shape, dtype)
    }),
  ]
}
