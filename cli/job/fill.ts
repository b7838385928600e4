/** Filling in masked words, and looking at where a BERT looks. */
import { either as E } from 'fp-ts'
import { cast, fromArray, jit, softmax, tensor, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evaluation, withTaps } from '../../nn/index.ts'
import { bertForPreTraining, idToToken } from '../../models/index.ts'
import type { BertConfig, BertForPreTrainingParams, MaskedInput, Tokenizer } from '../../models/index.ts'
import { documentSentences } from '../../training/index.ts'
import type { Document } from '../../training/index.ts'
import type { Attention, Filled } from '../report/report.ts'
import { encodeWithin } from './encode.ts'
import { specialsOf } from './special.ts'

/** A pretrained BERT. */
export interface Filler {
  readonly config: BertConfig
  readonly params: BertForPreTrainingParams
}

export interface Guess {
  readonly token: string
  readonly probability: number
}

/** The input of a row of ids, padded to the model's length so that every text runs the same program. */
const inputOf = (ids: readonly number[], { maxLength, paddingId }: BertConfig): MaskedInput => {
  const padded = Int32Array.from({ length: maxLength }, (_, i) => ids[i] ?? paddingId)
  const real = Uint8Array.from({ length: maxLength }, (_, i) => Number(i < ids.length))
  return {
    ids: fromArray(padded, [1, maxLength]),
    keyMask: cast(fromArray(real, [1, maxLength]), 'bool'),
  }
}

/** The likeliest tokens for each `[MASK]` of a text. Left: there is none. */
export const fillMasks = (
  { config, params }: Filler,
  tokenizer: Tokenizer,
): ((text: string, top: number) => Promise<E.Either<string, readonly (readonly Guess[])[]>>) => {
  const model = bertForPreTraining(config)
  const run = jit((p: BertForPreTrainingParams, input: MaskedInput): Tensor =>
    softmax(model.apply(p, evaluation)(input).predictionLogits),
  )
  const own = specialsOf(tokenizer)
  const specials = new Set<number>(Object.values(own))
  return async (text, top) => {
    const { ids } = encodeWithin(tokenizer, text, config.maxLength)
    const at = ids.flatMap((id, i) => (id === own.mask ? [i] : []))
    if (at.length === 0)
      return E.left(
        text.includes('[MASK]')
          ? `fill: [MASK] lies beyond the model's ${config.maxLength} tokens`
          : 'fill: the text has no [MASK] to fill in',
      )
    const predictAt = tensor([at], { dtype: 'int32' })
    const probabilities = await toArray(run(params, { ...inputOf(ids, config), predictAt }))
    return E.right(
      at.map((_, row) => {
        const scores = probabilities.slice(row * config.vocabularySize, (row + 1) * config.vocabularySize)
        return [...scores.keys()]
          .filter((id) => !specials.has(id))
          .sort((a, b) => (scores[b] as number) - (scores[a] as number))
          .slice(0, top)
          .map((id) => ({ token: idToToken(tokenizer, id) ?? '', probability: scores[id] as number }))
      }),
    )
  }
}

/** A sentence with one word taken out. */
interface Gap {
  readonly text: string
  readonly answer: string
}

/** Some of a document's sentences with a word taken out: whole words of four letters or more that are one token. */
const gapOf = (tokenizer: Tokenizer, sentence: string, salt: number): Gap | undefined => {
  const { tokens, offsets, ids } = encodeWithin(tokenizer, sentence, 48)
  if (ids.length < 10 || ids.length > 40) return undefined
  const words = tokens.flatMap((token, i) =>
    /^[a-z]{4,}$/.test(token) && tokens[i + 1]?.startsWith('##') !== true ? [i] : [],
  )
  const chosen = words[salt % Math.max(1, words.length)]
  if (chosen === undefined) return undefined
  const [start, end] = offsets[chosen] as readonly [number, number]
  return {
    text: `${sentence.slice(0, start)}[MASK]${sentence.slice(end)}`,
    answer: sentence.slice(start, end),
  }
}

/** What begins and ends as a sentence does; headings and items of lists say too little of a word. */
const isWhole = (text: string): boolean => /^\p{Lu}.*[.!?]$/su.test(text)

/**
 * Held-out sentences with a word taken out, spread evenly over the documents of prose; nobody picks them. Whole
 * sentences, where there are enough.
 */
export const heldOutGaps = (
  tokenizer: Tokenizer,
  documents: readonly Document[],
  wanted: number,
): readonly Gap[] => {
  const prose = documents.filter(({ kind }) => kind === 'documentation' || kind === 'text')
  const all = (prose.length > 0 ? prose : documents)
    .flatMap(documentSentences)
    .flatMap((sentence, i) => gapOf(tokenizer, sentence, i) ?? [])
  const whole = all.filter(({ text }) => isWhole(text))
  const gaps = whole.length < wanted ? all : whole
  const step = Math.max(1, Math.floor(gaps.length / wanted))
  return gaps.filter((_, i) => i % step === Math.floor(step / 2)).slice(0, wanted)
}

/** Gaps filled in by the model, with what begins a word: a whole word stood there. */
export const fillGaps = async (
  filler: Filler,
  tokenizer: Tokenizer,
  gaps: readonly Gap[],
): Promise<readonly Filled[]> => {
  const fill = fillMasks(filler, tokenizer)
  const { config } = filler
  const filled: Filled[] = []
  for (const { text, answer } of gaps) {
    const guesses = await fill(text, config.vocabularySize)
    if (E.isLeft(guesses)) continue
    const words = (guesses.right[0] ?? []).filter(({ token }) => !token.startsWith('##'))
    filled.push({ text, answer, guesses: words.slice(0, 5) })
  }
  return filled
}

/** Where each head of each layer looks, for one text. */
export const attentionOf = async (
  { config, params }: Filler,
  tokenizer: Tokenizer,
  text: string,
): Promise<Attention> => {
  const { ids, tokens } = encodeWithin(tokenizer, text, Math.min(32, config.maxLength))
  const paths = Array.from({ length: config.layers }, (_, i) => `encoder/block/${i}/attention/weights`)
  const { taps } = withTaps(bertForPreTraining(config), paths).apply(
    params,
    evaluation,
  )({ ids: tensor([[...ids]], { dtype: 'int32' }) })
  const n = ids.length
  const weights = await Promise.all(
    paths.map(async (path) => {
      const flat = await toArray(taps[path] as Tensor)
      return Array.from({ length: config.heads }, (_, head) =>
        Array.from({ length: n }, (_, query) =>
          Array.from({ length: n }, (_, key) =>
            Number((flat[(head * n + query) * n + key] as number).toFixed(4)),
          ),
        ),
      )
    }),
  )
  return { title: 'Where it looks', tokens: [...tokens], weights }
}
