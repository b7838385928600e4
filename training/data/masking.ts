/**
 * The masking of masked language models as a function of a key (Devlin et al. 2019, section 3.1): some tokens are
 * chosen to be predicted; of those most become `[MASK]`, some a random token, and some stay what they are. It runs
 * on tensors, also inside a compiled step, so that each step masks afresh and no batch has to be made twice.
 */
import {
  add,
  argsort,
  cast,
  dynamic,
  equal,
  greaterEqual,
  iota,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  mul,
  notEqual,
  random,
  remainder,
  round,
  scatterAddAlongAxis,
  sliceAxis,
  sum,
  takeAlongAxis,
  where,
  zeros,
} from '../../core/index.ts'
import type { Key, Shape, Tensor } from '../../core/index.ts'
import { argumentError, shapeError } from '../../core/error.ts'
import { ignoreIndex } from '../metric.ts'

export interface MaskingConfig {
  /** The id of `[MASK]`. */
  readonly maskId: number
  /** How many ids there are; random tokens are drawn from all of them but the special ones. */
  readonly vocabularySize: number
  /** Ids that are never chosen: `[PAD]`, `[CLS]`, `[SEP]`, `[UNK]` … (`[MASK]` is one of them anyway). */
  readonly specialIds: readonly number[]
  /** How likely a token is to be chosen; 0.15 by default. */
  readonly probability?: number
  /** The share of the chosen that become `[MASK]`; 0.8 by default. */
  readonly maskShare?: number
  /** The share of the chosen that become a random token; 0.1 by default. */
  readonly randomShare?: number
  /** Whether a random token may be a special one, as it may in BERT's own code and in Transformers; not by default. */
  readonly randomSpecial?: boolean
}

type Ids<S extends Shape = Shape> = Tensor<S, 'int32'>
type Flags<S extends Shape = Shape> = Tensor<S, 'bool'>

export interface MaskedTokens<S extends Shape = Shape> {
  readonly ids: Ids<S>
  /** The original ids at the chosen positions, -100 elsewhere. */
  readonly labels: Ids<S>
}

export interface MaskedPredictions<S extends Shape = Shape> {
  readonly ids: Ids<S>
  /** [batch, predictions]: the chosen positions in each row, in no particular order; 0 in slots without one. */
  readonly predictAt: Ids
  /** [batch, predictions]: the original ids there; -100 in slots without one. */
  readonly labels: Ids
}

interface Range {
  readonly first: number
  readonly last: number
}

/** Special ids mostly stand side by side: a few comparisons tell them all. */
const rangesOf = (ids: readonly number[]): readonly Range[] => {
  const found: Range[] = []
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
    const open = found.at(-1)
    if (open?.last === id - 1) found[found.length - 1] = { first: open.first, last: id }
    else found.push({ first: id, last: id })
  }
  return found
}

interface Recipe {
  readonly maskId: number
  readonly special: readonly Range[]
  readonly probability: number
  readonly maskShare: number
  readonly randomShare: number
  /** What random tokens must avoid, and how many ids are left. */
  readonly avoided: readonly Range[]
  readonly candidates: number
}

const recipeOf = (config: MaskingConfig): Recipe => {
  const { maskId, vocabularySize, specialIds, randomSpecial = false } = config
  const { probability = 0.15, maskShare = 0.8, randomShare = 0.1 } = config
  const share = (name: string, x: number): void => {
    if (!(x >= 0 && x <= 1)) throw argumentError('masking', `${name} must be in [0, 1], got ${x}`)
  }
  share('probability', probability)
  share('maskShare', maskShare)
  share('randomShare', randomShare)
  share('maskShare + randomShare', Math.fround(maskShare + randomShare))
  if (!Number.isInteger(maskId) || maskId < 0 || maskId >= vocabularySize)
    throw argumentError('masking', `maskId must be an id below ${vocabularySize}, got ${maskId}`)
  const special = [...specialIds, maskId]
  if (!special.every(Number.isInteger)) throw argumentError('masking', 'specialIds must be integers')
  const inside = randomSpecial ? [] : special.filter((id) => id >= 0 && id < vocabularySize)
  const candidates = vocabularySize - new Set(inside).size
  if (candidates === 0 && randomShare > 0)
    throw argumentError('masking', `all ${vocabularySize} ids are special, there is no random token`)
  const shares = { probability, maskShare, randomShare }
  return { maskId, special: rangesOf(special), ...shares, avoided: rangesOf(inside), candidates }
}

const within = (ids: Tensor, { first, last }: Range): Flags =>
  first === last ? equal(ids, first) : logicalAnd(greaterEqual(ids, first), lessEqual(ids, last))

/** Which tokens may be chosen. */
const choosable = (ids: Tensor, { special }: Recipe, among: Tensor | undefined): Flags => {
  const ordinary = logicalNot(special.map((range) => within(ids, range)).reduce((a, b) => logicalOr(a, b)))
  return among === undefined ? ordinary : logicalAnd(ordinary, among)
}

/** Ids drawn evenly from those that are not avoided: the n-th of them, for a random n. */
const randomIds = (key: Key, shape: Shape, { candidates, avoided }: Recipe): Ids =>
  // 32 bits are so many more than there are ids that the remainder's unevenness is below 1 in 10,000
  avoided.reduce<Ids>(
    (id, { first, last }) => where(greaterEqual(id, first), add(id, last - first + 1), id) as Ids,
    cast(remainder(random.bits(key, shape), Math.max(1, candidates)), 'int32'),
  )

/** The ids with the chosen ones replaced. */
const replace = (key: Key, ids: Ids, chosen: Flags, recipe: Recipe): Ids => {
  const { maskId, maskShare, randomShare } = recipe
  const [kind, other] = random.split(key)
  const u = random.uniform(kind, ids.shape)
  const drawn = randomShare === 0 ? ids : randomIds(other, ids.shape, recipe)
  const replacement = where(less(u, maskShare), maskId, where(less(u, maskShare + randomShare), drawn, ids))
  return where(chosen, replacement, ids) as Ids
}

/**
 * Chooses each token that is not special with the same probability, as Transformers'
 * DataCollatorForLanguageModeling does: for models that give scores at every position.
 *
 * @param ids integers [batch, time] (or any shape)
 * @param among bool, of the shape of `ids`: where tokens may be chosen; by default wherever they are not special
 * @example
 * ```ts
 * import { random, tensor, toNested } from 'pullback'
 * import { maskTokens } from 'pullback/training'
 * const ids = tensor([[2, 11, 12, 13, 14, 3, 0, 0]], { dtype: 'int32' })
 * const config = { maskId: 4, vocabularySize: 20, specialIds: [0, 1, 2, 3], probability: 0.5 }
 * const masked = maskTokens(random.key(7), ids, config)
 * console.log(await toNested(masked.ids)) // => [ [ 2, 11, 4, 4, 14, 3, 0, 0 ] ]
 * console.log(await toNested(masked.labels)) // => [ [ -100, -100, 12, 13, -100, -100, -100, -100 ] ]
 * ```
 */
export const maskTokens = <S extends Shape>(
  key: Key,
  ids: Tensor<S>,
  config: MaskingConfig,
  among?: Tensor,
): MaskedTokens<S> => {
  const recipe = recipeOf(config)
  const [which, how] = random.split(key)
  const original = cast(ids, 'int32') as Ids
  const chosen = logicalAnd(
    choosable(original, recipe, among),
    less(random.uniform(which, ids.shape), recipe.probability),
  ) as Flags
  return {
    ids: replace(how, original, chosen, recipe) as Ids<S>,
    labels: where(chosen, original, ignoreIndex) as Ids<S>,
  }
}

export interface PredictionsConfig extends MaskingConfig {
  /** How many slots for predictions each row has: what the output's shape is made of. */
  readonly predictions: number
}

/**
 * Chooses the share `probability` of each row's tokens that are not special (rounded, at least one, at most
 * `predictions`) without replacement, as BERT's own create_pretraining_data does: a model then needs scores at
 * `predictions` positions of a row alone.
 *
 * @param ids integers [batch, time]
 * @param among bool, of the shape of `ids`: where tokens may be chosen; by default wherever they are not special
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { maskPredictions } from 'pullback/training'
 * const ids = tensor([[2, 11, 12, 13, 14, 15, 3, 0]], { dtype: 'int32' })
 * const special = { maskId: 4, vocabularySize: 20, specialIds: [0, 1, 2, 3] }
 * const config = { ...special, probability: 0.4, predictions: 3 }
 * const masked = maskPredictions(random.key(0), ids, config)
 * console.log(masked.ids, masked.predictAt, masked.labels)
 * // => int32[1, 8] [[2, 4, 12, 4, 14, 15, 3, 0]] int32[1, 3] [[3, 1, 0]] int32[1, 3] [[13, 11, -100]]
 * ```
 */
export const maskPredictions = <S extends Shape>(
  key: Key,
  ids: Tensor<S>,
  config: PredictionsConfig,
  among?: Tensor,
): MaskedPredictions<S> => {
  const recipe = recipeOf(config)
  const { predictions } = config
  const time = ids.shape.at(-1)
  if (time === undefined) throw shapeError('maskPredictions', 'the ids must have an axis', ids.shape)
  if (!Number.isInteger(predictions) || predictions < 1 || predictions > time)
    throw argumentError('maskPredictions', `predictions must be in 1 … ${time}, got ${predictions}`)
  const [which, how] = random.split(key)
  const original = cast(ids, 'int32') as Ids
  const free = choosable(original, recipe, among)
  const available = sum(cast(free, 'int32'), { axis: -1, keepDims: true })
  const wanted = cast(round(mul(cast(available, 'float32'), recipe.probability)), 'int32')
  const count = minimum(maximum(wanted, minimum(available, 1)), predictions)
  // a random order of the row, with the special tokens at its end
  const order = argsort(where(free, dynamic(random.uniform(which, ids.shape)), 2))
  const first = sliceAxis(order, -1, 0, predictions)
  const used = less(iota(first.shape, -1), count)
  const marks = scatterAddAlongAxis(zeros(ids.shape, 'int32'), first, cast(used, 'int32'))
  const chosen = notEqual(marks, 0) as Flags
  const predictAt = where(used, first, 0) as Ids
  return {
    ids: replace(how, original, chosen, recipe) as Ids<S>,
    predictAt,
    labels: where(used, takeAlongAxis(original, predictAt, -1), ignoreIndex) as Ids,
  }
}
