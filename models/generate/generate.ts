/** Texts written token by token: the best token each time, or one drawn by chance. */
import { random, toArray } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { best, checked, drawn } from './choose.ts'
import type { ScoreOptions } from './option.ts'
import { rulesOf, warpsOf } from './option.ts'
import type { Draft } from './processor/index.ts'
import { chain, probabilities } from './processor/index.ts'
import type { Reader } from './reader.ts'
import { speculated } from './speculative.ts'

export interface GenerateOptions extends ScoreOptions {
  /** The most tokens that are written. */
  readonly maxTokens: number
  /** Tokens that end a text; the one that did is its last. */
  readonly endIds?: readonly number[] | undefined
  /** Tokens are drawn by their probabilities with this key; the likeliest is taken where it is left out. */
  readonly sample?: Key | undefined
  /** Whether a text is complete, such as `stopStrings`; asked after each token. */
  readonly stop?: ((draft: Draft) => boolean) | undefined
  /**
   * A faster reader of the same vocabulary, which proposes `draftTokens` tokens (4 by default) that this one reads at
   * once: the texts are those that this one writes alone, by the same chances (Leviathan et al. 2023). Texts are then
   * written one after the other.
   */
  readonly draft?: Reader | undefined
  readonly draftTokens?: number | undefined
  /**
   * In place of a draft, the text itself proposes as many tokens: those that came after its last ones before, of which
   * `maxMatchingNgram` (2 by default) are compared, or fewer where so many are not found (prompt lookup, Saxena 2023).
   */
  readonly promptLookup?: number | undefined
  readonly maxMatchingNgram?: number | undefined
}

/** Why a text is complete: an end token, `stop`, or its length, be it the one asked for or the model's. */
export type Reason = 'end' | 'stop' | 'length'

export interface Written {
  /** What was written, without the prompt. */
  readonly ids: readonly number[]
  readonly reason: Reason
}

/** A token as it is written. */
export interface Token {
  /** Which of the prompts it goes on with. */
  readonly row: number
  readonly id: number
  /** Why its text is complete, if it is. */
  readonly reason?: Reason
}

const checkOptions = (texts: number, options: GenerateOptions): void => {
  const { maxTokens, draft, promptLookup } = options
  if (texts === 0) throw argumentError('generate', 'expected at least one prompt, got none')
  if (!Number.isInteger(maxTokens) || maxTokens < 0)
    throw argumentError('generate', `maxTokens must be an integer of at least 0, got ${maxTokens}`)
  for (const name of ['draftTokens', 'promptLookup', 'maxMatchingNgram'] as const) {
    const { [name]: count = 1 } = options
    if (!(Number.isInteger(count) && count > 0))
      throw argumentError('generate', `${name} must be a positive integer, got ${count}`)
  }
  if (draft !== undefined && promptLookup !== undefined)
    throw argumentError('generate', 'tokens are proposed by a draft or by promptLookup, not by both')
}

/**
 * Tokens as they are written, row by row in each step. What row i draws depends on the key, its place in the batch and
 * the step alone.
 *
 * @throws PullbackError when no token is left to choose from.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { causalReader, gpt, gptConfig } from 'pullback/models'
 * const model = gpt(gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 }))
 * const reader = causalReader(model, model.init(random.key(0)))
 * const ids: number[] = []
 * for await (const { id } of stream(reader, [[3, 4, 5]], { maxTokens: 4, sample: random.key(1) })) ids.push(id)
 * console.log(ids.length) // => 4
 * ```
 */
export async function* stream(
  reader: Reader,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<Token, void, undefined> {
  checkOptions(prompts.length, options)
  const { maxTokens, endIds = [], sample, stop = () => false } = options
  const rules = rulesOf(options, endIds)
  const process = chain(sample === undefined ? rules : [...rules, ...warpsOf(options)])
  if (maxTokens === 0) return
  if (options.draft !== undefined || options.promptLookup !== undefined) {
    for (const [row, prompt] of prompts.entries())
      yield* speculated({ reader, process }, { row, prompt, ends: endIds, stop }, options)
    return
  }
  const drafts = prompts.map((ids): Draft => ({ ids, prompt: ids.length }))
  let reading = await reader.start(prompts)
  const done = prompts.map(() => false)
  for (let step = 0; ; step++) {
    const places =
      sample === undefined ? [] : await toArray(random.uniform(random.foldIn(sample, step), [prompts.length]))
    const tokens: number[] = []
    for (const [row, draft] of drafts.entries()) {
      if (done[row] === true) {
        // A complete text is read on for the sake of the others.
        tokens.push(draft.ids.at(-1) as number)
        continue
      }
      const scores = process(reading.scores[row] as Float32Array, draft)
      const id = checked(
        sample === undefined ? best(scores) : drawn(probabilities(scores), places[row] as number),
      )
      tokens.push(id)
      const longer = { ...draft, ids: [...draft.ids, id] }
      drafts[row] = longer
      const full = step + 1 === maxTokens || longer.ids.length >= (reader.maxLength ?? Infinity)
      const reason = endIds.includes(id) ? 'end' : stop(longer) ? 'stop' : full ? 'length' : undefined
      done[row] = reason !== undefined
      yield { row, id, ...(reason === undefined ? {} : { reason }) }
    }
    if (done.every((is) => is)) return
    reading = await reading.next(tokens)
  }
}

/**
 * Goes on with each prompt until it is complete.
 *
 * @returns What was written, in the order of the prompts.
 * @throws PullbackError when no token is left to choose from.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { causalReader, generate, gpt, gptConfig } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const params = gpt(config).init(random.key(0))
 * const reader = causalReader(gpt(config), params)
 * const [written] = await generate(reader, [[3, 4, 5]], { maxTokens: 4 })
 * console.log(written?.ids.length, written?.reason) // => 4 length
 * ```
 */
export const generate = async (
  reader: Reader,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<readonly Written[]> => {
  const ids = prompts.map((): number[] => [])
  const reasons = prompts.map((): Reason => 'length')
  for await (const { row, id, reason } of stream(reader, prompts, options)) {
    ;(ids[row] as number[]).push(id)
    if (reason !== undefined) reasons[row] = reason
  }
  return ids.map((own, row) => ({ ids: own, reason: reasons[row] as Reason }))
}

/**
 * A `stop` that ends a text where what was written contains one of these strings; `decode` makes text of ids.
 *
 * @example
 * ```ts
 * import { stopStrings } from 'pullback/models'
 * const words = ['a', 'b', '.']
 * const stop = stopStrings(['.'], (ids) => ids.map((id) => words[id]).join(''))
 * console.log(stop({ ids: [0, 1], prompt: 1 }), stop({ ids: [0, 1, 2], prompt: 1 })) // => false true
 * ```
 */
export const stopStrings =
  (strings: readonly string[], decode: (ids: readonly number[]) => string): ((draft: Draft) => boolean) =>
  ({ ids, prompt }) => {
    const text = decode(ids.slice(prompt))
    return strings.some((string) => text.includes(string))
  }
