import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseQuestions } from '../../../training/index.ts'

const squad = suite('files of questions')

const fileOf = (
  context: string,
  answers: readonly { readonly text: string; readonly answer_start: number }[],
) =>
  JSON.stringify({
    version: '2.0',
    data: [{ title: 'x', paragraphs: [{ context, qas: [{ id: '1', question: 'Who?', answers }] }] }],
  })
const read = (text: string): unknown => {
  const parsed = parseQuestions(text, 'x.json')
  return parsed._tag === 'Right' ? parsed.right : parsed.left
}

squad('questions with all their answers, and those without one', () => {
  const answers = [
    { text: 'Anna', answer_start: 0 },
    { text: 'Bo', answer_start: 9 },
  ]
  assert.equal(read(fileOf('Anna and Bo came.', answers)), [
    {
      question: 'Who?',
      context: 'Anna and Bo came.',
      answers: [
        { text: 'Anna', start: 0 },
        { text: 'Bo', start: 9 },
      ],
    },
  ])
  assert.equal(read(fileOf('Nobody.', [])), [{ question: 'Who?', context: 'Nobody.', answers: [] }])
})

squad('characters that JavaScript counts twice are counted once in the file', () => {
  const [one] = read(fileOf('🌿🌿 Anna', [{ text: 'Anna', answer_start: 3 }])) as readonly [
    { readonly answers: readonly { readonly start: number }[] },
  ]
  assert.is(one.answers[0]?.start, 5)
})

squad('what is none is refused', () => {
  assert.is(read('{'), 'task: x.json is not JSON')
  assert.match(read('[]') as string, /^task: x\.json is no file of questions/)
  assert.match(read('{"data": [{"paragraphs": [{"context": 1, "qas": []}]}]}') as string, /is no file/)
  assert.is(read('{"data": []}'), 'task: x.json: there are no questions in it')
  assert.is(
    read(fileOf('Anna came.', [{ text: 'Anna', answer_start: 1 }])),
    'task: x.json: the answer "Anna" to "Who?" does not stand where the file says',
  )
})

squad.run()
