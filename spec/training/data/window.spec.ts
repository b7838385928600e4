import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sampleText, windowLength } from '../../../training/data/window.ts'

const window = suite('windows of a text')

const count = 40_000
const sentence = (i: number): string => `Sentence number ${i} tells of the place where it stands.`
const sentences = Array.from({ length: count }, (_, i) => sentence(i))

const numbersIn = (text: string): readonly number[] =>
  [...text.matchAll(/Sentence number (\d+) tells/g)].map(([, n]) => Number(n))

for (const [name, between] of [
  ['lines', '\n'],
  ['one line without an end', ' '],
] as const)
  window(`pieces come from all over a text of ${name}, and none twice`, () => {
    const text = sentences.join(between)
    const sample = sampleText(text, 4 * windowLength)
    assert.ok(sample.length >= 3.9 * windowLength && sample.length <= 8 * windowLength, `${sample.length}`)
    const numbers = numbersIn(sample)
    assert.is(new Set(numbers).size, numbers.length, 'a sentence came twice')
    assert.equal(
      [...new Set(numbers.map((n) => Math.floor((4 * n) / count)))],
      [0, 1, 2, 3],
      'which quarters of it there are',
    )
    assert.ok(sample.startsWith(sentence(0)), 'it begins where the text begins')
  })

window('a line much longer than a window between short ones comes once', () => {
  const text = `${'a line. '.repeat(2000)}\n${sentences.join(' ')}\nthe end\n`
  const numbers = numbersIn(sampleText(text, 6 * windowLength))
  assert.is(new Set(numbers).size, numbers.length)
})

window('characters beyond the basic plane stay whole', () => {
  // an odd number in front, so that windows would begin and end between halves
  const text = `x${'\u{1f600}'.repeat(2 * windowLength)}`
  const sample = sampleText(text, 2 * windowLength)
  assert.ok(sample.length < text.length)
  assert.ok(sample.isWellFormed())
})

window('what is not larger is left as it is', () => {
  assert.is(sampleText('as it is\n', 9), 'as it is\n')
})

window.run()
