import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { classification } from '../../cli/job/classify.ts'
import { taskLine } from '../../cli/job/task.ts'

const task = suite('labelled texts')

const examples = Array.from({ length: 100 }, (_, i) => ({
  text: `text ${i}`,
  label: i % 2 === 0 ? 'a' : 'b',
}))
const told = (labels: number): string => {
  const made = classification.split(examples, { task: 'x.tsv', labels, heldOut: 0.1, seed: 0 })
  return made._tag === 'Right' ? taskLine(classification, made.right) : made.left
}

task('a file that has more than is learnt from is said to', () => {
  const few = { labels: ['a', 'b'], train: [], heldOut: [], question: '', available: 100 }
  assert.match(taskLine(classification, few), /\n {2}the file has 100: --labels sets how many/)
  assert.is(told(25), '  50 labelled texts to learn from, 50 held out, 2 classes: a, b')
})

task.run()
