/** Lowering of attention: one launch where the engine has it, else products and rows of launches of their own. */
import type { AttentionSite, FusedKind, View } from '../../kernels/index.ts'
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { Shape } from '../shape.ts'
import type { Builder } from './builder.ts'
import { serialise } from './builder.ts'
import { emitRows, exponentials } from './fold.ts'
import type { Lazy, Node } from './lazy.ts'
import {
  binaryNode,
  castNode,
  constant,
  constantNode,
  leavesOf,
  pending,
  selectNode,
  threefryNode,
  unaryNode,
  whole,
} from './lazy.ts'
import { broadcastView, reshapeView, sliceView, transposeView } from './view.ts'

export interface AttentionParams {
  /** By what the products of queries and keys are multiplied. */
  readonly scale: number
  /** Query i looks at keys 0 … i + causal only; at all of them where null. */
  readonly causal: number | null
  /** The probability that a weight is dropped; above 0 there is a key among the inputs. */
  readonly rate: number
  /** Whether there is a mask among the inputs. */
  readonly masked: boolean
}

/** What both passes are lowered from. */
export interface AttentionLowering {
  readonly query: Lazy
  readonly key: Lazy
  readonly value: Lazy
  readonly mask: Lazy | undefined
  readonly random: Lazy | undefined
  readonly params: AttentionParams
  readonly builder: Builder
}

/** [...batch, queries, keys] */
const scoreShape = ({ query, key }: AttentionLowering): Shape => [
  ...query.shape.slice(0, -1),
  key.shape.at(-2) as number,
]

/** Memory of its own for [...batch, rows, width], heads (the last batch axis) beside each other in each row. */
const headed = (shape: Shape, like: Lazy, builder: Builder): View => {
  const rank = shape.length
  const order = shape.map((_, axis) => axis)
  if (rank > 2) order.splice(rank - 3, 2, rank - 2, rank - 3)
  const inOrder = contiguous(order.map((axis) => shape[axis] as number))
  const strides: number[] = []
  order.forEach((axis, i) => (strides[axis] = inOrder[i] as number))
  return { buffer: builder.buffer(like.dtype, sizeOf(shape)), strides, offset: 0 }
}

const asLazy = (view: View, { dtype }: Lazy, shape: Shape): Lazy => ({
  shape,
  dtype,
  node: { kind: 'leaf', dtype, operand: { kind: 'buffer', ...view } },
})

/** What is read as a vector along keys must lie there side by side, or be the same for all. */
const alongKeys = (lazy: Lazy, builder: Builder): Lazy => {
  const settled = builder.settle(lazy)
  const plain = [...leavesOf(settled.node)].every(
    (leaf) =>
      leaf.kind !== 'leaf' ||
      leaf.operand.kind === 'iota' ||
      (leaf.operand.at === undefined && [0, 1].includes(leaf.operand.strides.at(-1) ?? 0)),
  )
  return plain ? settled : builder.materialise(settled)
}

const maskNode = (site: AttentionLowering): Node | undefined =>
  site.mask && broadcastView(alongKeys(site.mask, site.builder), scoreShape(site), site.builder).node

/**
 * 1 / (1 - rate) or 0 for each weight: the bits that `random.bernoulli` draws for the weights, so that both forms
 * drop the same ones.
 */
const factorNode = (site: AttentionLowering): Node | undefined => {
  const { random, params, builder, query } = site
  if (random === undefined) return undefined
  const shape = scoreShape(site)
  const lead = random.shape.length - 1
  const rest = shape.slice(lead)
  const word = (index: 0 | 1): Node => {
    const start = random.shape.map((_, axis) => (axis === lead ? index : 0))
    const one = [...random.shape.slice(0, lead), 1]
    const part = sliceView(
      builder.store(random),
      start,
      one,
      one.map(() => 1),
      builder,
    )
    const aligned = reshapeView(part, [...random.shape.slice(0, lead), ...rest.map(() => 1)], builder)
    return broadcastView(aligned, shape, builder).node
  }
  const position: Node = {
    kind: 'leaf',
    dtype: 'int32',
    operand: {
      kind: 'iota',
      offset: 0,
      strides: [...shape.slice(0, lead).map(() => 0), ...contiguous(rest)],
    },
  }
  const counter = [constantNode(0, 'uint32'), castNode(position, 'uint32')]
  const bits = threefryNode([word(0), word(1), ...counter], 'xor')
  const { dtype } = query
  const steps = castNode(binaryNode('shiftRight', bits, constantNode(9, 'uint32')), 'float32')
  const uniform = binaryNode('mul', steps, constantNode(2 ** -23, 'float32'))
  const kept = binaryNode('lt', uniform, constantNode(1 - params.rate, 'float32'))
  return selectNode(kept, constantNode(1 / (1 - params.rate), dtype), constantNode(0, dtype))
}

const masked = (score: Node, mask: Node | undefined): Node =>
  mask === undefined ? score : selectNode(mask, score, constantNode(-Infinity, score.dtype))

const siteOf = (site: AttentionLowering): AttentionSite => {
  const { query, key, value, params, builder } = site
  // Any node of its own will do as a name of the product; `serialise` writes it as a fold.
  const product: Node = { kind: 'constant', value: NaN, dtype: query.dtype }
  const factor = factorNode(site)
  const roots = [masked(product, maskNode(site)), ...(factor === undefined ? [] : [factor])]
  const { operands, body, values } = serialise(roots, new Map([[product, 0]]))
  return {
    batch: query.shape.slice(0, -2),
    queries: query.shape.at(-2) as number,
    keys: key.shape.at(-2) as number,
    width: query.shape.at(-1) as number,
    valueWidth: value.shape.at(-1) as number,
    query: builder.force(query),
    key: builder.force(key),
    value: builder.force(value),
    scale: params.scale,
    ...(params.causal === null ? {} : { causal: params.causal }),
    operands,
    body,
    score: values[0] as number,
    ...(factor === undefined ? {} : { factor: values[1] as number }),
  }
}

const isFused = ({ builder, query }: AttentionLowering, kind: FusedKind): boolean =>
  builder.fuses.includes(kind) && query.dtype === 'float32'

const swapped = (x: Lazy): Lazy => {
  const rank = x.shape.length
  const order = x.shape.map((_, axis) => axis)
  return transposeView(x, [...order.slice(0, -2), rank - 1, rank - 2])
}

/** A product that waits for what follows. */
const product = (x: Lazy, y: Lazy, builder: Builder): Lazy => {
  const [a, b] = [builder.force(x), builder.force(y)]
  const [rows, inner] = x.shape.slice(-2) as [number, number]
  const columns = y.shape.at(-1) as number
  const batch = x.shape.slice(0, -2)
  return pending({
    shape: [...batch, rows, columns],
    dtype: x.dtype,
    launch: ({ operands, body, values }, target) => ({
      kind: 'matmul',
      batch,
      rows,
      inner,
      columns,
      a,
      b,
      operands,
      body,
      outputs: [{ target, value: values[0] as number }],
    }),
  })
}

/** The scores as an expression on the product that waits. */
const scoresOf = (site: AttentionLowering): Lazy => {
  const { query, key, params, builder } = site
  const shape = scoreShape(site)
  const raw = product(query, swapped(key), builder)
  const scaled = binaryNode('mul', raw.node, constantNode(params.scale, query.dtype))
  const mask = maskNode(site)
  const seen = masked(scaled, mask)
  return {
    shape,
    dtype: query.dtype,
    node: params.causal === null ? seen : masked(seen, causalNode(shape, params.causal)),
  }
}

/** Whether query i may look at key j. */
const causalNode = (shape: Shape, offset: number): Node => {
  const rank = shape.length
  const along = (axis: number, from: number): Node => ({
    kind: 'leaf',
    dtype: 'int32',
    operand: { kind: 'iota', offset: from, strides: shape.map((_, i) => (i === axis ? 1 : 0)) },
  })
  return binaryNode('ge', along(rank - 2, offset), along(rank - 1, 0))
}

const times = (x: Lazy, factor: Node | undefined): Lazy =>
  factor === undefined ? x : { ...x, node: binaryNode('mul', x.node, factor) }

/** Output and total. */
export const lowerAttention = (site: AttentionLowering): readonly Lazy[] => {
  const { query, value, builder } = site
  const { dtype } = query
  const rows = query.shape.slice(0, -1)
  const outShape = [...rows, value.shape.at(-1) as number]
  if (isFused(site, 'attention')) {
    const output = headed(outShape, query, builder)
    const total = { buffer: builder.buffer(dtype, sizeOf(rows)), strides: contiguous(rows), offset: 0 }
    builder.emit({ kind: 'attention', ...siteOf(site), output, total })
    return [asLazy(output, query, outShape), whole(total.buffer, rows, dtype)]
  }
  const shape = scoreShape(site)
  if (shape.at(-1) === 0) return [constant(0, dtype, outShape), constant(0, dtype, rows)]
  const scores = builder.materialise(scoresOf(site))
  const { folds, shifted, total, peak } = exponentials(scores.node)
  const none = binaryNode('eq', total, constantNode(0, dtype))
  const zero = constantNode(0, dtype)
  const outputs = [
    { shape, dtype },
    { shape: rows, dtype },
  ]
  const [weights, logarithm] = emitRows({ outputs, builder }, scores, folds, [
    { node: selectNode(none, zero, binaryNode('div', unaryNode('exp', shifted), total)), over: 'all' },
    { node: selectNode(none, zero, binaryNode('add', peak, unaryNode('log', total))), over: 'outer' },
  ]) as readonly [Lazy, Lazy]
  return [product(times(weights, factorNode(site)), value, builder), logarithm]
}

/** Gradients of query, key and value. */
export const lowerAttentionGradient = (
  site: AttentionLowering,
  cotangent: Lazy,
  total: Lazy,
  delta: Lazy,
): readonly Lazy[] => {
  const { query, key, value, params, builder } = site
  if (isFused(site, 'attentionGradient')) {
    const [forQuery, forKey, forValue] = [query, key, value].map((x) => headed(x.shape, query, builder)) as [
      View,
      View,
      View,
    ]
    builder.emit({
      kind: 'attentionGradient',
      ...siteOf(site),
      cotangent: builder.force(cotangent),
      total: builder.force(total),
      delta: builder.force(delta),
      queryGradient: forQuery,
      keyGradient: forKey,
      valueGradient: forValue,
    })
    return [
      asLazy(forQuery, query, query.shape),
      asLazy(forKey, query, key.shape),
      asLazy(forValue, query, value.shape),
    ]
  }
  const shape = scoreShape(site)
  const overRows = (x: Lazy): Node => {
    const memory = builder.store(x)
    return broadcastView(reshapeView(memory, [...memory.shape, 1], builder), shape, builder).node
  }
  const factor = factorNode(site)
  const scores = scoresOf(site)
  const { dtype } = query
  const weight: Lazy = { ...scores, node: unaryNode('exp', binaryNode('sub', scores.node, overRows(total))) }
  const weights = builder.materialise(weight)
  const through = times(product(cotangent, swapped(value), builder), factor)
  const change = binaryNode('mul', weights.node, binaryNode('sub', through.node, overRows(delta)))
  const slope = builder.materialise({
    shape,
    dtype,
    node: binaryNode('mul', change, constantNode(params.scale, dtype)),
  })
  return [
    product(slope, key, builder),
    product(swapped(slope), query, builder),
    product(swapped(times(weights, factor)), cotangent, builder),
  ]
}
