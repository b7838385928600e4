/** Sentences: where a text may be cut for sentence pairs and for passages of a given length. */

const abbreviations = new Set(
  'e.g i.e eg ie etc vs cf mr mrs ms dr prof st no fig figs eq sec ch vol pp al approx resp jr sr inc ltd co corp'.split(
    ' ',
  ),
)

/** An end of sentence: its mark, closing quotes or brackets, a space, and something that may begin the next one. */
const end = /[.!?…]["'”’)\]]{0,4}\s+(?=["'“‘([]{0,4}[\p{Lu}\p{N}@`$<])/gu

/** How much before a full stop tells what it stands for. */
const longestAbbreviation = 16

const endsSentence = (before: string): boolean => {
  // "2." counts what follows.
  if (/^\(?\d{1,3}[.)]+$/.test(before)) return false
  const last = /([\p{L}.]+)\.["'”’)\]]*$/u.exec(before)?.[1]
  if (last === undefined) return true
  // An initial ("J. Doe") or an abbreviation does not end a sentence.
  return !(/^\p{Lu}$/u.test(last) || abbreviations.has(last.toLowerCase().replace(/\.$/, '')))
}

/** Cuts what has no ends of sentence (programs, lists), at the best place before `longest`: after ; or }, a comma, a space. */
export const cut = (piece: string, longest: number): readonly string[] => {
  const found: string[] = []
  let rest = piece
  while (rest.length > longest) {
    const head = rest.slice(0, longest + 1)
    const after = (mark: RegExp): number => {
      const all = [...head.matchAll(mark)]
      const last = all.at(-1)
      return last === undefined ? 0 : last.index + last[0].length
    }
    // A cut in the first third would leave crumbs.
    const good = (at: number): boolean => at > longest / 3
    let at = [/[;{}]\s/g, /,\s/g, /\s/g].map(after).find(good) ?? longest
    // Never between the two halves of a character beyond the basic plane.
    if (/[\ud800-\udbff]/.test(rest[at - 1] as string)) at--
    found.push(rest.slice(0, at).trim())
    rest = rest.slice(at).trim()
  }
  return rest === '' ? found : [...found, rest]
}

/**
 * The sentences of a paragraph in order; joined by spaces they are the paragraph. None is longer than `longest`
 * characters.
 *
 * @example
 * sentences('It works, e.g. here. Really? Yes.') // ['It works, e.g. here.', 'Really?', 'Yes.']
 */
export const sentences = (paragraph: string, longest = 240): readonly string[] => {
  const text = paragraph.trim()
  const found: string[] = []
  let start = 0
  for (const match of text.matchAll(end)) {
    const stop = match.index + match[0].trimEnd().length
    if (!endsSentence(text.slice(Math.max(start, stop - longestAbbreviation), stop))) continue
    found.push(text.slice(start, stop))
    start = match.index + match[0].length
  }
  found.push(text.slice(start))
  return found.filter((sentence) => sentence !== '').flatMap((sentence) => cut(sentence, longest))
}
