/** `pullback finetune --objective question-answering`: what finds answers in passages, out of a pretrained BERT. */
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import { bert, bertPositionalHeads } from '../../models/index.ts'
import type { BertParams } from '../../models/index.ts'
import { readQuestions } from '../../training/index.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { copyFile, writeJson } from '../file.ts'
import { saveAnswerer, splitQuestions, trainAnswerer } from '../job/answer.ts'
import type { AnswererTrained } from '../job/answer.ts'
import { loadBert } from '../job/bert.ts'
import type { ClassifySetting } from '../job/classify.ts'
import { interrupted } from '../job/interrupted.ts'
import { openModel } from '../model.ts'
import { beginRun, newRun, ofKind, placeOf } from '../run.ts'
import { settings } from '../setting.ts'
import type { Values } from '../setting.ts'
import { columns, count, duration, percent, plural } from '../word.ts'
import { about } from './common.ts'

type Given = Values<ClassifySetting | 'task' | 'name' | 'runs' | 'engine' | 'heldOut'>

const line = (name: string, { score: { exact, f1 } }: AnswererTrained): readonly string[] => [
  name,
  percent(exact),
  percent(f1),
]

export const answering = (context: Context, values: Given, from: string): TE.TaskEither<string, void> =>
  steps(async (take) => {
    const { say, title } = context.terminal
    const began = performance.now()
    if (values.task === undefined)
      return take(
        E.left('--task names the file of questions in the form of SQuAD; there is none to take instead'),
      )
    const run = await take(openModel(context, from))
    await take(ofKind(['bert'], 'be fine-tuned')(run))
    const folder = await take(newRun(values.runs, values.name, 'answerer'))
    const task = await take(
      splitQuestions(await take(readQuestions(values.task)), values.heldOut, values.seed),
    )
    const engine = await take(useEngine(context, values.engine))
    const { config, params } = await take(loadBert(run.path))
    await take(beginRun(folder, about('bert', { ...values, from })))
    await take(copyFile(placeOf(run.path, 'tokenizer'), placeOf(folder, 'tokenizer')))

    title(`Fine-tuning: the questions of ${values.task}`)
    say(
      `  ${plural(task.train.length, 'question')} to learn from, ${count(task.heldOut.length)} held out with their passages`,
    )
    const tune = (body: BertParams, phase: string, label: string): Promise<AnswererTrained> =>
      take(
        trainAnswerer(context, values, run.tokenizer, { config, params: body }, task, {
          phase,
          label,
          folder,
        }),
      )
    const answered = await tune(params, 'finetune', 'fine-tuning')
    await take(saveAnswerer(folder, answered))
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
        learntFrom: task.train.length,
        heldOut: task.heldOut.length,
        pretrained: answered.score,
        fromScratch: fromScratch.score,
      }),
    )
    title('On questions to held-out passages')
    const table = [
      ['', 'exact', 'F1 of words'],
      line('pretrained, then fine-tuned', answered),
      line('the same network from scratch', fromScratch),
    ]
    columns(table).forEach((one) => say(`  ${one}`))
    say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
    const [example] = task.heldOut
    const [question, passage] = [example?.question ?? '', example?.context ?? '']
    const shown = passage.length > 80 ? `${passage.slice(0, 80)}…` : passage
    say(
      `    npx pullback run question-answering ${folder} ${JSON.stringify(question)} ${JSON.stringify(shown)}`,
    )
  })
