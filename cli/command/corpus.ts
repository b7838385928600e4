/** The corpus of a run that is there, gathered again as it was. */
import { function as F, taskEither as TE } from 'fp-ts'
import type { Split } from '../../training/index.ts'
import type { Context } from '../context.ts'
import { gatherCorpus } from '../job/corpus.ts'
import type { Run } from '../run.ts'
import { readSettings } from '../setting.ts'
import type { SettingName, Values } from '../setting.ts'

/** The settings of these names that a run was made with. */
export const settingsOf = <N extends SettingName>(
  { about, path }: Run,
  names: readonly N[],
): TE.TaskEither<string, Values<N>> =>
  F.pipe(
    readSettings(
      names,
      {},
      undefined,
      Object.fromEntries(
        names.map((name) => {
          const value = about.settings[name]
          return [name, value === undefined || value === null ? undefined : String(value)]
        }),
      ),
    ),
    TE.mapLeft((reason) => `${path}/run.json: ${reason}`),
  )

/** A run's corpus; another one where `path` names it. */
export const corpusOf = (context: Context, run: Run, path?: string): TE.TaskEither<string, Split> =>
  F.pipe(
    settingsOf(run, ['seed', 'corpus', 'characters', 'heldOut']),
    TE.flatMap((settings) =>
      gatherCorpus(context, path === undefined ? settings : { ...settings, corpus: path }),
    ),
  )
