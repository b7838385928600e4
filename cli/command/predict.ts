/** `pullback predict`: which class a text is of. */
import { fromArray, softmax, toArray } from '../../core/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { classification } from '../job/classify.ts'
import { answer, load } from '../job/finetune.ts'
import { ofKind, openRun } from '../run.ts'
import { columns, percent } from '../word.ts'

export const predict: AnyCommand = command({
  name: 'predict',
  about: 'tell which class a text is of',
  arguments: [
    { name: 'run', about: 'the folder of a fine-tuned run' },
    { name: 'text', about: 'the text' },
  ],
  settings: ['top', 'engine'],
  run: (context, { top, engine }, [path = '', text = '']) =>
    steps(async (take) => {
      const run = await take(openRun(path))
      await take(ofKind(['bert'], 'classify')(run))
      await take(useEngine(context, engine))
      const classifier = await take(load(classification, path))
      const [[found] = []] = await answer(classification, classifier, run.tokenizer, [{ text, label: '' }])
      const { labels } = classifier.config
      const probabilities = await toArray(
        softmax(fromArray(found?.scores ?? new Float32Array(), [labels.length])),
      )
      const ranked = labels
        .map((label, i) => ({ label, probability: probabilities[i] ?? 0 }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, top)
      columns(ranked.map(({ label, probability }) => [label, percent(probability)])).forEach((line) =>
        context.terminal.say(line),
      )
    }),
})
