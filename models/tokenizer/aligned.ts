/**
 * A text under normalisation that remembers where each of its characters came from, so that tokens can be traced
 * back to the text that the user gave. Positions are UTF-16 units here; encoding turns them into what a caller asks
 * for at the very end. The rules for inserted and removed characters are those of Hugging Face tokenizers
 * (`NormalizedString`): an inserted character belongs to its predecessor's place, a removed one to nobody.
 */

export interface Aligned {
  readonly text: string
  /** Where in the original the text begins. */
  readonly origin: number
  /**
   * With `starts` null, unit lead + i of the text is unit origin + i of the original, and the `lead` units in front of
   * those were put there: they stand for the first character of the original, of `first` units.
   */
  readonly lead: number
  readonly first: number
  /** For each unit of the text, the half-open range [start, end) of the original that it stands for. */
  readonly starts: Int32Array | null
  readonly ends: Int32Array | null
}

/** A text that nothing has happened to, beginning at unit `origin` of the original. */
export const aligned = (text: string, origin = 0): Aligned => ({
  text,
  origin,
  lead: 0,
  first: 0,
  starts: null,
  ends: null,
})

/** The same places under a new text of equal length, unit for unit. */
export const relabel = (source: Aligned, text: string): Aligned => ({ ...source, text })

/** First unit of the original that unit `at` stands for. */
export const startOf = (source: Aligned, at: number): number =>
  source.starts === null
    ? source.origin + (at > source.lead ? at - source.lead : 0)
    : (source.starts[at] ?? source.origin)

/** One past the last unit of the original that the unit before `at` stands for. */
export const endOf = (source: Aligned, at: number): number => {
  const { origin, lead, first, ends } = source
  if (ends !== null) return ends[at - 1] ?? origin
  return origin + (at > lead ? at - lead : at > 0 ? first : 0)
}

/** The units [from, to) as a text of their own. */
export const slice = (source: Aligned, from: number, to: number): Aligned => ({
  text: source.text.slice(from, to),
  origin: startOf(source, from),
  lead: Math.max(0, Math.min(source.lead, to) - from),
  first: source.first,
  starts: source.starts === null ? null : source.starts.subarray(from, to),
  ends: source.ends === null ? null : source.ends.subarray(from, to),
})

/** Writes a new text from an old one, from left to right, and keeps the places. */
export interface Draft {
  /** Puts `text` in the place of the next character of the source. */
  readonly replace: (text: string) => void
  /** Puts `text` where nothing was; it belongs to what stands before it in the source. */
  readonly insert: (text: string) => void
  /** Leaves out the next `units` of the source. */
  readonly drop: (units: number) => void
  /** Takes over the next `units` of the source. */
  readonly copy: (units: number) => void
  /** Position in the source, in units. */
  readonly at: () => number
  /** Length written so far, in units. */
  readonly length: () => number
  readonly done: () => Aligned
}

/** Units of the character that begins at `at`: 2 for a surrogate pair, else 1. */
export const width = (text: string, at: number): 1 | 2 => {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit <= 0xdbff && at + 1 < text.length ? 2 : 1
}

/** Begins a new text over `source`; the mutation stays inside the draft. */
export const draft = (source: Aligned): Draft => {
  let text = ''
  let at = 0
  const starts: number[] = []
  const ends: number[] = []
  const put = (piece: string, start: number, end: number): void => {
    text += piece
    for (let i = 0; i < piece.length; i++) {
      starts.push(start)
      ends.push(end)
    }
  }
  return {
    replace: (piece) => {
      const next = at + width(source.text, at)
      put(piece, startOf(source, at), endOf(source, next))
      at = next
    },
    insert: (piece) => {
      if (at === 0) put(piece, source.origin, source.origin)
      else {
        const before = at >= 2 && width(source.text, at - 2) === 2 ? at - 2 : at - 1
        put(piece, startOf(source, before), endOf(source, at))
      }
    },
    drop: (units) => {
      at += units
    },
    copy: (units) => {
      const stop = at + units
      text += source.text.slice(at, stop)
      while (at < stop) {
        const next = at + width(source.text, at)
        const start = startOf(source, at)
        const end = endOf(source, next)
        for (; at < next; at++) {
          starts.push(start)
          ends.push(end)
        }
      }
    },
    at: () => at,
    length: () => text.length,
    done: () => ({
      text,
      origin: source.origin,
      lead: 0,
      first: 0,
      starts: Int32Array.from(starts),
      ends: Int32Array.from(ends),
    }),
  }
}

/** Keeps the characters that `keep` says yes to. */
export const filter = (source: Aligned, keep: (character: string) => boolean): Aligned => {
  const out = draft(source)
  for (const character of source.text) {
    if (keep(character)) out.replace(character)
    else out.drop(character.length)
  }
  return out.done()
}

/** Puts `prefix` before the text; it stands in the place of the first character. An empty text stays empty. */
export const prepend = (source: Aligned, prefix: string): Aligned => {
  if (source.text === '' || prefix === '') return source
  const { origin } = source
  const text = prefix + source.text
  const first = width(source.text, 0)
  const n = prefix.length
  // no places are written down where they follow from these numbers
  if (source.starts === null && source.lead === 0)
    return { text, origin, lead: n, first, starts: null, ends: null }
  const starts = new Int32Array(text.length).fill(startOf(source, 0), 0, n)
  const ends = new Int32Array(text.length).fill(endOf(source, first), 0, n)
  for (let i = 0; i < source.text.length; i++) {
    starts[n + i] = startOf(source, i)
    ends[n + i] = endOf(source, i + 1)
  }
  return { text, origin, lead: 0, first: 0, starts, ends }
}
