/** `pullback predict`: which class a text is of. */
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { classifyTexts, loadClassifier } from '../job/classify.ts'
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
      const classifier = await take(loadClassifier(path))
      const [probabilities = new Float32Array()] = await classifyTexts(classifier, run.tokenizer, [text])
      const ranked = classifier.config.labels
        .map((label, i) => ({ label, probability: probabilities[i] ?? 0 }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, top)
      columns(ranked.map(({ label, probability }) => [label, percent(probability)])).forEach((line) =>
        context.terminal.say(line),
      )
    }),
})
