import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sentences } from '../../../training/data/sentence.ts'

const sentence = suite('sentence')

const visible = (text: string): string => text.replace(/\s+/g, '')

sentence('nothing is lost, nothing is empty, nothing is too long', () => {
  const piece = fc.constantFrom(
    'a',
    'Word',
    '. ',
    '! ',
    '? ',
    'e.g. ',
    ' ',
    '; ',
    ', ',
    '} ',
    '"',
    ')',
    '3',
    '😀',
    'x'.repeat(30),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 80 }),
        fc.array(piece, { maxLength: 60 }).map((p) => p.join('')),
      ),
      fc.integer({ min: 2, max: 60 }),
      (text, longest) => {
        const found = sentences(text, longest)
        assert.is(visible(found.join('')), visible(text))
        for (const one of found) {
          assert.ok(one.trim() !== '' && one.length <= longest, one)
          assert.ok(one.isWellFormed())
        }
      },
    ),
    { numRuns: 500 },
  )
})

sentence('sentences joined by spaces are the paragraph', () => {
  const one = fc
    .array(fc.constantFrom('the', 'small', 'net', 'learns', 'fast'), { minLength: 1, maxLength: 8 })
    .map((words) => `A ${words.join(' ')}`)
  const all = fc.array(
    fc.tuple(one, fc.constantFrom('.', '!', '?', '."', '.)')).map((parts) => parts.join('')),
    {
      minLength: 1,
    },
  )
  fc.assert(fc.property(all, (list) => assert.equal(sentences(list.join(' ')), list)))
})

sentence('abbreviations, initials and numbers do not end one', () => {
  const whole = [
    'Use a list, e.g. Array or Set, as input.',
    'See Dr. Smith or J. Doe for more.',
    'This is section 3.2 of version 1.0.1 for all.',
    '2. The second point is here.',
    'Compare Fig. 3 of the paper.',
  ]
  for (const text of whole) assert.equal(sentences(text), [text])
  assert.equal(sentences('It works. Really? Yes! "Good." (Fine.) `code` is next.'), [
    'It works.',
    'Really?',
    'Yes!',
    '"Good."',
    '(Fine.)',
    '`code` is next.',
  ])
})

sentence('programs are cut after statements', () => {
  const text = 'const first = 1; const second = 2; function third() { return first; } const fourth = 4'
  assert.equal(sentences(text, 40), [
    'const first = 1; const second = 2;',
    'function third() { return first; }',
    'const fourth = 4',
  ])
})

sentence.run()
