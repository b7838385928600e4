/** `pullback resume`: goes on with a pretraining that was ended before its time. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { toArray } from '../../core/index.ts'
import { loadCheckpoint } from '../../training/index.ts'
import type { TrainState } from '../../training/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Resume } from '../job/train.ts'
import { gatherCorpus } from '../job/corpus.ts'
import { pretrainOn } from '../job/pretrain.ts'
import { forgetAfter, ofKind, openRun, placeOf } from '../run.ts'
import type { SettingName } from '../setting.ts'
import { count } from '../word.ts'
import { settingsOf } from './corpus.ts'

const names = [
  ...(['seed', 'corpus', 'characters', 'heldOut'] as const),
  ...(['width', 'layers', 'heads', 'hidden', 'length', 'dropout', 'positionalHeads'] as const),
  ...(['steps', 'minutes', 'batch', 'learningRate', 'optimizer', 'warmup', 'weightDecay', 'clip'] as const),
] as const satisfies readonly SettingName[]

export const resume: AnyCommand = command({
  name: 'resume',
  about: 'go on with a pretraining that was ended before its time',
  arguments: [{ name: 'run', about: "the run's folder" }],
  settings: ['engine'],
  run: (context, values, [path = '']) =>
    steps(async (take) => {
      const { say, title } = context.terminal
      const began = performance.now()
      const run = await take(openRun(path))
      await take(ofKind(['bert', 'gpt'], 'be gone on with')(run))
      const settings = await take(settingsOf(run, names))
      const checkpoint = placeOf(path, 'checkpoint')
      if (!existsSync(join(checkpoint, 'checkpoint.json')))
        await take(E.left(`${path} has no checkpoint to go on from`))
      const engine = await take(useEngine(context, values.engine))
      title('The corpus again')
      const split = await take(gatherCorpus(context, settings))
      const load: Resume['load'] = async (like, tokens) => {
        const { state, notes } = await take(loadCheckpoint(checkpoint, like))
        if (notes['tokens'] !== tokens)
          return take(
            E.left(
              `${path} was made of ${String(notes['tokens'])} tokens, the corpus has ${tokens} now; it can only go on with the same text`,
            ),
          )
        const { steps: wanted } = notes
        if (typeof wanted !== 'number')
          return take(E.left(`${checkpoint} does not say how many steps the run is to have`))
        const step = Number((await toArray((state as TrainState<unknown>).step))[0])
        await take(forgetAfter(path, step))
        say(`  goes on behind step ${count(step)} of ${count(wanted)}`)
        return { state, steps: wanted }
      }
      await take(
        pretrainOn(context, run.about.kind as 'bert' | 'gpt', settings, run.tokenizer, split, path, {
          engine,
          began,
          resume: { load },
        }),
      )
    }),
})
