/** From tokens back to text, all at once or as they come. */
import type { Tokenizer } from './tokenizer.ts'

export interface DecodeOptions {
  /** Whether to leave special tokens such as [CLS] out. Default false. */
  readonly skipSpecialTokens?: boolean
}

/**
 * The text of the ids. Ids that the vocabulary lacks are left out.
 *
 *     decode(tokenizer, [2, 935, 3], { skipSpecialTokens: true })
 *
 * @example
 * ```ts
 * import { decode, encodeIds, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(decode(tokenizer, encodeIds(tokenizer, 'The cat'), { skipSpecialTokens: true })) // => the cat
 * ```
 */
export const decode = (tokenizer: Tokenizer, ids: Iterable<number>, options: DecodeOptions = {}): string => {
  const { added, decoder, model } = tokenizer
  const tokens: string[] = []
  for (const id of ids) {
    const token = added.written.get(id) ?? model.tokenOf(id)
    if (token === undefined) continue
    // By what it reads as: the original library leaves a special token in whose normalised form is another.
    const special = added.byContent.get(token)?.special === true
    if (!special || options.skipSpecialTokens !== true) tokens.push(token)
  }
  return decoder === null ? tokens.join(' ') : decoder(tokens).join('')
}

/** What a stream of ids needs to remember: those it has not done with, and the text they gave so far. */
export interface DecodeState {
  readonly ids: readonly number[]
  readonly prefix: string
  /** How many of `ids` the prefix is made of. */
  readonly prefixed: number
}

export interface StreamDecoder {
  readonly initial: DecodeState
  /** Takes one more id; gives the next state and the text that is now certain, often ''. */
  readonly step: (state: DecodeState, id: number) => readonly [DecodeState, string]
  /** The text still held back at the end: characters whose last bytes never came. */
  readonly end: (state: DecodeState) => string
}

const unfinished = '\ufffd'

/**
 * Decodes ids one by one. What comes out is, joined, what `decode` gives for all of them: a character is held back
 * until all of its bytes are there, and spaces are as they are within the whole.
 *
 *     const stream = streamDecoder(tokenizer)
 *     const [state, text] = stream.step(stream.initial, id)
 *
 * @example
 * ```ts
 * import { encodeIds, streamDecoder, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const stream = streamDecoder(tokenizer, { skipSpecialTokens: true })
 * let state = stream.initial
 * let text = ''
 * for (const id of encodeIds(tokenizer, 'the cat')) {
 *   const [next, more] = stream.step(state, id)
 *   state = next
 *   text += more
 * }
 * console.log(text + stream.end(state)) // => the cat
 * ```
 */
export const streamDecoder = (tokenizer: Tokenizer, options: DecodeOptions = {}): StreamDecoder => {
  const textOf = (ids: readonly number[]): string => decode(tokenizer, ids, options)
  return {
    initial: { ids: [], prefix: '', prefixed: 0 },
    step: (state, id) => {
      const ids = [...state.ids, id]
      const text = textOf(ids)
      if (text.length <= state.prefix.length || text.endsWith(unfinished)) return [{ ...state, ids }, '']
      // the ids behind the prefix stay, so that the next are decoded with something before them
      const rest = ids.slice(state.prefixed)
      return [{ ids: rest, prefix: textOf(rest), prefixed: rest.length }, text.slice(state.prefix.length)]
    },
    end: (state) => textOf(state.ids).slice(state.prefix.length),
  }
}

/**
 * Decodes ids as they come; nothing is yielded for an id that completes no text.
 *
 * @example
 * ```ts
 * import { decodeStream, encodeIds, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const pieces: string[] = []
 * const ids = encodeIds(tokenizer, 'the cat', { addSpecialTokens: false })
 * for await (const piece of decodeStream(tokenizer, ids)) pieces.push(piece)
 * console.log(pieces.join('|')) // => the| cat
 * ```
 */
export async function* decodeStream(
  tokenizer: Tokenizer,
  ids: AsyncIterable<number> | Iterable<number>,
  options: DecodeOptions = {},
): AsyncGenerator<string, void, undefined> {
  const stream = streamDecoder(tokenizer, options)
  let state = stream.initial
  for await (const id of ids) {
    const [next, text] = stream.step(state, id)
    state = next
    if (text !== '') yield text
  }
  const text = stream.end(state)
  if (text !== '') yield text
}
