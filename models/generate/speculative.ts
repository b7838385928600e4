/**
 * Speculative decoding (Leviathan, Kalman and Matias, "Fast inference from Transformers via speculative decoding", 2023):
 * a small reader proposes tokens, the large one reads all of them at once, and keeps as many as it would have written.
 */
import { random, toArray } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { best, checked, drawn } from './choose.ts'
import type { GenerateOptions, Reason, Token } from './generate.ts'
import type { Draft, Processor } from './processor/index.ts'
import { probabilities } from './processor/index.ts'
import type { Passage, Reader, Reading } from './reader.ts'

export interface Pair {
  readonly reader: Reader
  readonly draft: Reader
  /** What is done to the scores of both. */
  readonly process: Processor
}

export interface Row {
  readonly row: number
  readonly prompt: readonly number[]
  readonly ends: readonly number[]
  readonly stop: (draft: Draft) => boolean
}

/** A token that is proposed, and the chances by which it was drawn; none where the likeliest is taken. */
interface Proposal {
  readonly id: number
  readonly chances: Float64Array | undefined
}

const through = (reading: Reading, tokens: readonly number[], back: number): Promise<Passage> => {
  if (reading.through === undefined)
    throw argumentError('generate', 'a reader that cannot take tokens back cannot be used with a draft')
  return reading.through([tokens], back)
}

/** What is left of the chances of one where those of the other were taken away: in proportion to max(0, p - q). */
export const remainder = (p: Float64Array, q: Float64Array): Float64Array => {
  const rest = p.map((x, id) => Math.max(0, x - (q[id] as number)))
  const sum = rest.reduce((a, b) => a + b, 0)
  // Where rounding leaves nothing, the two are the same.
  return sum > 0 ? rest.map((x) => x / sum) : p
}

/** Numbers in [0, 1) that belong to a place in a text: so many for its proposals, their acceptance, and what follows. */
const chancesAt = async (key: Key, row: number, place: number, count: number): Promise<readonly number[]> =>
  Array.from(await toArray(random.uniform(random.foldIn(random.foldIn(key, place), row), [2 * count + 1])))

/** One text, token by token, as `stream` gives it. */
export async function* speculated(
  { reader, draft, process }: Pair,
  { row, prompt, ends, stop }: Row,
  { maxTokens, sample, draftTokens = 4 }: GenerateOptions,
): AsyncGenerator<Token, void, undefined> {
  if (!(Number.isInteger(draftTokens) && draftTokens > 0))
    throw argumentError('generate', `draftTokens must be a positive integer, got ${draftTokens}`)
  const limit = Math.min(prompt.length + maxTokens, reader.maxLength ?? Infinity)
  let text: Draft = { ids: prompt, prompt: prompt.length }
  const extended = (...more: readonly number[]): Draft => ({ ...text, ids: [...text.ids, ...more] })
  const write = (id: number): Token => {
    text = extended(checked(id))
    const full = text.ids.length >= limit
    const reason: Reason | undefined = ends.includes(id)
      ? 'end'
      : stop(text)
        ? 'stop'
        : full
          ? 'length'
          : undefined
    return { row, id, ...(reason === undefined ? {} : { reason }) }
  }
  const choose = (scores: Float32Array, place: number): Proposal => {
    if (sample === undefined) return { id: best(scores), chances: undefined }
    const chances = probabilities(scores)
    return { id: drawn(chances, place), chances }
  }

  const begin = await reader.start([prompt])
  const [first] = begin.scores as readonly [Float32Array]
  const places = sample === undefined ? [0] : await chancesAt(sample, row, prompt.length, 0)
  const token = write(choose(process(first, text), places[0] as number).id)
  yield token
  if (token.reason !== undefined) return

  // What each has read but not the text, and the text but not it: tokens to take back, and tokens to read.
  let [target, behind] = [begin, 0]
  let [small, ahead] = [await draft.start([prompt]), 0]
  let unread: readonly number[] = [token.id]
  const [scoresOfDraft] = small.scores as readonly [Float32Array]
  if (scoresOfDraft.length !== first.length)
    throw argumentError(
      'generate',
      `the draft has ${scoresOfDraft.length} tokens in its vocabulary, the reader has ${first.length}`,
    )

  for (;;) {
    const last = text.ids.at(-1) as number
    const room = Math.min(limit, draft.maxLength ?? Infinity) - text.ids.length - 1
    const count = Math.max(0, Math.min(draftTokens, room))
    const chance = sample === undefined ? [] : await chancesAt(sample, row, text.ids.length, count)
    const proposals: Proposal[] = []
    const ids = (): readonly number[] => proposals.map(({ id }) => id)
    for (let i = 0; i < count; i++) {
      const passage = await through(
        small,
        i === 0 ? unread : [proposals.at(-1)?.id as number],
        i === 0 ? ahead : 0,
      )
      small = passage.reading
      const scores = process(passage.scores[0]?.at(-1) as Float32Array, extended(...ids()))
      proposals.push(choose(scores, chance[i] as number))
    }
    const passage = await through(target, [last, ...ids()], behind)
    target = passage.reading
    const found = passage.scores[0] as readonly Float32Array[]
    let kept = 0
    for (; kept < count; kept++) {
      const { id, chances: q } = proposals[kept] as Proposal
      const scores = process(found[kept] as Float32Array, text)
      let next = id
      let accepted: boolean
      if (q === undefined) {
        next = best(scores)
        accepted = next === id
      } else {
        const p = probabilities(scores)
        accepted = (chance[count + kept] as number) * (q[id] as number) < (p[id] as number)
        if (!accepted) next = drawn(remainder(p, q), chance[2 * count] as number)
      }
      const written = write(next)
      yield written
      if (written.reason !== undefined) return
      if (!accepted) break
    }
    if (kept === count) {
      const written = write(choose(process(found[count] as Float32Array, text), chance[2 * count] ?? 0).id)
      yield written
      if (written.reason !== undefined) return
    }
    // The text goes on behind `kept` proposals with one token that neither has read.
    behind = count - kept
    if (count > 0) {
      const all = kept === count
      ahead = all ? 0 : count - 1 - kept
      unread = all ? text.ids.slice(-2) : text.ids.slice(-1)
    }
  }
}
