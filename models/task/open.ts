/** Which architecture of those that do a task a folder has, and the model that it opens as. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import type { ConfigFile } from '../config/codec.ts'
import type { StoredPrecision } from '../../nn/index.ts'
import { architectures, architecturesOf } from '../checkpoint/known.ts'
import { vocabularySize } from '../tokenizer/tokenizer.ts'
import type { Folder } from './folder.ts'

/** An architecture that does a task, and how a folder of it is opened as a model for the task. */
export interface Doer<M> {
  /** What config.json calls it. */
  readonly name: string
  /** Its `model_type`. */
  readonly type: string
  readonly load: (path: string, precision?: StoredPrecision) => TE.TaskEither<string, M>
}

/** What a folder says that it holds, where that does not do a task. */
const cameOf = ({ model_type: type }: ConfigFile, declared: unknown): string => {
  if (declared === undefined) return `a model of type ${JSON.stringify(type) ?? 'unknown'}, which`
  if (Object.hasOwn(architectures, String(declared))) return `${JSON.stringify(declared)}, which`
  const family = architecturesOf(type)
  const there = family.length === 0 ? '' : ` (of its family there are ${family.join(', ')})`
  return `${JSON.stringify(declared)}, which is not built here${there} and`
}

/** The one that a folder has, told by `architectures`, or by `model_type` where that is left out. */
export const doerOf = <M>(
  task: string,
  doers: readonly Doer<M>[],
  { path, file }: Pick<Folder, 'path' | 'file'>,
): E.Either<string, Doer<M>> => {
  const declared: unknown = Array.isArray(file['architectures']) ? file['architectures'][0] : undefined
  const found = doers.find(({ name, type }) =>
    declared === undefined ? type === file['model_type'] : name === declared,
  )
  return E.fromNullable(
    `${path} holds ${cameOf(file, declared)} cannot do ${task}; ${doers.map(({ name }) => name).join(', ')} can`,
  )(found)
}

/** Left: a tokenizer that has ids beyond the model's vocabulary. */
const fitting =
  ({ path, tokenizer }: Folder) =>
  <M extends { readonly vocabularySize: number }>(model: M): E.Either<string, M> => {
    const size = vocabularySize(tokenizer)
    return size > model.vocabularySize
      ? E.left(`${path}: the tokenizer has ${size} ids, the model ${model.vocabularySize}`)
      : E.right(model)
  }

/** Opens the architecture of the folder that does the task, as far as it fits the tokenizer beside it. */
export const opened = <M extends { readonly vocabularySize: number }>(
  task: string,
  doers: readonly Doer<M>[],
  folder: Folder,
  precision?: StoredPrecision,
): TE.TaskEither<string, M> =>
  F.pipe(
    TE.fromEither(doerOf(task, doers, folder)),
    TE.flatMap(({ load }) => load(folder.path, precision)),
    TE.flatMapEither(fitting(folder)),
  )
