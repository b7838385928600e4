/** What a user says of a text that is to be written, as processors. */
import * as p from './processor/index.ts'
import type { Draft, Processor } from './processor/index.ts'

export interface ScoreOptions {
  readonly temperature?: number | undefined
  /** As many of the likeliest tokens. */
  readonly topK?: number | undefined
  /** The likeliest tokens that have this probability together. */
  readonly topP?: number | undefined
  /** Tokens of at least this part of the likeliest one's probability. */
  readonly minP?: number | undefined
  readonly typicalP?: number | undefined
  readonly epsilonCutoff?: number | undefined
  readonly etaCutoff?: number | undefined
  /** Above 1, what was read or written becomes less likely. */
  readonly repetitionPenalty?: number | undefined
  readonly frequencyPenalty?: number | undefined
  readonly presencePenalty?: number | undefined
  /** So many tokens in a row never come twice. */
  readonly noRepeatNgram?: number | undefined
  /** Sequences that are never written. */
  readonly badWords?: readonly (readonly number[])[] | undefined
  readonly sequenceBias?: readonly (readonly [readonly number[], number])[] | undefined
  /** Which tokens may come next. */
  readonly allowed?: ((id: number, draft: Draft) => boolean) | undefined
  /** No end before so many tokens. */
  readonly minTokens?: number | undefined
  /** What else is done to scores, after all the others but before tokens are drawn by chance. */
  readonly processors?: readonly Processor[] | undefined
}

const given = <A>(value: A | undefined, make: (value: A) => Processor): readonly Processor[] =>
  value === undefined ? [] : [make(value)]

/** What changes which token is the best: in the order of the original library. */
export const rulesOf = (options: ScoreOptions, endIds: readonly number[]): readonly Processor[] => [
  ...given(options.sequenceBias, p.sequenceBias),
  ...given(options.repetitionPenalty, p.repetitionPenalty),
  ...given(options.frequencyPenalty, p.frequencyPenalty),
  ...given(options.presencePenalty, p.presencePenalty),
  ...given(options.noRepeatNgram, p.noRepeatNgram),
  ...given(options.badWords, p.badWords),
  ...given(options.minTokens, (count) => p.minTokens(count, endIds)),
  ...given(options.allowed, p.constrain),
  ...(options.processors ?? []),
]

/** What changes chances when tokens are drawn. */
export const warpsOf = (options: ScoreOptions): readonly Processor[] => [
  ...given(options.temperature, p.temperature),
  ...given(options.topK, p.topK),
  ...given(options.topP, p.topP),
  ...given(options.minP, p.minP),
  ...given(options.typicalP, p.typicalP),
  ...given(options.epsilonCutoff, p.epsilonCutoff),
  ...given(options.etaCutoff, p.etaCutoff),
]
