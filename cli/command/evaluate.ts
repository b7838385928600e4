/** `pullback evaluate`: what held-out text says of a run. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { readExamples } from '../../training/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { evaluateBert } from '../job/bert.ts'
import { judge, loadClassifier } from '../job/classify.ts'
import { evaluateGpt } from '../job/gpt.ts'
import { judgeTranslator, loadTranslator, pairsFrom, splitPairs } from '../job/sequence.ts'
import { languageLines } from '../job/summary.ts'
import { readTask, taskOf } from '../job/task.ts'
import { ofKind, openRun, placeOf } from '../run.ts'
import type { Run } from '../run.ts'
import { percent, plural } from '../word.ts'
import { corpusOf, settingsOf } from './corpus.ts'

/** How many targets an encoder-decoder writes exactly: of a file's pairs, or of those that were held out. */
const evaluateTranslator = (
  { terminal: { say } }: Context,
  run: Run,
  path: string | undefined,
): TE.TaskEither<string, void> =>
  steps(async (take) => {
    const settings = await take(settingsOf(run, ['task', 'heldOut', 'seed', 'length']))
    const file = path ?? settings.task
    if (file === undefined) return take(E.left('--task names the file of sources and targets'))
    const all = pairsFrom(await take(readExamples(file)))
    const pairs =
      path === undefined ? (await take(splitPairs(all, settings.heldOut, settings.seed))).heldOut : all
    const translator = await take(loadTranslator(run.path))
    const { exact, judged } = await judgeTranslator(translator, run.tokenizer, pairs, settings.length)
    say(`  ${percent(exact)} of ${plural(judged, 'target')} are written exactly`)
  })

export const evaluate: AnyCommand = command({
  name: 'evaluate',
  about: "look at a run with text it has not learnt from: its corpus' held-out part, or texts of your own",
  arguments: [{ name: 'run', about: "the run's folder" }],
  settings: ['corpus', 'task', 'engine'],
  run: (context, values, [path = '']) =>
    steps(async (take) => {
      const { say, title } = context.terminal
      const run = await take(openRun(path))
      await take(ofKind(['bert', 'gpt', 'transformer'], 'be evaluated')(run))
      await take(useEngine(context, values.engine))
      if (run.about.kind === 'transformer') return take(evaluateTranslator(context, run, values.task))
      const { seed, batch } = await take(settingsOf(run, ['seed', 'batch']))
      const isPretrained = existsSync(join(path, 'model.safetensors'))
      const isClassifier = existsSync(placeOf(path, 'classifier'))
      if (!isPretrained && !isClassifier)
        await take(E.left(`${path} holds no model: it was ended before one was kept`))
      const needsCorpus = isPretrained || (isClassifier && values.task === undefined)
      if (needsCorpus) title('The corpus')
      const { from } = run.about.settings
      const source = typeof from === 'string' && needsCorpus ? await take(openRun(from)) : run
      const split = needsCorpus ? await take(corpusOf(context, source, values.corpus)) : undefined
      if (isPretrained && split !== undefined) {
        title('Held-out text')
        const look = run.about.kind === 'bert' ? evaluateBert : evaluateGpt
        const { metric, entropy } = await take(
          look(path, run.tokenizer, split.heldOut, { seed, batchSize: batch }),
        )
        languageLines(metric, entropy).forEach((line) => say(line))
      }
      if (isClassifier) {
        const classifier = await take(loadClassifier(path))
        title('Held-out labelled texts')
        const given = values.task ?? (run.about.settings['task'] as string | undefined)
        // A file that is named is looked at whole; the run's own texts only where it did not learn from them.
        const settings = await take(settingsOf(run, ['task', 'labels', 'seed']))
        const own = await take(readTask(given))
        const examples =
          values.task !== undefined && own !== undefined
            ? own
            : (await take(taskOf(settings, own, split))).heldOut
        const unknown = examples.find(({ label }) => !classifier.config.labels.includes(label))
        if (unknown !== undefined)
          await take(
            E.left(
              `task: ${given ?? 'the corpus'} has the label ${JSON.stringify(unknown.label)}, ` +
                `the classifier knows ${classifier.config.labels.join(', ')}`,
            ),
          )
        const judgement = await judge(classifier, run.tokenizer, examples)
        say(
          `  ${plural(examples.length, 'text')}: accuracy ${percent(judgement.accuracy)}, macro F1 ${judgement.macroF1.toFixed(3)}`,
        )
      }
    }),
})
