/** Texts with a tag for each word, as CoNLL writes them: a word a line, its tag last, an empty line between texts. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { readText } from './file.ts'

export interface TaggedWords {
  readonly words: readonly string[]
  /** One for each word, such as `B-person`, `I-person`, `O`. */
  readonly tags: readonly string[]
}

/**
 * Texts out of a CoNLL file. The word is the first of a line's columns and the tag the last; columns are divided by
 * tabs, or else by spaces. Lines that begin with `-DOCSTART-`, and comments `# …` in front of a text, are left out.
 * `name` stands in messages.
 *
 * @returns Left: one sentence, with the line it is about.
 * @example
 * ```ts
 * import { parseTagged } from 'pullback/training'
 * const texts = parseTagged('Anna\tB-person\nSmith\tI-person\n\nHi\tO\n', 'names.conll')
 * console.log(texts._tag === 'Right' && texts.right)
 * // => [{ words: ['Anna', 'Smith'], tags: ['B-person', 'I-person'] }, { words: ['Hi'], tags: ['O'] }]
 * ```
 */
export const parseTagged = (text: string, name: string): E.Either<string, readonly TaggedWords[]> => {
  const texts: TaggedWords[] = []
  let words: string[] = []
  let tags: string[] = []
  const close = (): void => {
    if (words.length > 0) texts.push({ words, tags })
    words = []
    tags = []
  }
  const lines = text.replace(/^\ufeff/, '').split(/\r\n?|\n/)
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('-DOCSTART-')) {
      close()
      continue
    }
    if (words.length === 0 && line.startsWith('# ') && !line.includes('\t')) continue
    const columns = line.trim().split(line.includes('\t') ? /\t+/ : / +/)
    if (columns.length < 2) return E.left(`task: ${name}: line ${i + 1} has no tag behind its word`)
    words.push((columns[0] as string).trim())
    tags.push((columns.at(-1) as string).trim())
  }
  close()
  const kinds = new Set(texts.flatMap((one) => one.tags))
  if (kinds.size < 2)
    return E.left(
      texts.length === 0
        ? `task: ${name}: there are no tagged words in it`
        : `task: ${name}: every word has the tag ${JSON.stringify([...kinds][0])}, at least two are needed`,
    )
  return E.right(texts)
}

/**
 * Reads texts with a tag for each word from a CoNLL file. Left: one sentence.
 *
 * @example
 * ```ts
 * import { readTagged } from 'pullback/training'
 * const texts = await readTagged('nowhere.conll')()
 * console.log(texts._tag === 'Left' && texts.left) // => task: nowhere.conll does not exist
 * ```
 */
export const readTagged = (path: string): TE.TaskEither<string, readonly TaggedWords[]> =>
  F.pipe(
    readText(path),
    TE.mapLeft((reason) => `task: ${path} ${reason}`),
    TE.flatMapEither((text) => parseTagged(text, path)),
  )
