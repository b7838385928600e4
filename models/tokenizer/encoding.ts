/**
 * What encoding a text gives, and what can be done with it: joining, cutting to a length with the rest kept as
 * overflow, padding. The rules are those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'

/** The tokens of a text or a pair of texts; all lists have one entry per token. */
export interface Encoding {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
  /** Half-open ranges of the text that each token stands for; special tokens and padding are [0, 0]. */
  readonly offsets: readonly (readonly [number, number])[]
  /** Which segment a token belongs to, as BERT counts them. */
  readonly typeIds: readonly number[]
  /** 1 for what a model should attend to, 0 for padding. */
  readonly attentionMask: readonly number[]
  /** 1 for tokens that the tokenizer added, 0 for those of the text. */
  readonly specialTokensMask: readonly number[]
  /** The word of its text that a token comes from; null for special tokens. */
  readonly wordIds: readonly (number | null)[]
  /** The text that a token comes from, 0 or 1; null for special tokens. */
  readonly sequenceIds: readonly (number | null)[]
  /** What truncation cut off, as further encodings. */
  readonly overflowing: readonly Encoding[]
}

export const emptyEncoding: Encoding = {
  ids: [],
  tokens: [],
  offsets: [],
  typeIds: [],
  attentionMask: [],
  specialTokensMask: [],
  wordIds: [],
  sequenceIds: [],
  overflowing: [],
}

/** Tokens that do not come from the text. */
export const specialEncoding = (
  ids: readonly number[],
  tokens: readonly string[],
  typeId: number,
): Encoding => ({
  ids,
  tokens,
  offsets: ids.map(() => [0, 0] as const),
  typeIds: ids.map(() => typeId),
  attentionMask: ids.map(() => 1),
  specialTokensMask: ids.map(() => 1),
  wordIds: ids.map(() => null),
  sequenceIds: ids.map(() => null),
  overflowing: [],
})

const part = (encoding: Encoding, start: number, end: number): Encoding => ({
  ids: encoding.ids.slice(start, end),
  tokens: encoding.tokens.slice(start, end),
  offsets: encoding.offsets.slice(start, end),
  typeIds: encoding.typeIds.slice(start, end),
  attentionMask: encoding.attentionMask.slice(start, end),
  specialTokensMask: encoding.specialTokensMask.slice(start, end),
  wordIds: encoding.wordIds.slice(start, end),
  sequenceIds: encoding.sequenceIds.slice(start, end),
  overflowing: [],
})

const concatenated = (parts: readonly Encoding[]): Encoding => {
  const [first = emptyEncoding, ...rest] = parts
  // What stands in front of a text is few, and lists of a kind are joined in one go.
  const join = <A>(of: (encoding: Encoding) => readonly A[]): readonly A[] => {
    const [second] = rest
    if (second !== undefined && rest.length === 1) return of(first).concat(of(second))
    return of(first).concat(...rest.map(of))
  }
  return {
    ids: join((e) => e.ids),
    tokens: join((e) => e.tokens),
    offsets: join((e) => e.offsets),
    typeIds: join((e) => e.typeIds),
    attentionMask: join((e) => e.attentionMask),
    specialTokensMask: join((e) => e.specialTokensMask),
    wordIds: join((e) => e.wordIds),
    sequenceIds: join((e) => e.sequenceIds),
    overflowing: [],
  }
}

/** Parts one after another; the overflow is every combination of their overflows, each part's own text first. */
export const mergeEncodings = (parts: readonly Encoding[]): Encoding => {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const merged = concatenated(parts)
  if (parts.every((encoding) => encoding.overflowing.length === 0)) return merged
  let chosen: readonly Encoding[] = []
  let others: readonly (readonly Encoding[])[] = []
  for (const encoding of parts) {
    const variants = [encoding, ...encoding.overflowing]
    others = [
      ...others.flatMap((other) => variants.map((variant) => [...other, variant])),
      ...encoding.overflowing.map((variant) => [...chosen, variant]),
    ]
    chosen = [...chosen, encoding]
  }
  return { ...merged, overflowing: others.map(concatenated) }
}

/** How to cut what is longer than `maxLength` tokens, special tokens included. */
export interface Truncation {
  readonly maxLength: number
  /** Tokens that each overflowing part repeats of the one before it. Default 0. */
  readonly stride?: number
  /** Which of a pair is cut. Default 'longest_first'. */
  readonly strategy?: 'longest_first' | 'only_first' | 'only_second'
  /** The side that is cut off. Default 'right'. */
  readonly direction?: 'left' | 'right'
}

const cut = (
  encoding: Encoding,
  maxLength: number,
  { stride = 0, direction = 'right' }: Truncation,
): E.Either<string, Encoding> => {
  const n = encoding.ids.length
  if (maxLength >= n) return E.right(encoding)
  if (maxLength === 0) return E.right({ ...emptyEncoding, overflowing: [encoding] })
  if (stride >= maxLength)
    return E.left(
      `truncation: the stride must be less than the ${maxLength} tokens left for text, got ${stride}`,
    )
  const step = maxLength - stride
  const parts: Encoding[] = []
  if (direction === 'right')
    for (let start = 0; ; start += step) {
      parts.push(part(encoding, start, Math.min(start + maxLength, n)))
      if (start + maxLength >= n) break
    }
  else
    for (let end = n; ; end -= step) {
      parts.push(part(encoding, Math.max(0, end - maxLength), end))
      if (end <= maxLength) break
    }
  const [first = emptyEncoding, ...overflowing] = parts
  return E.right({ ...first, overflowing })
}

const tooShort = 'truncation: the sequence to truncate is too short to respect the maximal length'

/** Cuts one text or a pair to `truncation.maxLength` tokens together. Left: why that cannot be. */
export const truncateEncodings = (
  encodings: readonly Encoding[],
  truncation: Truncation,
): E.Either<string, readonly Encoding[]> => {
  const { maxLength, strategy = 'longest_first' } = truncation
  const lengths = encodings.map((encoding) => encoding.ids.length)
  const excess = lengths.reduce((sum, length) => sum + length, 0) - maxLength
  if (excess <= 0) return E.right(encodings)
  const targets = [...lengths]
  if (maxLength === 0) targets.fill(0)
  else if (strategy === 'longest_first') {
    const [a = 0, b] = lengths
    if (b === undefined) targets[0] = maxLength
    else {
      // only the longer one where the shorter fits, else both to a half
      const shorter = Math.min(a, b)
      const longer = shorter > maxLength ? shorter : Math.max(shorter, maxLength - shorter)
      const half = Math.floor(maxLength / 2)
      const [short, long] = shorter + longer > maxLength ? [half, maxLength - half] : [shorter, longer]
      targets[0] = a > b ? long : short
      targets[1] = a > b ? short : long
    }
  } else {
    const at = strategy === 'only_first' ? 0 : 1
    const length = lengths[at]
    if (length === undefined) return E.left('truncation: there is no second sequence to truncate')
    if (length <= excess) return E.left(tooShort)
    targets[at] = length - excess
  }
  const out: Encoding[] = []
  for (const [i, encoding] of encodings.entries()) {
    const result = cut(encoding, targets[i] as number, truncation)
    if (E.isLeft(result)) return result
    out.push(result.right)
  }
  return E.right(out)
}

/** How to make encodings equally long. */
export interface Padding {
  /** Tokens to reach; by default the longest of the batch. */
  readonly length?: number
  /** The side that padding goes to. Default 'right'. */
  readonly direction?: 'left' | 'right'
  /** Rounds the length up to a multiple of this. */
  readonly multipleOf?: number
  readonly id?: number
  readonly typeId?: number
  readonly token?: string
}

const padOne = (encoding: Encoding, length: number, padding: Padding): Encoding => {
  const overflowing = encoding.overflowing.map((other) => padOne(other, length, padding))
  const missing = length - encoding.ids.length
  if (missing <= 0) return overflowing.length === 0 ? encoding : { ...encoding, overflowing }
  const fill = Array.from({ length: missing }, () => padding.id ?? 0)
  const extra: Encoding = {
    ...specialEncoding(
      fill,
      fill.map(() => padding.token ?? '[PAD]'),
      padding.typeId ?? 0,
    ),
    attentionMask: fill.map(() => 0),
  }
  const bare = { ...encoding, overflowing: [] }
  return { ...concatenated(padding.direction === 'left' ? [extra, bare] : [bare, extra]), overflowing }
}

/** Pads all to one length. */
export const padEncodings = (encodings: readonly Encoding[], padding: Padding): readonly Encoding[] => {
  const longest = encodings.reduce((most, encoding) => Math.max(most, encoding.ids.length), 0)
  const wanted = padding.length ?? longest
  const multiple = padding.multipleOf ?? 1
  const length = multiple > 1 ? Math.ceil(wanted / multiple) * multiple : wanted
  return encodings.map((encoding) => padOne(encoding, length, padding))
}
