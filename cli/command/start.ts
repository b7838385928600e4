/** `pullback start`, the main job: from text at hand to a pretrained, fine-tuned model and a report. */
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { pretrainBert } from '../job/bert.ts'
import { classification } from '../job/classify.ts'
import { gatherCorpus } from '../job/corpus.ts'
import { attentionOf, fillGaps, heldOutGaps } from '../job/fill.ts'
import { compareWithScratch } from '../job/finetune.ts'
import { comparisonLines, filledLines, pretrainingLines } from '../job/summary.ts'
import { finish } from '../job/finish.ts'
import { corpusTask, ownTask, taskLine } from '../job/task.ts'
import { makeTokenizer } from '../job/tokenizer.ts'
import { beginRun, newRun, placeOf } from '../run.ts'
import { count, duration, quoted } from '../word.ts'
import { interrupted } from '../job/interrupted.ts'
import { about, checkSizes, quickBert } from './common.ts'

export const start: AnyCommand = command({
  name: 'start',
  about:
    'pretrain a small BERT on text at hand, fine-tune it from few labels, compare it with the same network from scratch, and report',
  arguments: [],
  settings: [
    ...(['name', 'runs', 'seed', 'engine', 'corpus', 'characters', 'heldOut', 'vocabulary'] as const),
    ...(['width', 'layers', 'heads', 'hidden', 'length', 'dropout', 'positionalHeads'] as const),
    ...(['steps', 'minutes', 'batch', 'learningRate', 'optimizer', 'warmup', 'weightDecay', 'clip'] as const),
    ...(['task', 'labels', 'epochs', 'taskBatch', 'taskRate'] as const),
  ],
  fallbacks: { ...quickBert, minutes: 2 },
  run: (context, values) =>
    steps(async (take) => {
      const { say, title } = context.terminal
      const began = performance.now()
      await take(checkSizes(values))
      const folder = await take(newRun(values.runs, values.name, 'start'))
      const own = await take(ownTask(classification, values))
      const engineText = await take(useEngine(context, values.engine))

      title('1  A corpus')
      const split = await take(gatherCorpus(context, values))
      const task = own ?? (await take(corpusTask(classification, split, values)))
      await take(beginRun(folder, about('bert', values)))

      title('2  A tokenizer')
      const tokenizer = await take(
        makeTokenizer(context, split.train, 'wordpiece', values.vocabulary, folder),
      )

      title('3  Pretraining: masked words and next sentences')
      const pretrained = await take(pretrainBert(context, values, tokenizer, split, folder))
      if (context.signal.aborted) return take(interrupted(folder, 'pretraining'))
      pretrainingLines(pretrained).forEach((line) => say(line))
      const filled = await fillGaps(pretrained, tokenizer, heldOutGaps(tokenizer, split.heldOut, 6))
      say('  held-out sentences with a word taken out:')
      filledLines(filled.slice(0, 3)).forEach((line) => say(`  ${line}`))

      title(`4  Fine-tuning: ${task.question}`)
      say(taskLine(classification, task))
      const compared = await take(
        compareWithScratch(classification, context, values, tokenizer, pretrained, task, folder),
      )

      title('5  On held-out texts')
      comparisonLines(compared).forEach((line) => say(line))

      title('6  The run')
      const [example] = filled
      const text = example?.text.replace('[MASK]', example.answer) ?? task.heldOut[0]?.text ?? ''
      const attention = await attentionOf(pretrained, tokenizer, text)
      const seconds = (performance.now() - began) / 1000
      await take(
        finish(folder, {
          name: folder,
          engine: engineText,
          seed: values.seed,
          seconds,
          facts: [
            ['documents', count(split.train.length)],
            ['vocabulary', count(pretrained.config.vocabularySize)],
            ['layers × width', `${pretrained.config.layers} × ${pretrained.config.width}`],
          ],
          pretrained,
          compared,
          filled,
          attention,
        }),
      )
      say(`  ${folder} holds the models, the tokenizer, metrics.jsonl, summary.json and report.html`)
      say(`  it took ${duration(seconds)}; look at ${placeOf(folder, 'report')}, and try:`)
      say(`    npx pullback predict ${folder} ${quoted(task.heldOut[0]?.text ?? '')}`)
      say(`    npx pullback fill ${folder} "Returns the [MASK] of the array."`)
    }),
})
