import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseTagged } from '../../../training/index.ts'

const conll = suite('CoNLL files')

const one = { words: ['Anna', 'came'], tags: ['B-person', 'O'] }
const two = { words: ['to', 'Rome'], tags: ['O', 'B-place'] }
const right = (text: string): unknown => {
  const read = parseTagged(text, 'x.conll')
  return read._tag === 'Right' ? read.right : read.left
}

conll('a word a line, its tag last, an empty line between texts; however lines end', () => {
  const text = 'Anna\tB-person\ncame\tO\n\n\nto\tO\nRome\tB-place\n'
  for (const end of ['\n', '\r\n', '\r']) assert.equal(right(text.replaceAll('\n', end)), [one, two])
  assert.equal(right(`\ufeff${text.trim()}`), [one, two])
})

conll('more columns, spaces between them, documents and comments', () => {
  const text =
    '-DOCSTART- -X- O O\n\n# text 1\nAnna NNP I-NP B-person\ncame VBD O O\n \t \nto TO O O\nRome NNP O B-place'
  assert.equal(right(text), [one, two])
  assert.equal(right('#\tO\nAnna\tB-person'), [{ words: ['#', 'Anna'], tags: ['O', 'B-person'] }])
})

conll('what cannot be learnt from is refused with its line', () => {
  assert.is(right('Anna\tO\ncame'), 'task: x.conll: line 2 has no tag behind its word')
  assert.is(right(' \n\n'), 'task: x.conll: there are no tagged words in it')
  assert.is(right('a O\nb O'), 'task: x.conll: every word has the tag "O", at least two are needed')
})

conll.run()
