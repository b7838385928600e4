import { taskEither as TE } from 'fp-ts'

/** The end of a job by Ctrl-C: what there is, and how to go on. */
export const interrupted = (folder: string, during: string): TE.TaskEither<string, never> =>
  TE.left(
    `stopped during ${during}; what was learnt so far is in ${folder}` +
      (during === 'pretraining' ? `, and pullback resume ${folder} goes on with it` : ''),
  )
