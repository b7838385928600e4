/** question-answering: where in a text, however long, the answer to a question stands. */
import type { Encoding } from '../tokenizer/encoding.ts'
import { softmax } from './score.ts'

export interface AnswerInput {
  readonly question: string
  readonly context: string
}

export interface AnsweringOptions {
  /** How many answers are given at most, the likeliest first. 1 by default. */
  readonly topK?: number | undefined
  /** Tokens of a window, the question's among them: 384 by default, or as many as the model reads. */
  readonly maxSeqLen?: number | undefined
  /** Tokens that neighbouring windows share: 128 by default, or half a window where that is less. */
  readonly docStride?: number | undefined
  /** Tokens of an answer at most. 15 by default. */
  readonly maxAnswerLen?: number | undefined
  /** Whether the answer may be that there is none: an empty one. False by default. */
  readonly handleImpossibleAnswer?: boolean | undefined
  /** Whether answers begin and end with words rather than tokens. True by default. */
  readonly alignToWords?: boolean | undefined
}

/** `context.slice(start, end)` is the answer. */
export interface Answer {
  readonly score: number
  readonly start: number
  readonly end: number
  readonly answer: string
}

/** A window of a context behind its question, and what the model made of it: scores [time]. */
export interface Window {
  readonly encoding: Encoding
  readonly startScores: Float32Array
  readonly endScores: Float32Array
}

interface Span {
  readonly first: number
  readonly last: number
  readonly score: number
}

/** The best spans of at most so many tokens, best first. */
const bestSpans = (
  starts: readonly number[],
  ends: readonly number[],
  longest: number,
  count: number,
): readonly Span[] => {
  const best: Span[] = []
  for (const [first, start] of starts.entries())
    for (let last = first; last < Math.min(first + longest, ends.length); last++) {
      const score = start * (ends[last] as number)
      if (best.length === count && score <= (best[count - 1] as Span).score) continue
      let place = best.length
      while (place > 0 && (best[place - 1] as Span).score < score) place--
      best.splice(place, 0, { first, last, score })
      if (best.length > count) best.pop()
    }
  return best
}

/** Where the words of two tokens begin and end, as far as the window has them. */
const wordRange = (
  { wordIds, sequenceIds, offsets }: Encoding,
  { first, last }: Span,
): readonly [number, number] => {
  const place = (token: number): readonly number[] =>
    wordIds.flatMap((word, i) =>
      sequenceIds[i] === 1 && word !== null && word === wordIds[token] ? [i] : [],
    )
  const [start, end] = [place(first)[0] ?? first, place(last).at(-1) ?? last]
  return [offsets[start]?.[0] as number, offsets[end]?.[1] as number]
}

/** What is a probability among tokens that may be in an answer, and 0 for all others. */
const among = (scores: Float32Array, may: readonly boolean[]): readonly number[] =>
  softmax(Array.from(scores, (x, i) => (may[i] === true ? x : -10000)))

/**
 * The answers that windows of a context hold; the same words found twice are one answer, with both probabilities.
 *
 * @example
 * ```ts
 * import { answers, encode, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const encoding = encode(tokenizer, 'who sat?', {}, 'the cat sat')
 * if (encoding._tag === 'Left') throw new Error(encoding.left)
 * const at = (token: string): Float32Array =>
 *   Float32Array.from(encoding.right.tokens, (own, i) => (own === token && i > 3 ? 9 : 0))
 * const windows = [{ encoding: encoding.right, startScores: at('the'), endScores: at('cat') }]
 * console.log(answers('the cat sat', windows, undefined)[0]?.answer) // => the cat
 * ```
 */
export const answers = (
  context: string,
  windows: readonly Window[],
  clsId: number | undefined,
  options: AnsweringOptions = {},
): readonly Answer[] => {
  const { topK = 1, maxAnswerLen = 15, handleImpossibleAnswer = false, alignToWords = true } = options
  const found = new Map<string, Answer>()
  let none = 1e6
  for (const { encoding, startScores, endScores } of windows) {
    const may = encoding.ids.map((id, i) => encoding.sequenceIds[i] === 1 || id === clsId)
    const [starts, ends] = [[...among(startScores, may)], [...among(endScores, may)]]
    none = Math.min(none, (starts[0] as number) * (ends[0] as number))
    // The first token stands for no answer.
    starts[0] = 0
    ends[0] = 0
    // Some spans are the same words.
    const spans = bestSpans(starts, ends, maxAnswerLen, alignToWords ? 2 * topK + 10 : topK)
    for (const span of spans) {
      if (may[span.first] !== true || may[span.last] !== true) continue
      const { offsets } = encoding
      const [start, end] = alignToWords
        ? wordRange(encoding, span)
        : [offsets[span.first]?.[0] as number, offsets[span.last]?.[1] as number]
      const answer = context.slice(start, end)
      const known = found.get(answer.toLowerCase())
      found.set(
        answer.toLowerCase(),
        known === undefined
          ? { score: span.score, start, end, answer }
          : { ...known, score: known.score + span.score },
      )
    }
  }
  const impossible = handleImpossibleAnswer ? [{ score: none, start: 0, end: 0, answer: '' }] : []
  return [...found.values(), ...impossible].sort((a, b) => b.score - a.score).slice(0, topK)
}
