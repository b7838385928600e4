/**
 * Speculative decoding (Leviathan, Kalman and Matias, "Fast inference from Transformers via speculative decoding", 2023):
 * tokens are proposed, by a small reader or by the text itself, the large reader reads all of them at once, and keeps as
 * many as it would have written.
 */
import { random, toArray } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { best, checked, drawn } from './choose.ts'
import type { GenerateOptions, Reason, Token } from './generate.ts'
import { lookedUp } from './lookup.ts'
import type { Draft, Processor } from './processor/index.ts'
import { probabilities } from './processor/index.ts'
import type { Passage, Reader, Reading } from './reader.ts'

/** A token that is proposed, and the chances by which it was drawn; none where nothing was left to chance. */
interface Proposal {
  readonly id: number
  readonly chances?: Float64Array | undefined
}

/** What proposes tokens to a text: as many as there are numbers in [0, 1), by which they may be drawn, or fewer. */
type Proposer = (text: Draft, places: readonly number[]) => Promise<readonly Proposal[]>

export interface Writing {
  readonly reader: Reader
  /** What is done to all scores. */
  readonly process: Processor
}

export interface Row {
  readonly row: number
  readonly prompt: readonly number[]
  readonly ends: readonly number[]
  readonly stop: (draft: Draft) => boolean
}

const through = (reading: Reading, tokens: readonly number[], back: number): Promise<Passage> => {
  if (reading.through === undefined)
    throw argumentError('generate', 'a reader that cannot take tokens back cannot read what is proposed')
  return reading.through([tokens], back)
}

const longer = (text: Draft, ...more: readonly number[]): Draft => ({ ...text, ids: [...text.ids, ...more] })

/** The token that scores choose, by a number in [0, 1) where they do by chance. */
const chosen = (scores: Float32Array, place: number, byChance: boolean): Proposal => {
  if (!byChance) return { id: best(scores) }
  const chances = probabilities(scores)
  return { id: drawn(chances, place), chances }
}

/** How many tokens two texts begin with in common. */
const common = (a: readonly number[], b: readonly number[]): number => {
  let same = 0
  while (same < a.length && same < b.length && a[same] === b[same]) same++
  return same
}

/** A small reader proposes what it would write itself; its scores are for `size` tokens, as the large one's. */
const byReader = async (
  draft: Reader,
  { process }: Writing,
  prompt: readonly number[],
  size: number,
  byChance: boolean,
): Promise<Proposer> => {
  let reading = await draft.start([prompt])
  let read = prompt
  const [{ length }] = reading.scores as readonly [Float32Array]
  if (length !== size)
    throw argumentError(
      'generate',
      `the draft has ${length} tokens in its vocabulary, the reader has ${size}`,
    )
  return async (text, places) => {
    const proposals: Proposal[] = []
    let own = text
    const room = Math.max(0, (draft.maxLength ?? Infinity) - text.ids.length - 1)
    for (const place of places.slice(0, room)) {
      // What it proposed and was not kept is taken back; the last token is read again rather than none.
      const kept = Math.min(common(read, own.ids), own.ids.length - 1)
      const passage = await through(reading, own.ids.slice(kept), read.length - kept)
      ;[reading, read] = [passage.reading, own.ids]
      const next = chosen(process(passage.scores[0]?.at(-1) as Float32Array, own), place, byChance)
      proposals.push(next)
      own = longer(own, next.id)
    }
    return proposals
  }
}

/** The text itself proposes what came after its last tokens before. */
const byLookup =
  (longest: number): Proposer =>
  ({ ids }, places) =>
    Promise.resolve(lookedUp(ids, places.length, longest).map((id) => ({ id })))

/** What is left of the chances of one where those of the other were taken away: in proportion to max(0, p - q). */
export const remainder = (p: Float64Array, q: Float64Array): Float64Array => {
  const rest = p.map((x, id) => Math.max(0, x - (q[id] as number)))
  const sum = rest.reduce((a, b) => a + b, 0)
  // Where rounding leaves nothing, the two are the same.
  return sum > 0 ? rest.map((x) => x / sum) : p
}

/** The chances by which a proposal was drawn, one of `size` tokens. */
const chancesOf = ({ id, chances }: Proposal, size: number): Float64Array =>
  chances ?? new Float64Array(size).fill(1, id, id + 1)

/** Numbers in [0, 1) that belong to a place in a text: so many for its proposals, their acceptance, and what follows. */
const chancesAt = async (key: Key, row: number, place: number, count: number): Promise<readonly number[]> =>
  Array.from(await toArray(random.uniform(random.foldIn(random.foldIn(key, place), row), [2 * count + 1])))

/** One text, token by token, as `stream` gives it. */
export async function* speculated(
  writing: Writing,
  { row, prompt, ends, stop }: Row,
  options: GenerateOptions,
): AsyncGenerator<Token, void, undefined> {
  const { reader, process } = writing
  const { maxTokens, sample, draft, promptLookup, maxMatchingNgram = 2 } = options
  const most = promptLookup ?? options.draftTokens ?? 4
  const byChance = sample !== undefined
  const limit = Math.min(prompt.length + maxTokens, reader.maxLength ?? Infinity)
  let text: Draft = { ids: prompt, prompt: prompt.length }
  const write = (id: number): Token => {
    text = longer(text, checked(id))
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
  const placesAt = async (count: number): Promise<readonly number[]> =>
    sample === undefined
      ? new Array<number>(2 * count + 1).fill(0)
      : chancesAt(sample, row, text.ids.length, count)

  let reading = await reader.start([prompt])
  const [first] = reading.scores as readonly [Float32Array]
  const [begin = 0] = await placesAt(0)
  const token = write(chosen(process(first, text), begin, byChance).id)
  yield token
  if (token.reason !== undefined) return
  const propose =
    draft === undefined
      ? byLookup(maxMatchingNgram)
      : await byReader(draft, writing, prompt, first.length, byChance)

  /** How many tokens the reader has read that the text does not have. */
  let behind = 0
  for (;;) {
    const last = text.ids.at(-1) as number
    const room = Math.max(0, Math.min(most, limit - text.ids.length - 1))
    const places = await placesAt(room)
    const proposals = await propose(text, places.slice(0, room))
    const count = proposals.length
    const passage = await through(reading, [last, ...proposals.map(({ id }) => id)], behind)
    reading = passage.reading
    const found = passage.scores[0] as readonly Float32Array[]
    let kept = 0
    for (; kept < count; kept++) {
      const proposal = proposals[kept] as Proposal
      const scores = process(found[kept] as Float32Array, text)
      let next = proposal.id
      let accepted: boolean
      if (byChance) {
        const p = probabilities(scores)
        const q = chancesOf(proposal, p.length)
        accepted = (places[room + kept] as number) * (q[next] as number) < (p[next] as number)
        if (!accepted) next = drawn(remainder(p, q), places[2 * room] as number)
      } else {
        next = best(scores)
        accepted = next === proposal.id
      }
      const written = write(next)
      yield written
      if (written.reason !== undefined) return
      if (!accepted) break
    }
    if (kept === count) {
      const scores = process(found[count] as Float32Array, text)
      const written = write(chosen(scores, places[2 * room] as number, byChance).id)
      yield written
      if (written.reason !== undefined) return
    }
    behind = count - kept
  }
}
