/**
 * Attention that begins by looking at neighbours. Heads that look at the places next to their own come up in
 * training by themselves (the positional heads of Voita et al. 2019, 5.2), but with learned positions they come
 * late. To begin with what training ends with is mimetic initialisation (Trockman and Kolter 2023).
 */
import {
  add,
  arange,
  cast,
  concatenate,
  cos,
  div,
  expandDims,
  maximum,
  mean,
  mul,
  pad,
  sin,
  sliceAxis,
  sqrt,
  square,
  tensor,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError, checkOptions, shapeError } from '../core/error.ts'
import { sameShape } from '../core/shape.ts'
import type { AttentionParams } from './attention.ts'
import type { EmbeddingParams } from './embedding.ts'
import type { LinearParams } from './linear.ts'

/** Tables whose rows are added up: positions, and what stands there. */
export interface PositionedEmbeddings {
  /** [vocabulary, width] */
  readonly word: EmbeddingParams
  /** [length, width] */
  readonly position: EmbeddingParams
  /** [passages, width] */
  readonly tokenType?: EmbeddingParams
}

/** The beginning of a network: its embeddings, and the layers that read them. */
export interface PositionedParams {
  readonly embeddings: PositionedEmbeddings
  readonly block: readonly { readonly attention: AttentionParams }[]
}

export interface PositionalHeadsOptions {
  /** How many heads the layers have. */
  readonly heads: number
  /** How far from its own place each of the first heads looks; the others stay as they are. */
  readonly offsets: readonly number[]
  /**
   * By how much the place looked at scores above the others, once embeddings are normalised; log length + 2 unless
   * given, with which most of the weight is its own.
   */
  readonly sharpness?: number
}

/**
 * Radians a place. Spread evenly, codes of different places would be orthogonal, but the same again after
 * 4 · count places; bent a little, they are nearly so, and do not come back.
 */
const frequenciesOf = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.PI * ((i + 0.5) / count) ** 1.25)

/** Cosines, then sines, of each place's angles, of mean square 1: [length, 2 · frequencies]. */
const codesOf = (length: number, frequencies: readonly number[]): Tensor => {
  const angles = mul(expandDims(cast(arange(length), 'float32'), 1), tensor(frequencies)) // [length, frequencies]
  return mul(concatenate([cos(angles), sin(angles)], 1), Math.SQRT2)
}

/** Takes a place's code, a row, to that of the place `offset` further on: [2 · frequencies, 2 · frequencies]. */
const turnOf = (offset: number, frequencies: readonly number[]): Tensor => {
  const count = frequencies.length
  const entry = (row: number, column: number): number => {
    const [i, j] = [row % count, column % count]
    if (i !== j) return 0
    const angle = (frequencies[i] as number) * offset
    if (row === column) return Math.cos(angle)
    return row < column ? Math.sin(angle) : -Math.sin(angle)
  }
  const all = Array.from({ length: 2 * count }, (_, i) => i)
  return tensor(all.map((row) => all.map((column) => entry(row, column))))
}

/** A matrix in the upper left corner of zeros. */
const corner = (matrix: Tensor, [rows, columns]: readonly [number, number]): Tensor =>
  pad(matrix, [
    [0, rows - (matrix.shape[0] as number)],
    [0, columns - (matrix.shape[1] as number)],
  ])

/** Tables with codes of places in the first columns of positions, and zeros there in the others. */
const withCodes = <E extends PositionedEmbeddings>(embeddings: E, frequencies: readonly number[]): E => {
  const { position, ...others } = embeddings
  const columns = 2 * frequencies.length
  const left = Object.entries({ word: others.word, tokenType: others.tokenType }).flatMap(([name, table]) =>
    table === undefined ? [] : [{ name, rows: sliceAxis(table.weight, 1, columns) }],
  )
  // Codes are as large as what stands beside them, so that normalising leaves them at mean square 1.
  const size = sqrt(left.map(({ rows }) => mean(square(rows))).reduce((a, b) => add(a, b)))
  const [length, width] = position.weight.shape as readonly [number, number]
  const codes = corner(mul(codesOf(length, frequencies), size), [length, width])
  const around = [
    [0, 0],
    [columns, 0],
  ]
  const moved = Object.fromEntries(left.map(({ name, rows }) => [name, { weight: pad(rows, around) }]))
  return { ...embeddings, ...moved, position: { weight: cast(codes, position.weight.dtype) } }
}

/** The projection with `beginning` in place of its first columns. */
const beginningWith = (beginning: readonly Tensor[], projection: LinearParams): LinearParams => {
  const { weight } = projection
  const taken = beginning.reduce((n, { shape }) => n + (shape[1] as number), 0)
  const first = beginning.map((columns) => cast(columns, weight.dtype))
  return { ...projection, weight: concatenate([...first, sliceAxis(weight, 1, taken)], 1) }
}

/** The projection with the first rows or columns so large that they pass on what they get (Glorot and Bengio 2010). */
const passingOn = (count: number, axis: 0 | 1, projection: LinearParams): LinearParams => {
  const { weight } = projection
  const chosen = sliceAxis(weight, axis, 0, count)
  // What begins as zeros, as outputs may, stays so.
  const size = maximum(sqrt(mul(mean(square(chosen)), weight.shape[0] as number)), 1e-30)
  return { ...projection, weight: concatenate([div(chosen, size), sliceAxis(weight, axis, count)], axis) }
}

/**
 * The beginning of a network, changed so that its first heads look at neighbours before anything is trained. Codes of
 * places stand in a few columns of the embeddings, which words leave to them (as many as a head has, at most a quarter
 * of the width); keys of these heads are the codes, queries the codes of the places that they look for, and values and outputs are
 * large enough to pass on what is seen. Shapes stay, and everything is trained as before.
 *
 * @throws PullbackError when there are more offsets than heads, heads share keys, or tables do not fit.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { embedding, multiHeadAttention, positionalHeads } from 'pullback/nn'
 * const [words, places] = [embedding(100, 32), embedding(16, 32)]
 * const drawn = {
 *   embeddings: { word: words.init(random.key(0)), position: places.init(random.key(1)) },
 *   block: [{ attention: multiHeadAttention({ width: 32, heads: 4 }).init(random.key(2)) }],
 * }
 * const { embeddings } = positionalHeads(drawn, { heads: 4, offsets: [-1, 1] })
 * console.log(embeddings.word.weight.shape) // => [100, 32]
 * ```
 */
export const positionalHeads = <P extends PositionedParams>(
  params: P,
  options: PositionalHeadsOptions,
): P => {
  checkOptions('positionalHeads', options, ['heads', 'offsets', 'sharpness'])
  const { heads, offsets, sharpness } = options
  const { embeddings, block } = params
  const [first, ...others] = block
  if (first === undefined || offsets.length === 0) return params
  const { attention } = first
  const headWidth = checkedHeadWidth(embeddings, attention, heads, offsets)
  const [length, width] = embeddings.position.weight.shape as readonly [number, number]
  const count = Math.floor(Math.min(headWidth, Math.max(2, width / 4)) / 2)
  const frequencies = frequenciesOf(count)
  // A code times itself is 2 · count where embeddings are normalised, and scores are divided by √headWidth.
  const gain = Math.sqrt(((sharpness ?? Math.log(length) + 2) * Math.sqrt(headWidth)) / (2 * count))
  const looking = (offset: number): Tensor =>
    corner(mul(turnOf(offset, frequencies), gain), [width, headWidth])
  const seen = offsets.length * headWidth
  const looks: AttentionParams = {
    ...attention,
    query: beginningWith(offsets.map(looking), attention.query),
    key: beginningWith(
      offsets.map(() => looking(0)),
      attention.key,
    ),
    value: passingOn(seen, 1, attention.value),
    output: passingOn(seen, 0, attention.output),
  }
  return {
    ...params,
    embeddings: withCodes(embeddings, frequencies),
    block: [{ ...first, attention: looks }, ...others],
  }
}

/** The width of each head. */
const checkedHeadWidth = (
  embeddings: PositionedEmbeddings,
  attention: AttentionParams,
  heads: number,
  offsets: readonly number[],
): number => {
  const [width] = embeddings.position.weight.shape.slice(-1)
  const [query, key] = [attention.query.weight.shape, attention.key.weight.shape]
  if (embeddings.word.weight.shape.at(-1) !== width || query[0] !== width)
    throw shapeError(
      'positionalHeads',
      'words, positions and queries must be of one width',
      embeddings.word.weight.shape,
      embeddings.position.weight.shape,
      query,
    )
  if (!sameShape(query, key))
    throw shapeError('positionalHeads', 'each head must have a key of its own', query, key)
  if (offsets.length > heads || !offsets.every(Number.isInteger))
    throw argumentError(
      'positionalHeads',
      `offsets must be whole numbers, at most one for each of ${heads} heads, got ${offsets.join(', ')}`,
    )
  const headWidth = (query[1] as number) / heads
  if (!Number.isInteger(headWidth) || headWidth < 2)
    throw argumentError(
      'positionalHeads',
      `heads must be a whole number of columns, at least 2 wide, got ${headWidth}`,
    )
  return headWidth
}
