/** `pullback finetune`: a classifier out of a pretrained BERT and labelled texts. */
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { copyFile } from '../file.ts'
import { loadBert } from '../job/bert.ts'
import { fineTune, saveClassifier } from '../job/classify.ts'
import { finish } from '../job/finish.ts'
import { interrupted } from '../job/interrupted.ts'
import { classificationLines, classificationSummary } from '../job/summary.ts'
import { readTask, taskLine, taskOf } from '../job/task.ts'
import { beginRun, newRun, ofKind, openRun, placeOf } from '../run.ts'
import { count, duration } from '../word.ts'
import { about } from './common.ts'
import { corpusOf } from './corpus.ts'

export const finetune: AnyCommand = command({
  name: 'finetune',
  about: 'fine-tune a pretrained BERT on labelled texts, beside the same network from scratch',
  arguments: [{ name: 'run', about: 'the folder of the pretrained run' }],
  settings: [
    ...(['name', 'runs', 'seed', 'engine', 'task', 'labels'] as const),
    ...(['epochs', 'taskBatch', 'taskRate', 'warmup', 'weightDecay', 'clip'] as const),
  ],
  run: (context, values, [from = '']) =>
    steps(async (take) => {
      const { say, title } = context.terminal
      const began = performance.now()
      const run = await take(openRun(from))
      await take(ofKind(['bert'], 'be fine-tuned')(run))
      const folder = await take(newRun(values.runs, values.name, 'classifier'))
      const examples = await take(readTask(values.task))
      const engine = await take(useEngine(context, values.engine))
      const base = await take(loadBert(from))
      const split = values.task === undefined ? await take(corpusOf(context, run)) : undefined
      const task = await take(taskOf(values, examples, split))
      await take(beginRun(folder, about('bert', { ...values, from })))
      await take(copyFile(placeOf(from, 'tokenizer'), placeOf(folder, 'tokenizer')))

      title(`Fine-tuning: ${task.question}`)
      say(taskLine(task))
      const classifier = (phase: 'finetune' | 'scratch') =>
        fineTune(
          context,
          values,
          run.tokenizer,
          { config: base.config, pretrained: phase === 'scratch' ? undefined : base.params },
          task,
          { phase, label: phase === 'scratch' ? 'the same from scratch' : 'fine-tuning', folder },
        )
      const classified = await take(classifier('finetune'))
      await take(saveClassifier(folder, classified))
      if (context.signal.aborted) return take(interrupted(folder, 'fine-tuning'))
      const fromScratch = await take(classifier('scratch'))
      if (context.signal.aborted) return take(interrupted(folder, 'the comparison'))

      title('On held-out texts')
      classificationLines(classificationSummary(task, classified, fromScratch)).forEach((line) => say(line))
      const seconds = (performance.now() - began) / 1000
      await take(
        finish(folder, {
          name: folder,
          engine,
          seed: values.seed,
          seconds,
          facts: [
            ['pretrained', from],
            ['labelled texts', count(task.train.length)],
          ],
          task,
          classified,
          fromScratch,
          filled: [],
        }),
      )
      say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
      say(`    npx pullback predict ${folder} "some text"`)
    }),
})
