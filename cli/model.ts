/** Models that commands are given: folders, or names on the Hub, which are fetched before anything else. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { modelFolder, readConfigFile } from '../models/index.ts'
import type { Context } from './context.ts'
import { openRun, places, readTokenizer } from './run.ts'
import type { Run, RunKind } from './run.ts'
import type { Bar } from './terminal.ts'
import { bytes } from './word.ts'

/** The folder of a model; what is fetched for it is shown beside the answer. */
export const folderOf =
  (
    { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
    model: string,
  ): TE.TaskEither<string, string> =>
  async () => {
    let bar: Bar | undefined
    const found = await modelFolder(model, {
      signal,
      note: terminal.note,
      progress: (done, total, file) => {
        bar ??= terminal.noteBar(model, total)
        bar.at(done, `${bytes(done)} of ${bytes(total)}, ${file}`)
      },
    })()
    bar?.end()
    return found
  }

/** What kind of run would have made a model. */
const kinds: Readonly<Record<string, RunKind>> = { bert: 'bert', gpt2: 'gpt' }

/** A model that no run has made. */
const foreignRun = (path: string): TE.TaskEither<string, Run> =>
  F.pipe(
    readConfigFile(path),
    TE.flatMapEither((file) => {
      const type = String(file['model_type'])
      const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined
      return kind === undefined
        ? E.left(
            `${path} holds a model of type ${type}; this takes a run, or one of ${Object.keys(kinds).join(', ')}`,
          )
        : E.right({ kind, created: '', pullback: '', settings: {} })
    }),
    TE.bindTo('about'),
    TE.bind('tokenizer', () => readTokenizer(path)),
    TE.map((found) => ({ path, ...found })),
  )

/** A run, or a model as others make them, by its folder or its name on the Hub. */
export const openModel = (context: Context, model: string): TE.TaskEither<string, Run> =>
  F.pipe(
    folderOf(context, model),
    TE.flatMap((path) =>
      !existsSync(join(path, places.run)) && existsSync(join(path, 'config.json'))
        ? foreignRun(path)
        : openRun(path),
    ),
  )
