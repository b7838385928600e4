/** What the reference (Hugging Face tokenizers 0.23) makes of characters that are newer than its tables, or older. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aligned } from '../../../models/tokenizer/aligned.ts'
import { normalizer } from '../../../models/tokenizer/normalizer.ts'
import { preTokenizer } from '../../../models/tokenizer/pretokenizer/kind.ts'
import { whole } from '../../../models/tokenizer/pretokenizer/piece.ts'

const normalized = (json: Readonly<Record<string, unknown>>, text: string): string => {
  const read = normalizer(json, '')
  if (E.isLeft(read)) throw new Error(read.left.join())
  return read.right(aligned(text)).text
}

const normalizers = suite('normalizers')

normalizers(
  'forms leave what Unicode 10 and later decompose: the tables of the reference are of Unicode 9',
  () => {
    // Reiwa, a Latin letter, a letter of Dives Akuru, a digit in segments
    for (const letter of ['\u32ff', '\uab69', '\u{11938}', '\u{1fbf0}'])
      for (const type of ['NFC', 'NFD', 'NFKC', 'NFKD']) {
        assert.is(normalized({ type }, letter), letter, type)
        // with something that is no newer beside it
        const composed = type === 'NFC' || type === 'NFKC'
        assert.is(
          normalized({ type }, `e\u0301${letter}`),
          `${composed ? '\u00e9' : 'e\u0301'}${letter}`,
          `${type} behind another`,
        )
      }
    // the parts of a letter of Dives Akuru are not composed
    assert.is(normalized({ type: 'NFC' }, '\u{11935}\u{11930}'), '\u{11935}\u{11930}')
    // what is older is
    assert.is(normalized({ type: 'NFKC' }, '\u337b'), '平成')
  },
)

normalizers('marks are those of the reference where they stand alone too', () => {
  // nonspacing in Unicode 8, spacing today
  for (const mark of ['\u1734', '\u{1171e}'])
    assert.is(normalized({ type: 'BertNormalizer' }, `a${mark}`), 'a')
  // marks in Unicode 8, letters today
  for (const mark of ['\u1cf2', '\u1cf3']) assert.is(normalized({ type: 'StripAccents' }, `a${mark}`), 'a')
  // marks today that Unicode 8 had not
  assert.is(normalized({ type: 'BertNormalizer' }, 'a\u1abf'), 'a\u1abf')
  assert.is(normalized({ type: 'StripAccents' }, 'a\u1abf'), 'a\u1abf')
})

normalizers('punctuation newer than the reference is a letter', () => {
  const read = preTokenizer({ type: 'BertPreTokenizer' }, '')
  if (E.isLeft(read)) throw new Error(read.left.join())
  const piecesOf = (text: string): readonly number[] => read.right(whole(aligned(text))).cuts
  assert.equal(piecesOf('a\u2e52b'), [0, 3])
  assert.equal(piecesOf('a\u2e42b'), [0, 1, 1, 2, 2, 3])
})

normalizers.run()
