/** What lowering rules of row functions share: folds along the last axis, and outputs made of them. */
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { FoldOp } from '../../kernels/index.ts'
import type { LowerSite } from '../primitive.ts'
import { serialise } from './builder.ts'
import type { Lazy, Node } from './lazy.ts'
import { binaryNode, constantNode, unaryNode, whole } from './lazy.ts'

/** A fold, and the node by which later folds and outputs refer to its result. */
export interface RowFold {
  readonly op: FoldOp
  readonly value: Node
  readonly result: Node
}

export const makeFold = (op: FoldOp, value: Node): RowFold => ({
  op,
  value,
  // Any node of its own will do as a name; `serialise` writes it as a fold.
  result: { kind: 'constant', value: NaN, dtype: value.dtype },
})

export interface RowOutput {
  readonly node: Node
  readonly over: 'outer' | 'all'
}

/** One reduce launch over the last axis, each output in a buffer of its own. */
export const emitRows = (
  { outputs, builder }: Pick<LowerSite<unknown>, 'outputs' | 'builder'>,
  source: Lazy,
  folds: readonly RowFold[],
  written: readonly RowOutput[],
): readonly Lazy[] => {
  const outer = source.shape.slice(0, -1)
  const inner = source.shape.slice(-1)
  const names = new Map(folds.map(({ result }, index) => [result, index]))
  const { operands, body, values } = serialise(
    [...folds.map(({ value }) => value), ...written.map(({ node }) => node)],
    names,
  )
  const ids = outputs.map(({ shape, dtype }) => builder.buffer(dtype, sizeOf(shape)))
  builder.emit({
    kind: 'reduce',
    outer,
    inner,
    operands,
    body,
    folds: folds.map(({ op }, i) => ({ op, value: values[i] as number })),
    outputs: written.map(({ over }, i) => ({
      over,
      value: values[folds.length + i] as number,
      target: {
        buffer: ids[i] as number,
        offset: 0,
        strides: contiguous(over === 'all' ? source.shape : outer),
      },
    })),
  })
  return outputs.map(({ shape, dtype }, i) => whole(ids[i] as number, shape, dtype))
}

/** max and Σ exp(x - max) of each row. A row of -∞ has max 0 in its place, so that it gives no NaN. */
export const exponentials = (
  x: Node,
): { folds: readonly RowFold[]; shifted: Node; total: Node; peak: Node } => {
  const max = makeFold('max', x)
  const finite = binaryNode(
    'max',
    max.result,
    constantNode(x.dtype === 'float32' ? -3.4028234663852886e38 : -Number.MAX_VALUE, x.dtype),
  )
  const shifted = binaryNode('sub', x, finite)
  const sum = makeFold('sum', unaryNode('exp', shifted))
  return { folds: [max, sum], shifted, total: sum.result, peak: finite }
}
