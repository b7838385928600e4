/** `pullback finetune`: a classifier, a tagger or an answerer out of a pretrained BERT, or an encoder-decoder out of sources and targets. */
import { either as E, taskEither as TE } from 'fp-ts'
import type { BertBodyParams } from '../../models/index.ts'
import { readExamples } from '../../training/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { copyFile } from '../file.ts'
import { questionAnswering } from '../job/answer.ts'
import { loadBert } from '../job/bert.ts'
import { classification } from '../job/classify.ts'
import { compareWithScratch } from '../job/finetune.ts'
import type { FineTuning } from '../job/finetune.ts'
import { finish } from '../job/finish.ts'
import { interrupted } from '../job/interrupted.ts'
import { makePairTokenizer, pairsFrom, trainTranslator } from '../job/sequence.ts'
import { comparisonLines } from '../job/summary.ts'
import { tagging } from '../job/tag.ts'
import { corpusTask, holdOut, inFile, ownTask, taskLine } from '../job/task.ts'
import { openModel } from '../model.ts'
import { beginRun, newRun, ofKind, placeOf } from '../run.ts'
import { settings } from '../setting.ts'
import type { SettingName, Values } from '../setting.ts'
import { count, duration, percent, quoted } from '../word.ts'
import { about, checkSizes } from './common.ts'
import { corpusOf } from './corpus.ts'

const names = [
  ...(['objective', 'name', 'runs', 'seed', 'engine', 'task', 'labels'] as const),
  ...(['epochs', 'taskBatch', 'taskRate', 'warmup', 'weightDecay', 'clip'] as const),
  ...(['heldOut', 'vocabulary', 'width', 'layers', 'heads', 'hidden', 'length', 'dropout'] as const),
  ...(['steps', 'minutes', 'batch', 'learningRate', 'optimizer'] as const),
] as const satisfies readonly SettingName[]

type Given = Values<(typeof names)[number]>

/** Teaches a pretrained BERT what it may be taught. */
const tune =
  <X, R, P extends BertBodyParams, O>(of: FineTuning<X, R, P, O>) =>
  (context: Context, values: Given, from: string): TE.TaskEither<string, void> =>
    steps(async (take) => {
      const { say, title } = context.terminal
      const began = performance.now()
      const run = await take(openModel(context, from))
      await take(ofKind(['bert'], 'be fine-tuned')(run))
      const { positionalHeads: begun } = run.about.settings
      const positionalHeads = typeof begun === 'number' ? begun : settings.positionalHeads.fallback
      const folder = await take(newRun(values.runs, values.name, of.makes))
      const own = await take(ownTask(of, values))
      const engine = await take(useEngine(context, values.engine))
      const base = await take(loadBert(run.path))
      const task = own ?? (await take(corpusTask(of, await take(corpusOf(context, run)), values)))
      await take(beginRun(folder, about('bert', { ...values, from })))
      await take(copyFile(placeOf(run.path, 'tokenizer'), placeOf(folder, 'tokenizer')))

      title(`Fine-tuning: ${task.question}`)
      say(taskLine(of, task))
      const compared = await take(
        compareWithScratch(of, context, { ...values, positionalHeads }, run.tokenizer, base, task, folder),
      )
      title('On what was held out')
      comparisonLines(compared).forEach((line) => say(line))
      const seconds = (performance.now() - began) / 1000
      const facts = [
        ['pretrained', from],
        [`${of.units.example}s`, count(task.train.length)],
      ] as const
      const { seed } = values
      await take(finish(folder, { name: folder, engine, seed, seconds, facts, compared, filled: [] }))
      say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
      say(`    npx pullback ${of.example(folder, task)}`)
    })

const tunes = {
  classification: tune(classification),
  tagging: tune(tagging),
  'question-answering': tune(questionAnswering),
}

const translate = (context: Context, values: Given): TE.TaskEither<string, void> =>
  steps(async (take) => {
    const { say, title } = context.terminal
    if (values.task === undefined)
      return take(E.left('--task names the file of sources and targets; there is none to take instead'))
    await take(checkSizes(values))
    const folder = await take(newRun(values.runs, values.name, 'transformer'))
    const pairs = pairsFrom(await take(readExamples(values.task)))
    const split = await take(inFile(values.task)(holdOut(pairs, 'pair', values)))
    const engine = await take(useEngine(context, values.engine))
    const began = performance.now()
    await take(beginRun(folder, about('transformer', values)))
    title('A tokenizer')
    const tokenizer = await take(makePairTokenizer(context, split.train, values.vocabulary, folder))
    title('Training: the target, given the source')
    const found = await take(trainTranslator(context, values, tokenizer, split, folder))
    if (context.signal.aborted) return take(interrupted(folder, 'training'))
    title('On held-out pairs')
    say(`  ${percent(found.exact)} of the targets are written exactly`)
    for (const { source, target, written } of found.samples)
      say(`  ${source} → ${written}${written === target ? '' : ` (right: ${target})`}`)
    const seconds = (performance.now() - began) / 1000
    await take(
      finish(folder, {
        name: folder,
        engine,
        seed: values.seed,
        seconds,
        facts: [
          ['pairs to learn from', count(split.train.length)],
          ['held-out targets written exactly', percent(found.exact)],
        ],
        translated: found,
        filled: [],
      }),
    )
    say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
    say(`    npx pullback generate ${folder} ${quoted(split.heldOut[0]?.source ?? '')}`)
  })

export const finetune: AnyCommand = command({
  name: 'finetune',
  about:
    'fine-tune a pretrained BERT on labelled texts, tagged words or questions, beside the same network from scratch; or train an encoder-decoder on sources and targets',
  arguments: [
    {
      name: 'run',
      about:
        'the folder of the pretrained run, or the name of a BERT on the Hub, for all but sequence to sequence',
      optional: true,
    },
  ],
  settings: names,
  fallbacks: { steps: 1000, batch: 32, layers: 2, length: 64 },
  run: (context, values, [from]) => {
    if (values.objective === 'sequence-to-sequence') return translate(context, values)
    if (from === undefined)
      return TE.left('finetune: name the folder of a pretrained run; pullback pretrain makes one')
    return tunes[values.objective](context, values, from)
  },
})
