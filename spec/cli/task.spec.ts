import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskLine, taskOf } from '../../cli/job/task.ts'

const task = suite('labelled texts')

const examples = Array.from({ length: 100 }, (_, i) => ({
  text: `text ${i}`,
  label: i % 2 === 0 ? 'a' : 'b',
}))
const told = (labels: number): string => {
  const made = taskOf({ task: 'x.tsv', labels, seed: 0 }, examples, undefined)
  return made._tag === 'Right' ? taskLine(made.right) : made.left
}

task('a file that has more than is learnt from is said to', () => {
  const few = taskLine({ labels: ['a', 'b'], train: [], heldOut: [], question: '', available: 100 })
  assert.match(few, /\n {2}the file has 100: --labels sets how many/)
  assert.is(told(25), '  50 labelled texts to learn from, 50 held out, 2 classes: a, b')
})

task.run()
