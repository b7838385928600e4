/** Texts for the tests: sentences of made-up words between those that English cannot do without. */
import { hash32 } from '../../../training/data/hash.ts'

const frame = ['The', 'of the', 'is a', 'that', 'with the', 'and', 'for']

/** `count` sentences that nothing with another `seed` shares, in paragraphs of four. */
export const prose = (seed: number, count: number): string => {
  const word = (i: number): string =>
    hash32(`${i}`, seed + 1)
      .toString(36)
      .replace(/\d/g, 'e')
  const sentence = (i: number): string =>
    `${frame.map((part, j) => `${part} ${word(i * 8 + j)}`).join(' ')} ${word(i * 8 + 7)}.`
  return Array.from({ length: count }, (_, i) => sentence(i) + (i % 4 === 3 ? '\n\n' : ' ')).join('')
}
