/** `pullback finetune --objective tagging`: a tagger of words out of a pretrained BERT, beside one from scratch. */
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import { bert, bertPositionalHeads } from '../../models/index.ts'
import type { BertParams } from '../../models/index.ts'
import { readTagged } from '../../training/index.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { copyFile, writeJson } from '../file.ts'
import { loadBert } from '../job/bert.ts'
import type { ClassifySetting } from '../job/classify.ts'
import { interrupted } from '../job/interrupted.ts'
import { saveTagger, splitTagged, trainTagger } from '../job/tag.ts'
import type { TaggerTrained } from '../job/tag.ts'
import { openModel } from '../model.ts'
import { beginRun, newRun, ofKind, placeOf } from '../run.ts'
import { settings } from '../setting.ts'
import type { Values } from '../setting.ts'
import { columns, count, duration, percent, plural } from '../word.ts'
import { about } from './common.ts'

type Given = Values<ClassifySetting | 'task' | 'name' | 'runs' | 'engine' | 'heldOut'>

const line = (name: string, { score: { precision, recall, f1 } }: TaggerTrained): readonly string[] => [
  name,
  percent(precision),
  percent(recall),
  percent(f1),
]

export const tagging = (context: Context, values: Given, from: string): TE.TaskEither<string, void> =>
  steps(async (take) => {
    const { say, title } = context.terminal
    const began = performance.now()
    if (values.task === undefined)
      return take(E.left('--task names the CoNLL file of tagged words; there is none to take instead'))
    const run = await take(openModel(context, from))
    await take(ofKind(['bert'], 'be fine-tuned')(run))
    const folder = await take(newRun(values.runs, values.name, 'tagger'))
    const task = await take(splitTagged(await take(readTagged(values.task)), values.heldOut, values.seed))
    const engine = await take(useEngine(context, values.engine))
    const { config, params } = await take(loadBert(run.path))
    await take(beginRun(folder, about('bert', { ...values, from })))
    await take(copyFile(placeOf(run.path, 'tokenizer'), placeOf(folder, 'tokenizer')))

    title(`Fine-tuning: the tags of ${values.task}`)
    say(
      `  ${plural(task.train.length, 'text')} to learn from, ${count(task.heldOut.length)} held out, ` +
        `${plural(task.labels.length, 'tag')}: ${task.labels.join(', ')}`,
    )
    const tune = (body: BertParams, phase: string, label: string): Promise<TaggerTrained> =>
      take(
        trainTagger(context, values, run.tokenizer, { config, params: body }, task, { phase, label, folder }),
      )
    const tagged = await tune(params, 'finetune', 'fine-tuning')
    await take(saveTagger(folder, tagged))
    if (context.signal.aborted) return take(interrupted(folder, 'fine-tuning'))
    const begun = run.about.settings['positionalHeads']
    const heads = typeof begun === 'number' ? begun : settings.positionalHeads.fallback
    const drawn = bert(config).init(random.foldIn(random.key(values.seed), 'scratch'))
    const fresh = bertPositionalHeads(config, drawn, heads)
    const fromScratch = await tune(fresh, 'scratch', 'the same from scratch')
    if (context.signal.aborted) return take(interrupted(folder, 'the comparison'))

    const seconds = (performance.now() - began) / 1000
    await take(
      writeJson(placeOf(folder, 'summary'), {
        engine,
        seconds,
        labels: task.labels,
        learntFrom: task.train.length,
        heldOut: task.heldOut.length,
        pretrained: tagged.score,
        fromScratch: fromScratch.score,
      }),
    )
    title(`On held-out texts, by their ${plural(tagged.score.support, 'entity', 'entities')}`)
    const table = [
      ['', 'precision', 'recall', 'F1'],
      line('pretrained, then fine-tuned', tagged),
      line('the same network from scratch', fromScratch),
    ]
    columns(table).forEach((one) => say(`  ${one}`))
    say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
    const example = task.heldOut[0]?.words.join(' ') ?? ''
    say(`    npx pullback run token-classification ${folder} ${JSON.stringify(example.slice(0, 60))}`)
  })
