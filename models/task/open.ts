/** The model of a folder that does a task, as far as it fits the tokenizer beside it. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { vocabularySize } from '../tokenizer/tokenizer.ts'
import { architectureOf } from './folder.ts'
import type { Folder } from './folder.ts'

/** Left: a tokenizer that has ids beyond the model's vocabulary. */
const fitting =
  ({ path, tokenizer }: Folder) =>
  <M extends { readonly vocabularySize: number }>(model: M): E.Either<string, M> => {
    const size = vocabularySize(tokenizer)
    return size > model.vocabularySize
      ? E.left(`${path}: the tokenizer has ${size} ids, the model ${model.vocabularySize}`)
      : E.right(model)
  }

/** Opens the architecture of the folder that does the task. */
export const opened = <N extends string, M extends { readonly vocabularySize: number }>(
  task: string,
  doers: Readonly<Record<N, string>>,
  load: (name: N, path: string) => TE.TaskEither<string, M>,
  folder: Folder,
): TE.TaskEither<string, M> =>
  F.pipe(
    TE.fromEither(architectureOf(task, doers, folder)),
    TE.flatMap((name) => load(name, folder.path)),
    TE.flatMapEither(fitting(folder)),
  )
