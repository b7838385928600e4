/** Sentences with a word taken out, and what a model puts there. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../core/index.ts'
import {
  bertConfig,
  bertForPreTraining,
  tokenizerFromJson,
  trainWordPiece,
  vocabularySize,
} from '../../models/index.ts'
import type { Tokenizer } from '../../models/index.ts'
import type { Document } from '../../training/index.ts'
import { fillGaps, heldOutGaps } from '../../cli/job/fill.ts'

const test = suite('fill')

const headings = [
  'Ways that herons and other birds stand in the water',
  'how herons and other birds of a river find water',
]
const whole = [
  'The grey herons of this river stand in water and wait.',
  'Nobody knows how long the other birds of this river wait.',
  'Herons and other birds of this river wait for water!',
]
const documentOf = (sentences: readonly string[]): Document => ({
  path: 'a',
  group: 'a',
  kind: 'text',
  passages: [sentences],
})

const trained = trainWordPiece([...headings, ...whole], { vocabSize: 300, minFrequency: 1 })
if (E.isLeft(trained)) throw new Error(trained.left)
const read = tokenizerFromJson(trained.right)
if (E.isLeft(read)) throw new Error(read.left.join('; '))
const tokenizer: Tokenizer = read.right

test('gaps are of whole sentences where there are enough, and of what there is otherwise', () => {
  const documents = [documentOf([...headings, ...whole])]
  const texts = (wanted: number): readonly string[] =>
    heldOutGaps(tokenizer, documents, wanted).map(({ text, answer }) => text.replace('[MASK]', answer))
  assert.equal(texts(3), whole)
  assert.equal(texts(5), [...headings, ...whole])
})

test('what is put into a gap begins a word', async () => {
  const config = bertConfig({ vocabularySize: vocabularySize(tokenizer), width: 16, layers: 1, heads: 2 })
  const params = bertForPreTraining(config).init(random.key(0))
  const gaps = heldOutGaps(tokenizer, [documentOf(whole)], 3)
  const filled = await fillGaps({ config, params }, tokenizer, gaps)
  assert.is(filled.length, 3)
  for (const { guesses } of filled) {
    assert.is(guesses.length, 5)
    assert.not(guesses.some(({ token }) => token.startsWith('##') || token.startsWith('[')))
  }
})

test.run()
