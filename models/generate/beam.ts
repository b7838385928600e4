/**
 * Beam search: of all ways to go on, the few whose texts have the highest probability so far are kept. Which texts
 * win, and when the search ends, is as in Transformers 5.
 */
import { argumentError } from '../../core/error.ts'
import type { ScoreOptions } from './option.ts'
import { rulesOf } from './option.ts'
import type { Draft } from './processor/index.ts'
import { chain, logProbabilities } from './processor/index.ts'
import type { Reader, Reading } from './reader.ts'

export interface BeamOptions extends Omit<
  ScoreOptions,
  'temperature' | 'topK' | 'topP' | 'minP' | 'typicalP' | 'epsilonCutoff' | 'etaCutoff'
> {
  /** How many texts are kept for each prompt, in all groups together. */
  readonly beams: number
  readonly maxTokens: number
  /**
   * Beams are searched in so many groups of equal size, one after the other in each step (diverse beam search,
   * Vijayakumar et al. 2016); 1 by default.
   */
  readonly groups?: number | undefined
  /** By how much a token's log probability sinks for each beam of an earlier group that has just taken it; 0 by default. */
  readonly diversityPenalty?: number | undefined
  /** Tokens that end a text. */
  readonly endIds?: readonly number[] | undefined
  /** The exponent of the length by which a text's log probability is divided: above 0, long texts win; 1 by default. */
  readonly lengthPenalty?: number | undefined
  /**
   * Whether the search of a prompt ends when there are as many complete texts as beams (true), when a better one is
   * unlikely (false, by default), or when none is possible ('never').
   */
  readonly earlyStopping?: boolean | 'never' | undefined
  /** How many texts are returned for each prompt; 1 by default. */
  readonly count?: number | undefined
  readonly stop?: ((draft: Draft) => boolean) | undefined
}

export interface Found {
  /** What was written, without the prompt. */
  readonly ids: readonly number[]
  /** Its log probability, divided by its length to the length penalty. */
  readonly score: number
}

interface Beam {
  readonly draft: Draft
  /** The log probability of what was written. */
  readonly score: number
}

interface Candidate extends Beam {
  /** The row of the reading that it goes on from. */
  readonly row: number
  readonly complete: boolean
}

/** What is searched for one prompt. */
interface Search {
  readonly running: readonly Candidate[]
  readonly found: readonly Found[]
  /** The tokens that its texts went on with last, ends aside. */
  readonly taken: readonly number[]
  /** Whether a better text may be found. */
  readonly open: boolean
}

/** Where no text is. */
const nothing = -1e9

/** The best continuations of beams: [beams] texts and their scores, best first. */
const continuations = (
  beams: readonly { readonly beam: Beam; readonly row: number; readonly scores: Float32Array }[],
  count: number,
): readonly { readonly beam: Beam; readonly row: number; readonly id: number; readonly score: number }[] => {
  const best: { beam: Beam; row: number; id: number; score: number }[] = []
  for (const { beam, row, scores } of beams)
    for (let id = 0; id < scores.length; id++) {
      const score = Math.fround((scores[id] as number) + beam.score)
      if (!(score > (best.length < count ? -Infinity : (best[count - 1]?.score as number)))) continue
      let place = best.length
      while (place > 0 && (best[place - 1]?.score as number) < score) place--
      best.splice(place, 0, { beam, row, id, score })
      if (best.length > count) best.pop()
    }
  return best
}

/**
 * The most probable texts for each prompt that beam search finds.
 *
 * @returns For each prompt, `count` texts, the best first.
 * @throws PullbackError when options make no sense.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { causalReader, gpt, gptConfig } from 'pullback/models'
 * const model = gpt(gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 }))
 * const reader = causalReader(model, model.init(random.key(0)))
 * const [texts] = await beamSearch(reader, [[3, 4, 5]], { beams: 3, maxTokens: 4, count: 2 })
 * console.log(texts?.length, texts?.[0]?.ids.length) // => 2 4
 * ```
 */
export const beamSearch = async (
  reader: Reader,
  prompts: readonly (readonly number[])[],
  options: BeamOptions,
): Promise<readonly (readonly Found[])[]> => {
  const { beams, maxTokens, endIds = [], lengthPenalty = 1, earlyStopping = false, count = 1 } = options
  const { stop = () => false, groups = 1, diversityPenalty = 0 } = options
  if (prompts.length === 0) throw argumentError('beamSearch', 'expected at least one prompt, got none')
  if (!(Number.isInteger(groups) && groups > 0 && beams % groups === 0))
    throw argumentError('beamSearch', `cannot search ${beams} beams in ${groups} groups of equal size`)
  if (!(diversityPenalty >= 0))
    throw argumentError('beamSearch', `diversityPenalty must be at least 0, got ${diversityPenalty}`)
  if (!(Number.isInteger(beams) && beams > 0 && count <= beams && count > 0))
    throw argumentError('beamSearch', `cannot return ${count} texts of ${beams} beams`)
  if (!(Number.isInteger(maxTokens) && maxTokens > 0))
    throw argumentError('beamSearch', `maxTokens must be a positive integer, got ${maxTokens}`)
  const process = chain(rulesOf(options, endIds))
  const width = beams / groups
  const kept = Math.max(2, 1 + endIds.length) * width
  // A prompt as long as a text may be is gone on with by one token, which is read no more, as in `stream`.
  const room = (reader.maxLength ?? Infinity) - Math.max(...prompts.map((p) => p.length))
  const longest = Math.min(maxTokens, Math.max(1, room))
  const divided = (score: number, length: number): number => Math.fround(score / length ** lengthPenalty)

  const diverse = (scores: Float32Array, taken: readonly number[]): Float32Array => {
    if (diversityPenalty === 0 || taken.length === 0) return scores
    const lower = Float32Array.from(scores)
    for (const id of taken) lower[id] = (lower[id] as number) - diversityPenalty
    return lower
  }

  /** One step of a group, after which its texts have `length` tokens; `earlier` is what earlier groups have just taken. */
  const step = (
    { running, found, open }: Search,
    reading: Reading,
    length: number,
    earlier: readonly number[],
  ): Search => {
    const full = found.length === width
    const rows = running.map((beam) => {
      const scores = process(logProbabilities(reading.scores[beam.row] as Float32Array), beam.draft)
      return { beam, row: beam.row, scores: diverse(scores, earlier) }
    })
    const next = continuations(rows, kept).map(({ beam, row, id, score }): Candidate => {
      const draft = { ...beam.draft, ids: [...beam.draft.ids, id] }
      return { draft, score, row, complete: endIds.includes(id) || length === longest || stop(draft) }
    })
    const complete = next
      .slice(0, width)
      .filter((candidate) => candidate.complete && open && !(full && earlyStopping === true))
      .map(({ draft, score }) => ({ ids: draft.ids.slice(draft.prompt), score: divided(score, length) }))
    const all = [...found, ...complete].sort((a, b) => b.score - a.score).slice(0, width)
    const live = next.filter((candidate) => !candidate.complete).slice(0, width)
    const best = live[0]?.score ?? nothing
    const reach = earlyStopping === 'never' && lengthPenalty > 0 ? longest : length
    const improvable = all.length < width || divided(best, reach) > (all.at(-1)?.score as number)
    const tokens = next.map(({ draft }) => draft.ids.at(-1) as number)
    const went = tokens.filter((id) => !endIds.includes(id)).slice(0, width)
    return { running: live, found: all, taken: went, open: open && improvable && live.length > 0 }
  }

  let reading = await reader.start(prompts)
  // The groups of a prompt stand behind one another.
  let searches = prompts.flatMap((ids, row): Search[] =>
    new Array<Search>(groups).fill({
      running: [{ draft: { ids, prompt: ids.length }, score: 0, row, complete: false }],
      found: [],
      taken: [],
      open: true,
    }),
  )
  for (let length = 1; ; length++) {
    const stepped: Search[] = []
    for (const [i, search] of searches.entries()) {
      const earlier = stepped.slice(i - (i % groups)).flatMap(({ taken }) => taken)
      stepped.push(step(search, reading, length, earlier))
    }
    searches = stepped
    const isOpen = ({ found, open }: Search): boolean =>
      open && !(earlyStopping === true && found.length === width)
    if (!searches.some(isOpen)) break
    // Every prompt has as many rows, so that all steps are one program; those that fill up are not looked at.
    const lines = searches.flatMap(({ running }) =>
      Array.from({ length: width }, (_, i) => running[i] ?? running[0]),
    )
    const tokens = lines.map((beam) => beam?.draft.ids.at(-1) ?? 0)
    reading = await reading.next(
      tokens,
      lines.map((beam) => beam?.row ?? 0),
    )
    searches = searches.map((search, i) => ({
      ...search,
      running: search.running.map((beam, j) => ({ ...beam, row: i * width + j })),
    }))
  }
  return prompts.map((_, i) =>
    searches
      .slice(i * groups, (i + 1) * groups)
      .flatMap(({ found }) => found)
      .sort((a, b) => b.score - a.score)
      .slice(0, count),
  )
}
