/** Texts as characters, each of which has an id. 0 is the mask, 1 stands for all that is rare. */

export interface Vocabulary {
  readonly characters: readonly string[]
  readonly encode: (text: string) => Int32Array
  readonly decode: (ids: Iterable<number>) => string
}

export const maskId = 0
const unknownId = 1
const most = 254

export const vocabularyOf = (characters: readonly string[]): Vocabulary => {
  const ids = new Map(characters.map((character, index) => [character, index + 2]))
  return {
    characters,
    encode: (text) => {
      // no list of characters in between: a long text would be millions of strings
      const stream = new Int32Array(text.length)
      let count = 0
      for (const character of text) stream[count++] = ids.get(character) ?? unknownId
      return stream.slice(0, count)
    },
    decode: (all) => [...all].map((id) => characters[id - 2] ?? '�').join(''),
  }
}

/** The characters of a text, the most frequent first. */
export const countCharacters = (text: string): readonly string[] => {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([character]) => character)
}
