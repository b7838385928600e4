/** Attention and its gradient: weights of all queries at once are nobody's output, so that they need not be held. */
import { isFloating } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import type { AttentionLowering, AttentionParams } from '../lower/attention.ts'
import { lowerAttention, lowerAttentionGradient } from '../lower/attention.ts'
import type { Lazy } from '../lower/lazy.ts'
import type { BatchSite, LowerSite, Operations, Primitive } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind } from './rule.ts'

export type { AttentionParams } from '../lower/attention.ts'

/** Checks query, key, value, mask and random key. */
const check = (inputs: readonly Aval[], { rate, masked }: AttentionParams): void => {
  const [q, k, v, ...rest] = inputs as [Aval, Aval, Aval, ...Aval[]]
  const batch = q.shape.slice(0, -2)
  if (!isFloating(q.dtype)) throw dtypeError('attention', 'defined on floating dtypes', q.dtype)
  if (k.dtype !== q.dtype || v.dtype !== q.dtype)
    throw dtypeError('attention', 'query, key and value must have one dtype', q.dtype, k.dtype, v.dtype)
  const fits =
    q.shape.length >= 2 &&
    sameShape(k.shape.slice(0, -2), batch) &&
    sameShape(v.shape.slice(0, -1), k.shape.slice(0, -1)) &&
    k.shape.length === q.shape.length &&
    k.shape.at(-1) === q.shape.at(-1)
  if (!fits)
    throw shapeError(
      'attention',
      'expected query [..., queries, width], key [..., keys, width] and value [..., keys, valueWidth]',
      q.shape,
      k.shape,
      v.shape,
    )
  const space = [...q.shape.slice(0, -1), k.shape.at(-2) as number]
  const mask = masked ? (rest[0] as Aval) : undefined
  if (mask !== undefined) {
    if (mask.dtype !== 'bool') throw dtypeError('attention', 'the mask must be bool', mask.dtype)
    if (mask.shape.length !== space.length || !mask.shape.every((n, i) => n === 1 || n === space[i]))
      throw shapeError('attention', 'the mask must broadcast to [..., queries, keys]', mask.shape, space)
  }
  const random = rate > 0 ? (rest[masked ? 1 : 0] as Aval) : undefined
  if (random === undefined) return
  if (random.dtype !== 'uint32') throw dtypeError('attention', 'the random key must be uint32', random.dtype)
  if (
    random.shape.at(-1) !== 2 ||
    !sameShape(random.shape.slice(0, -1), space.slice(0, random.shape.length - 1))
  )
    throw shapeError(
      'attention',
      'the random key must be [2], or one for each of the leading axes',
      random.shape,
    )
}

/** Inputs with the batch in front; a mask that all share broadcasts along it. */
const batchedInputs = (
  ops: Operations,
  { inputs, batched, size }: BatchSite<AttentionParams>,
  maskAt: number,
): readonly Tensor[] =>
  inputs.map((x, i) => {
    if (batched[i] === true) return x
    return i === maskAt ? ops.reshape(x, [1, ...x.shape]) : ops.broadcastTo(x, [size, ...x.shape])
  })

const lowering = (
  { params, builder }: LowerSite<AttentionParams>,
  inputs: readonly Lazy[],
  rest: readonly Lazy[],
): AttentionLowering => {
  const [query, key, value] = inputs as [Lazy, Lazy, Lazy]
  const mask = params.masked ? rest[0] : undefined
  return {
    query,
    key,
    value,
    mask,
    random: params.rate > 0 ? rest[params.masked ? 1 : 0] : undefined,
    params,
    builder,
  }
}

/**
 * query [..., queries, width], key [..., keys, width], value [..., keys, valueWidth], and as the parameters say a
 * bool mask that broadcasts to [..., queries, keys] and a random key → the output [..., queries, valueWidth], and
 * log Σ exp(score) of each query. A query that looks at nothing gives zeros.
 */
export const attention: Primitive<AttentionParams> = {
  name: 'attention',
  shape: (inputs, params) => {
    check(inputs, params)
    const [q, , v] = inputs as [Aval, Aval, Aval]
    const rows = q.shape.slice(0, -1)
    return [
      { shape: [...rows, v.shape.at(-1) as number], dtype: q.dtype },
      { shape: rows, dtype: q.dtype },
    ]
  },
  vjp: (ops, { cotangents: [g, gTotal], inputs, outputs, params }) => {
    const [output, total] = outputs as [Tensor, Tensor]
    const cotangent = g ?? ops.zerosLike(output)
    const own = ops.sum(ops.mul(cotangent, output) as Tensor, { axis: -1 }) as Tensor
    // ∂total/∂score is the weight: what comes that way counts against delta.
    const delta = gTotal === undefined ? own : ops.sub(own, gTotal)
    const [q, k, v, ...rest] = inputs as [Tensor, Tensor, Tensor, ...Tensor[]]
    const gradients = bind(ops, attentionGradient, [q, k, v, cotangent, total, delta, ...rest], params)
    return [...gradients, ...rest.map(() => undefined)]
  },
  batch: (ops, site) =>
    bind(ops, attention, batchedInputs(ops, site, site.params.masked ? 3 : -1), site.params),
  lower: (site) => lowerAttention(lowering(site, site.inputs, site.inputs.slice(3))),
}

/** Weights and what they are made of, in ordinary operations: for derivatives of the gradient. */
const plain = (
  ops: Operations,
  [q, k, , , total]: readonly Tensor[],
  rest: readonly Tensor[],
  { scale, causal, rate, masked }: AttentionParams,
): { readonly weights: Tensor; readonly drop: (x: Tensor) => Tensor } => {
  const { matmul, swapAxes, mul, sub, exp, where, iota, add, greaterEqual, expandDims, logicalAnd } = ops
  const [query, key] = [q as Tensor, k as Tensor]
  const scores = mul(matmul(query, swapAxes(key, -1, -2)), scale) as Tensor
  const { shape } = scores
  const looksBack = causal === null ? undefined : greaterEqual(add(iota(shape, -2), causal), iota(shape, -1))
  const mask = masked ? (rest[0] as Tensor) : undefined
  const seen = looksBack === undefined ? mask : mask === undefined ? looksBack : logicalAnd(looksBack, mask)
  const all = exp(sub(scores, expandDims(total as Tensor, -1))) as Tensor
  const weights = seen === undefined ? all : (where(seen as never, all, 0) as Tensor)
  if (rate === 0) return { weights, drop: (x) => x }
  const kept = keeps(ops, rest[masked ? 1 : 0] as Tensor, shape, rate)
  return { weights, drop: (x) => where(kept as never, mul(x, 1 / (1 - rate)), 0) as Tensor }
}

/** `random.bernoulli` of the weights' shape, with a key for each of the leading axes. */
const keeps = (ops: Operations, random: Tensor, shape: Shape, rate: number): Tensor => {
  const { reshape, sliceAxis, iota, threefry, shiftRight, cast, mul, less, zeros } = ops
  const lead = random.shape.length - 1
  const rest = shape.slice(lead)
  const word = (i: number): Tensor =>
    reshape(sliceAxis(random, -1, i, i + 1), [...random.shape.slice(0, lead), ...rest.map(() => 1)])
  const size = rest.reduce((n, m) => n * m, 1)
  const position = cast(reshape(iota([size], 0), rest), 'uint32')
  const bits = threefry(word(0), word(1), zeros([], 'uint32'), position, 'xor')
  return less(mul(cast(shiftRight(bits, 9), 'float32'), 2 ** -23), 1 - rate) as Tensor
}

/**
 * query, key, value, the output's cotangent, total and delta = Σ cotangent · output of each query, then mask and
 * random key as in `attention` → the gradients of query, key and value.
 */
export const attentionGradient: Primitive<AttentionParams> = {
  name: 'attentionGradient',
  shape: (inputs, params) => {
    const [q, k, v, g, total, delta, ...rest] = inputs as [Aval, Aval, Aval, Aval, Aval, Aval, ...Aval[]]
    check([q, k, v, ...rest], params)
    const rows = q.shape.slice(0, -1)
    if (!sameShape(g.shape, [...rows, v.shape.at(-1) as number]))
      throw shapeError('attentionGradient', "the cotangent must have the output's shape", g.shape)
    if (!sameShape(total.shape, rows) || !sameShape(delta.shape, rows))
      throw shapeError(
        'attentionGradient',
        'there must be one total and delta for each query',
        total.shape,
        delta.shape,
      )
    return [q, k, v].map(({ shape, dtype }) => ({ shape, dtype }))
  },
  // With weights A, their factors m, d = m ∘ (g vᵀ) and S = A ∘ (d - delta), the outputs are scale S k, scale Sᵀ q
  // and (m ∘ A)ᵀ g; a, b and c are their cotangents.
  vjp: (ops, { cotangents, inputs, params }) => {
    const { matmul, swapAxes, mul, add, sub, sum, neg, expandDims, zerosLike } = ops
    const [q, k, v, g, , delta, ...rest] = inputs as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      ...Tensor[],
    ]
    const [a, b, c] = [q, k, v].map((x, i) => cotangents[i] ?? zerosLike(x)) as [Tensor, Tensor, Tensor]
    const { weights, drop } = plain(ops, inputs, rest, params)
    const { scale } = params
    const times = (x: Tensor, y: Tensor): Tensor => matmul(x, y) as Tensor
    const turned = (x: Tensor): Tensor => swapAxes(x, -1, -2) as Tensor
    const product = (x: Tensor, y: Tensor): Tensor => mul(x, y) as Tensor
    const rowSum = (x: Tensor): Tensor => sum(x, { axis: -1 }) as Tensor
    const slope = sub(drop(times(g, turned(v))), expandDims(delta, -1)) as Tensor
    const s = product(weights, slope)
    const w = mul(add(times(a, turned(k)), times(q, turned(b))), scale) as Tensor // ∂/∂S
    const x = product(w, weights) // ∂/∂(d - delta)
    const y = add(product(w, slope), drop(times(g, turned(c)))) as Tensor // ∂/∂A
    const z = product(y, weights) // ∂/∂scores
    return [
      mul(add(times(z, k), times(s, b)), scale),
      mul(add(times(turned(z), q), times(turned(s), a)), scale),
      times(turned(drop(x)), g),
      add(times(drop(x), v), times(drop(weights), c)),
      neg(rowSum(z)),
      neg(rowSum(x)),
      ...rest.map(() => undefined),
    ] as readonly (Tensor | undefined)[]
  },
  batch: (ops, site) =>
    bind(ops, attentionGradient, batchedInputs(ops, site, site.params.masked ? 6 : -1), site.params),
  lower: (site) => {
    const [, , , cotangent, total, delta] = site.inputs as [Lazy, Lazy, Lazy, Lazy, Lazy, Lazy]
    return lowerAttentionGradient(lowering(site, site.inputs, site.inputs.slice(6)), cotangent, total, delta)
  },
}
