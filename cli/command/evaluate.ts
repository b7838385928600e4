/** `pullback evaluate`: what held-out text says of a run. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import type { BertBodyParams } from '../../models/index.ts'
import { readExamples } from '../../training/index.ts'
import type { Split } from '../../training/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { questionAnswering } from '../job/answer.ts'
import { evaluateBert } from '../job/bert.ts'
import { classification } from '../job/classify.ts'
import { isThere, judge, load } from '../job/finetune.ts'
import type { FineTuning } from '../job/finetune.ts'
import { evaluateGpt } from '../job/gpt.ts'
import { judgeTranslator, loadTranslator, pairsFrom } from '../job/sequence.ts'
import { languageLines } from '../job/summary.ts'
import { tagging } from '../job/tag.ts'
import { corpusTask, holdOut, inFile, ownTask } from '../job/task.ts'
import { ofKind, openRun } from '../run.ts'
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
      path === undefined ? (await take(inFile(file)(holdOut(all, 'pair', settings)))).heldOut : all
    const translator = await take(loadTranslator(run.path))
    const { exact, judged } = await judgeTranslator(translator, run.tokenizer, pairs, settings.length)
    say(`  ${percent(exact)} of ${plural(judged, 'target')} are written exactly`)
  })

/** What a fine-tuned model makes of a file, which is looked at whole, or of what its run did not learn from. */
const evaluateTuned =
  <X, R, P extends BertBodyParams, O>(of: FineTuning<X, R, P, O>) =>
  (
    { terminal: { say, title } }: Context,
    run: Run,
    path: string | undefined,
    split: Split | undefined,
  ): TE.TaskEither<string, void> =>
    steps(async (take) => {
      const tuned = await take(load(of, run.path))
      const settings = await take(settingsOf(run, ['task', 'labels', 'heldOut', 'seed']))
      const examples =
        path !== undefined
          ? await take(of.read(path))
          : ((await take(ownTask(of, settings))) ?? (await take(corpusTask(of, split, settings)))).heldOut
      const known = tuned.config.labels
      const unknown = examples.flatMap(of.labelsOf).find((label) => !known.includes(label))
      if (unknown !== undefined)
        await take(
          E.left(
            `task: ${path ?? settings.task ?? 'the corpus'} has the ${of.units.label} ${JSON.stringify(unknown)}, ` +
              `the ${of.makes} knows ${known.join(', ')}`,
          ),
        )
      title(`Held-out ${of.units.example}s`)
      const { columns } = await judge(of, tuned, run.tokenizer, examples)
      const scores = columns.map(([name, value]) => `${name} ${value}`).join(', ')
      say(`  ${plural(examples.length, of.units.example)}: ${scores}`)
    })

const evaluations = {
  classification: { of: classification, look: evaluateTuned(classification) },
  tagging: { of: tagging, look: evaluateTuned(tagging) },
  'question-answering': { of: questionAnswering, look: evaluateTuned(questionAnswering) },
}

export const evaluate: AnyCommand = command({
  name: 'evaluate',
  about:
    "look at a run with what it has not learnt from: its corpus' or file's held-out part, or a file of your own",
  arguments: [{ name: 'run', about: "the run's folder" }],
  settings: ['corpus', 'task', 'engine'],
  run: (context, values, [path = '']) =>
    steps(async (take) => {
      const { title } = context.terminal
      const run = await take(openRun(path))
      await take(ofKind(['bert', 'gpt', 'transformer'], 'be evaluated')(run))
      await take(useEngine(context, values.engine))
      const { objective, seed, batch, task } = await take(
        settingsOf(run, ['objective', 'seed', 'batch', 'task']),
      )
      if (objective === 'sequence-to-sequence') return take(evaluateTranslator(context, run, values.task))
      const { of, look } = evaluations[objective]
      const isTuned = isThere(of, path)
      const isPretrained = existsSync(join(path, 'model.safetensors')) && !(isTuned && of.place === 'model')
      if (!isPretrained && !isTuned)
        await take(E.left(`${path} holds no model: it was ended before one was kept`))
      const needsCorpus = isPretrained || (values.task ?? task) === undefined
      if (needsCorpus) title('The corpus')
      const { from } = run.about.settings
      const source = typeof from === 'string' && needsCorpus ? await take(openRun(from)) : run
      const split = needsCorpus ? await take(corpusOf(context, source, values.corpus)) : undefined
      if (isPretrained && split !== undefined) {
        title('Held-out text')
        const evaluateLanguage = run.about.kind === 'bert' ? evaluateBert : evaluateGpt
        const { metric, entropy } = await take(
          evaluateLanguage(path, run.tokenizer, split.heldOut, { seed, batchSize: batch }),
        )
        languageLines(metric, entropy).forEach((line) => context.terminal.say(line))
      }
      if (isTuned) await take(look(context, run, values.task, split))
    }),
})
