/**
 * Sentence pairs for next-sentence prediction (Devlin et al. 2019, section 3.1 and its create_pretraining_data.py):
 * two segments of text packed into one row, the second being what follows the first, or text from elsewhere.
 *
 * Unlike there, pairs are not made beforehand and stored: the pair of a number in an epoch is a function of the seed,
 * so that each epoch has fresh ones, and a run can go on anywhere.
 */
import { either as E } from 'fp-ts'
import { fromArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import type { Batches } from '../fold.ts'
import { drawsOf, foldHostKey, hostKey, type Draws } from './draw.ts'
import { epochPlaces } from './epoch.ts'

export interface PairConfig {
  /** The length of every row, padding included. */
  readonly length: number
  readonly batchSize: number
  readonly seed: number
  /** The ids of `[CLS]`, `[SEP]` and `[PAD]`. */
  readonly classId: number
  readonly separatorId: number
  readonly paddingId: number
  /** How likely the second segment is drawn from another document; 0.5 by default. */
  readonly randomProbability?: number
  /** How likely a pair is made for a random shorter length, so that short texts are known too; 0.1 by default. */
  readonly shortProbability?: number
}

/** `[CLS] first [SEP] second [SEP]`, without padding. */
export interface SentencePair {
  readonly ids: Int32Array
  /** 0 in `[CLS] first [SEP]`, 1 in `second [SEP]`. */
  readonly tokenTypes: Int32Array
  /** 0 when the second segment follows the first in its document, 1 when it is from another document. */
  readonly label: number
}

export interface PairBatch {
  /** int32 [batch, time] */
  readonly ids: Tensor<readonly [number, number], 'int32'>
  /** int32 [batch, time] */
  readonly tokenTypes: Tensor<readonly [number, number], 'int32'>
  /** bool [batch, time]: false at padding. */
  readonly keyMask: Tensor<readonly [number, number], 'bool'>
  /** int32 [batch]: 0 for the next segment, 1 for a random one. */
  readonly nextSentenceLabels: Tensor<readonly [number], 'int32'>
}

export interface Pairs {
  /** How many pairs make an epoch: about as many as the documents fill. */
  readonly perEpoch: number
  readonly pair: (epoch: number, index: number) => SentencePair
  /** The batch of a step. */
  readonly batches: Batches<PairBatch>
}

/** Documents end to end. Those of a single sentence come last: a pair cannot begin in them. */
interface Text {
  readonly ids: Int32Array
  /** Where sentence s begins in `ids`; one more entry for the end. */
  readonly sentences: Int32Array
  /** The first sentence of document d; one more entry for the end. */
  readonly documents: Int32Array
  /** How many ids belong to documents of several sentences. */
  readonly eligible: number
}

type Documents = readonly (readonly ArrayLike<number>[])[]

const textOf = (documents: Documents): Text => {
  const filled = documents
    .map((document) => document.filter((sentence) => sentence.length > 0))
    .filter((document) => document.length > 0)
  const several = filled.filter((document) => document.length > 1)
  const ordered = [...several, ...filled.filter((document) => document.length === 1)]
  const all = ordered.flat()
  const size = (some: readonly ArrayLike<number>[]): number =>
    some.reduce((sum, { length }) => sum + length, 0)
  const ids = new Int32Array(size(all))
  const sentences = new Int32Array(all.length + 1)
  all.forEach((sentence, s) => {
    ids.set(sentence, sentences[s] as number)
    sentences[s + 1] = (sentences[s] as number) + sentence.length
  })
  const firsts = new Int32Array(ordered.length + 1)
  ordered.forEach((document, d) => {
    firsts[d + 1] = (firsts[d] as number) + document.length
  })
  return { ids, sentences, documents: firsts, eligible: size(several.flat()) }
}

/** The last place whose start is at most `position`. */
const placeOf = (starts: Int32Array, position: number): number => {
  let low = 0
  let high = starts.length - 1
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as number) <= position) low = middle
    else high = middle
  }
  return low
}

/** From `begin` up to `end`, in ids. */
interface Segment {
  readonly begin: number
  readonly end: number
}

const sizeOf = ({ begin, end }: Segment): number => end - begin

/** The sentence behind the first `count` ids from sentence `first` on, within the document that ends before `stop`. */
const sentenceAfter = (text: Text, first: number, stop: number, count: number): number => {
  const enough = (text.sentences[first] as number) + count
  let last = first + 1
  while (last < stop && (text.sentences[last] as number) < enough) last++
  return last
}

const segment = ({ sentences }: Text, first: number, stop: number): Segment => ({
  begin: sentences[first] as number,
  end: sentences[stop] as number,
})

/** Text from another document than the one given, wherever a random id lies. */
const elsewhere = (text: Text, draws: Draws, document: number, count: number): Segment => {
  const own = segment(text, text.documents[document] as number, text.documents[document + 1] as number)
  const drawn = draws.below(text.ids.length - sizeOf(own))
  const at = drawn < own.begin ? drawn : drawn + sizeOf(own)
  const first = placeOf(text.sentences, at)
  const stop = text.documents[placeOf(text.documents, first) + 1] as number
  return segment(text, first, sentenceAfter(text, first, stop, count))
}

/** Takes ids away until both segments fit: from the longer one, from its front or its back by chance. */
const truncate = (draws: Draws, a: Segment, b: Segment, most: number): readonly [Segment, Segment] => {
  let [first, second] = [a, b]
  const shorter = ({ begin, end }: Segment): Segment =>
    draws.chance(0.5) ? { begin: begin + 1, end } : { begin, end: end - 1 }
  for (;;) {
    const [m, n] = [sizeOf(first), sizeOf(second)]
    if (m + n <= most) return [first, second]
    if (m > n) first = shorter(first)
    else second = shorter(second)
  }
}

const pack = ({ ids }: Text, a: Segment, b: Segment, label: number, config: PairConfig): SentencePair => {
  const middle = 2 + sizeOf(a)
  const packed = new Int32Array(middle + sizeOf(b) + 1)
  packed[0] = config.classId
  packed.set(ids.subarray(a.begin, a.end), 1)
  packed[middle - 1] = config.separatorId
  packed.set(ids.subarray(b.begin, b.end), middle)
  packed[packed.length - 1] = config.separatorId
  return { ids: packed, tokenTypes: new Int32Array(packed.length).fill(1, middle), label }
}

/** A pair that begins at the sentence around the id at `position`. */
const pairAt = (text: Text, draws: Draws, position: number, config: PairConfig): SentencePair => {
  const { length, randomProbability = 0.5, shortProbability = 0.1 } = config
  const most = length - 3
  const target = draws.chance(shortProbability) ? 2 + draws.below(most - 1) : most
  const around = placeOf(text.sentences, position)
  const document = placeOf(text.documents, around)
  const stop = text.documents[document + 1] as number
  // the last sentence has none behind it
  const first = Math.min(around, stop - 2)
  const last = Math.max(first + 2, sentenceAfter(text, first, stop, target))
  const middle = first + 1 + draws.below(last - first - 1)
  const a = segment(text, first, middle)
  const random = draws.chance(randomProbability)
  const b = random
    ? elsewhere(text, draws, document, Math.max(1, target - sizeOf(a)))
    : segment(text, middle, last)
  return pack(text, ...truncate(draws, a, b, most), random ? 1 : 0, config)
}

/** Pairs side by side, padded to one length. */
const batchOf = (pairs: readonly SentencePair[], { length, paddingId }: PairConfig): PairBatch => {
  const size = pairs.length * length
  const ids = new Int32Array(size).fill(paddingId)
  const tokenTypes = new Int32Array(size)
  const keyMask = new Uint8Array(size)
  pairs.forEach((pair, i) => {
    ids.set(pair.ids, i * length)
    tokenTypes.set(pair.tokenTypes, i * length)
    keyMask.fill(1, i * length, i * length + pair.ids.length)
  })
  const shape = [pairs.length, length] as const
  return {
    ids: fromArray(ids, shape),
    tokenTypes: fromArray(tokenTypes, shape),
    keyMask: fromArray(keyMask, shape),
    nextSentenceLabels: fromArray(
      Int32Array.from(pairs, ({ label }) => label),
      [pairs.length],
    ),
  }
}

/**
 * Sentence pairs of tokenized documents. Pairs begin evenly all over the documents that have two sentences, each epoch
 * at other places; random second segments come from anywhere in the other documents, so that they are of the same
 * sort as true ones.
 *
 * @param documents the sentences of each document, as ids without special tokens
 * @returns Left: that the documents cannot make pairs.
 * @example
 * ```ts
 * import { toNested } from 'pullback'
 * import { sentencePairs } from 'pullback/training'
 * const documents = [[[11, 12], [13], [14, 15]], [[21, 22, 23], [24]]]
 * const config = { length: 10, batchSize: 2, seed: 1, classId: 2, separatorId: 3, paddingId: 0 }
 * const made = sentencePairs(documents, config)
 * if (made._tag === 'Left') throw new Error(made.left)
 * const { ids, nextSentenceLabels } = await made.right.batches(0)
 * console.log(await toNested(ids)) // => [ [ 2, 13, 3, 21, 22, 23, 24, 3, 0, 0 ], [ 2, 11, 12, 3, 13, 14, 15, 3, 0, 0 ] ]
 * console.log(await toNested(nextSentenceLabels)) // => [ 1, 0 ]
 * ```
 */
export const sentencePairs = (documents: Documents, config: PairConfig): E.Either<string, Pairs> => {
  const { length, batchSize } = config
  if (!Number.isInteger(length) || length < 5)
    throw argumentError('sentencePairs', `rows must have room for 5 ids, got the length ${length}`)
  const text = textOf(documents)
  if (text.documents.length < 3)
    return E.left(
      'sentence pairs: at least two documents with text are needed, to take sentences from another',
    )
  if (text.eligible === 0)
    return E.left('sentence pairs: no document has two sentences, so that one could follow another')
  const key = hostKey(config.seed)
  const perEpoch = Math.max(1, Math.round(text.eligible / (length - 3)))
  const pair = (epoch: number, index: number): SentencePair => {
    const draws = drawsOf(foldHostKey(foldHostKey(foldHostKey(key, 1), epoch), index))
    const position = Math.floor(((index + draws.bits() / 2 ** 32) * text.eligible) / perEpoch)
    return pairAt(text, draws, Math.min(position, text.eligible - 1), config)
  }
  const places = epochPlaces({ examples: perEpoch, batchSize, key: foldHostKey(key, 0) })
  const batches = (step: number): PairBatch =>
    batchOf(
      places(step).map(({ epoch, index }) => pair(epoch, index)),
      config,
    )
  return E.right({ perEpoch, pair, batches })
}
