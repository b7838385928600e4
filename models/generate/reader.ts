/** Models as readers: they read a text, tell what may come next, and go on token by token. */
import { full, jit, pad, sliceAxis, take, tensor, toArray, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { evaluation, withCache } from '../../nn/index.ts'
import type { Cache, Layer } from '../../nn/index.ts'
import { bucketOf, ints, readableOf } from './readable.ts'

/** Where a reader stands: what it makes of the texts it has read so far, a text a row. */
export interface Reading {
  /** Each row's scores of the next token: [vocabulary]. */
  readonly scores: readonly Float32Array[]
  /**
   * Reads one more token in each row. With `from`, row i goes on from row `from[i]` of this reading. A reading goes on
   * only once: its memory is taken over.
   */
  readonly next: (tokens: readonly number[], from?: readonly number[]) => Promise<Reading>
  /**
   * Reads several more tokens, as many in each row, after the last `back` tokens were taken back. Readers that have no
   * way back leave it out.
   */
  readonly through?: (tokens: readonly (readonly number[])[], back?: number) => Promise<Passage>
}

/** Several tokens that were read at once. */
export interface Passage {
  /** For each row and each of its tokens the scores of what comes after it: [vocabulary]. */
  readonly scores: readonly (readonly Float32Array[])[]
  /** Where the reader stands behind the last one. */
  readonly reading: Reading
}

/** A model with its parameters, ready to read texts of ids, which may differ in length. */
export interface Reader {
  /** How many tokens a text may have, where there is a limit. */
  readonly maxLength?: number | undefined
  readonly start: (texts: readonly (readonly number[])[]) => Promise<Reading>
}

/** What a model is told of the tokens that it reads now. */
export interface Part {
  /** int32 [rows, time] */
  readonly ids: Tensor
  /** bool [rows, capacity]: false at padding. */
  readonly keyMask: Tensor
  /** int32 [rows, time] */
  readonly positions: Tensor
  /** int32 [rows, 1], the place of the last token, or [rows, time], those of all, where each is to be told. */
  readonly predictAt: Tensor
}

interface State<C> {
  readonly cache: Cache
  readonly context: C
  /** How many places of the cache are taken. */
  readonly length: number
  /** How many tokens each row has. */
  readonly counts: readonly number[]
  readonly keyMask: Tensor
}

/** A mask with more places, which are real. */
const widened = (mask: Tensor, capacity: number): Tensor =>
  pad(
    mask,
    [
      [0, 0],
      [0, capacity - (mask.shape[1] as number)],
    ],
    1,
  )

export interface ReaderConfig<I, C> {
  /** The layer's input of a part, and of what belongs to the texts. */
  readonly input: (part: Part, context: C) => I
  /** What belongs to the texts: a tree of tensors with one row a text. */
  readonly context: C
  /** What of it is needed when a text is gone on with; all unless given. */
  readonly later?: (context: C) => C
  /** How many tokens a text may have, where there is a limit. */
  readonly maxLength?: number | undefined
}

/**
 * A reader of a causal layer. Texts are padded in front, so that their ends are in line; a padded row reads as it
 * does alone.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { gpt, gptConfig, readerOf } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const params = gpt(config).init(random.key(0))
 * const reader = readerOf(gpt(config), params, { input: (part) => part, context: {}, maxLength: 64 })
 * console.log((await reader.start([[3, 4, 5]])).scores[0]?.length) // => 50
 * ```
 */
export const readerOf = <P, I, C>(
  layer: Layer<P, I, { readonly logits: Tensor }>,
  params: P,
  { input, context, later = (all) => all, maxLength }: ReaderConfig<I, C>,
): Reader => {
  interface Rest {
    readonly part: Part
    readonly context: C
    readonly length: Tensor
    readonly from?: Tensor
  }
  const stepOf = (scored: (logits: Tensor) => Tensor) =>
    jit(
      (own: P, cache: Cache, rest: Rest) => {
        const { part, length, from } = rest
        const choose = <T>(rows: T): T => (from === undefined ? rows : tree.map((x) => take(x, from), rows))
        const mask = choose(part.keyMask)
        const whole = { ...part, keyMask: mask }
        const capacity = mask.shape[1] as number
        const { output, cache: kept } = withCache(layer, capacity).apply(
          own,
          evaluation,
        )({
          input: input(whole, choose(rest.context)),
          cache: choose(cache),
          length,
        })
        const { logits } = output // [rows, time or 1, vocabulary]
        return {
          logits: scored(logits),
          cache: kept,
          context: choose(later(rest.context)),
          keyMask: mask,
        }
      },
      { donate: [1] },
    )
  const readable = readableOf<C>(({ ids, positions, context: own }) => {
    const [keyMask, predictAt] = [full(ids.shape, 1, 'bool'), full(ids.shape, 0, 'int32')]
    return layer.apply(params, evaluation)(input({ ids, positions, keyMask, predictAt }, own)).logits
  })
  const last = stepOf((logits) => sliceAxis(logits, 1, -1))
  const each = stepOf((logits) => logits)

  /** Reads `tokens`, and tells the scores behind the last of each row, or behind each of them: [rows · told][vocabulary]. */
  const scan = async (
    before: State<C>,
    tokens: readonly (readonly number[])[],
    positions: readonly (readonly number[])[],
    counts: readonly number[],
    told: 'last' | 'each',
    from?: readonly number[],
  ): Promise<readonly [scores: readonly Float32Array[], next: State<C>]> => {
    const time = (tokens[0] as readonly number[]).length
    const part = {
      ids: ints(tokens),
      keyMask: before.keyMask,
      positions: ints(positions),
      predictAt: ints(tokens.map((row) => (told === 'last' ? [time - 1] : row.map((_, i) => i)))),
    }
    const result = (told === 'last' ? last : each)(params, before.cache, {
      part,
      context: before.context,
      length: tensor(before.length, { dtype: 'int32' }),
      ...(from === undefined ? {} : { from: tensor(from, { dtype: 'int32' }) }),
    })
    const { cache, context, keyMask } = result
    const state = { cache, context, keyMask, counts, length: before.length + time }
    const numbers = (await toArray(result.logits)) as Float32Array
    const rows = tokens.length * (told === 'last' ? 1 : time)
    const size = numbers.length / rows
    // What has a score can be read.
    readable.found(size)
    return [Array.from({ length: rows }, (_, i) => numbers.subarray(i * size, (i + 1) * size)), state]
  }

  const readingAt = (scores: readonly Float32Array[], state: State<C>): Reading => ({
    scores,
    next: (more, origin) => goOn(state, more, origin),
    through: (more, back = 0) => goThrough(state, more, back),
  })

  const read = async (...given: Parameters<typeof scan>): Promise<Reading> =>
    readingAt(...(await scan(...given)))

  const goOn = async (
    state: State<C>,
    tokens: readonly number[],
    from?: readonly number[],
  ): Promise<Reading> => {
    const rows = from?.length ?? state.counts.length
    if (tokens.length !== rows)
      throw argumentError('next', `expected a token for each of ${rows} rows, got ${tokens.length}`)
    const counts = (from ?? state.counts.map((_, i) => i)).map((row) => state.counts[row] as number)
    checkLength(Math.min(...counts) + 1)
    readable.check(tokens, Math.max(...counts), state.counts.length, state.context)
    return read(
      withRoom(state, 1),
      tokens.map((token) => [token]),
      counts.map((count) => [count]),
      counts.map((count) => count + 1),
      'last',
      from,
    )
  }

  const withRoom = (state: State<C>, more: number): State<C> => {
    const room = state.keyMask.shape[1] as number
    const wanted = state.length + more
    return wanted <= room ? state : { ...state, keyMask: widened(state.keyMask, bucketOf(wanted)) }
  }

  const goThrough = async (
    state: State<C>,
    tokens: readonly (readonly number[])[],
    back: number,
  ): Promise<Passage> => {
    const time = tokens[0]?.length ?? 0
    if (tokens.length !== state.counts.length || time === 0 || tokens.some(({ length }) => length !== time))
      throw argumentError(
        'through',
        `expected as many tokens, at least one, for each of ${state.counts.length} rows, got ${tokens.map(({ length }) => length).join(', ')}`,
      )
    if (!(Number.isInteger(back) && back >= 0 && back <= Math.min(...state.counts)))
      throw argumentError('through', `cannot take back ${back} of ${Math.min(...state.counts)} tokens`)
    const counts = state.counts.map((count) => count - back)
    checkLength(Math.max(...counts) + time)
    readable.check(tokens.flat(), Math.max(...counts) + time - 1, state.counts.length, state.context)
    const [scores, next] = await scan(
      withRoom({ ...state, length: state.length - back }, time),
      tokens,
      counts.map((count) => Array.from({ length: time }, (_, i) => count + i)),
      counts.map((count) => count + time),
      'each',
    )
    const rows = tokens.map((_, row) => scores.slice(row * time, (row + 1) * time))
    return {
      scores: rows,
      reading: readingAt(
        rows.map((own) => own.at(-1) as Float32Array),
        next,
      ),
    }
  }

  const checkLength = (longest: number): void => {
    if (longest > (maxLength ?? Infinity))
      throw argumentError('read', `a text has ${longest} tokens, the model reads at most ${maxLength}`)
  }

  return {
    maxLength,
    start: async (texts) => {
      if (texts.length === 0 || texts.some(({ length }) => length === 0))
        throw argumentError('start', 'expected at least one text, each of at least one token')
      const counts = texts.map(({ length }) => length)
      checkLength(Math.max(...counts))
      readable.check(texts.flat(), Math.max(...counts) - 1, texts.length, context)
      const time = Math.max(...counts) === 1 ? 1 : bucketOf(Math.max(...counts))
      const pad = (rows: (text: readonly number[]) => readonly number[]): readonly (readonly number[])[] =>
        texts.map((text) => [...new Array<number>(time - text.length).fill(0), ...rows(text)])
      const capacity = bucketOf(time + 1)
      const mask = counts.map((count) => Array.from({ length: capacity }, (_, i) => i >= time - count))
      return read(
        { cache: {}, context, length: 0, counts, keyMask: tensor(mask, { dtype: 'bool' }) },
        pad((text) => text),
        pad((text) => text.map((_, i) => i)),
        counts,
        'last',
      )
    },
  }
}

/** A language model that reads from left to right, such as `gpt`. */
export type CausalLayer<P> = Layer<
  P,
  {
    readonly ids: Tensor
    readonly keyMask?: Tensor | undefined
    readonly positions?: Tensor | undefined
    readonly predictAt?: Tensor | undefined
  },
  { readonly logits: Tensor }
>

/**
 * A reader of texts by a language model such as `gpt`. `maxLength` is how many positions the model has.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { gpt, gptConfig } from 'pullback/models'
 * const model = gpt(gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 }))
 * const reader = causalReader(model, model.init(random.key(0)))
 * const reading = await reader.start([[3, 4, 5], [6]])
 * const more = await reading.next([7, 8])
 * console.log(more.scores.length, more.scores[0]?.length) // => 2 50
 * ```
 */
export const causalReader = <P>(
  layer: CausalLayer<P>,
  params: P,
  { maxLength }: { readonly maxLength?: number } = {},
): Reader => readerOf(layer, params, { input: (part) => part, context: {}, maxLength })
