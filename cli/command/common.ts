/** What commands share. */
import { taskEither as TE } from 'fp-ts'
import type { About, RunKind } from '../run.ts'
import { version } from '../version.ts'

/** What a run that begins now is. */
export const about = (kind: RunKind, values: Readonly<Record<string, unknown>>): About => ({
  kind,
  created: new Date().toISOString(),
  pullback: version,
  settings: values,
})

/** The end of a job by Ctrl-C: what there is, and how to go on. */
export const interrupted = (folder: string, during: string): TE.TaskEither<string, never> =>
  TE.left(
    `stopped during ${during}; what was learnt so far is in ${folder}` +
      (during === 'pretraining' ? `, and pullback resume ${folder} goes on with it` : ''),
  )
