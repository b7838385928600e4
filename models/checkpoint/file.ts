/** Files of checkpoints: read piece by piece, written whole or not at all. */
import type { FileHandle } from 'node:fs/promises'
import { either as E, taskEither as TE } from 'fp-ts'
import { readFailure, readRange, replaceFile, writeFailure } from '../../core/file.ts'
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  decodeSafetensorsTensor,
  safetensorsHeaderSize,
} from '../../core/safetensors.ts'
import type { SafetensorsHeader, SafetensorsInfo, SafetensorsTensor } from '../../core/safetensors.ts'
import type { Source } from './params.ts'

/** A task at a path; failures become `path does not exist` and the like. */
export const at = <A>(
  path: string,
  task: () => Promise<A>,
  inWords: (error: unknown) => string = readFailure,
): TE.TaskEither<string, A> => TE.tryCatch(task, (error) => `${path} ${inWords(error)}`)

const largestText = 64 * 2 ** 20

/** What a file of text holds. */
export const readText = (path: string): TE.TaskEither<string, string> =>
  TE.flatMapEither((text: string | number) =>
    typeof text === 'number'
      ? E.left(`${path} has ${text} bytes, at most ${largestText} are read`)
      : E.right(text),
  )(
    at(path, async () => {
      const { readFile, stat } = await import('node:fs/promises')
      const { size } = await stat(path)
      return size > largestText ? size : await readFile(path, 'utf8')
    }),
  )

/** What a JSON file holds. */
export const readJson = (path: string): TE.TaskEither<string, unknown> =>
  TE.flatMapEither((text: string): E.Either<string, unknown> => {
    try {
      return E.right(JSON.parse(text) as unknown)
    } catch {
      return E.left(`${path} is not valid JSON`)
    }
  })(readText(path))

/** The names of what is in a folder. */
export const namesIn = (folder: string): TE.TaskEither<string, readonly string[]> =>
  at(folder, async () => (await import('node:fs/promises')).readdir(folder))

/** What a JSON file of a folder holds, or undefined where there is no such file. */
export const optionalJson = (folder: string, name: string): TE.TaskEither<string, unknown> =>
  TE.flatMap((files: readonly string[]) =>
    files.includes(name) ? readJson(`${folder}/${name}`) : TE.right(undefined),
  )(namesIn(folder))

const withFile = <A>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<E.Either<string, A>>,
): TE.TaskEither<string, A> =>
  TE.flatMapEither((result: E.Either<string, A>) => E.mapLeft((left: string) => `${path}: ${left}`)(result))(
    at(path, async () => {
      const { open } = await import('node:fs/promises')
      const file = await open(path)
      try {
        return await use(file, (await file.stat()).size)
      } finally {
        await file.close()
      }
    }),
  )

/** The header of a safetensors file; nothing else is read. */
export const readHeader = (path: string): TE.TaskEither<string, SafetensorsHeader> =>
  withFile(path, async (file, fileSize) => {
    const size = safetensorsHeaderSize(await readRange(file, 0, Math.min(8, fileSize)), fileSize)
    if (E.isLeft(size)) return size
    return decodeSafetensorsHeader(await readRange(file, 0, size.right), fileSize)
  })

/** One tensor of a safetensors file. */
export const readTensor = (path: string, info: SafetensorsInfo): TE.TaskEither<string, SafetensorsTensor> =>
  withFile(path, async (file) => decodeSafetensorsTensor(info, await readRange(file, info.begin, info.end)))

/**
 * A safetensors file in memory as a source, as browsers have it. Left: what is wrong with it.
 *
 * @example
 * ```ts
 * import { sourceOf } from 'pullback/models'
 * const source = sourceOf(Uint8Array.of(1, 2, 3))
 * console.log(source)
 * // => { _tag: 'Left', left: 'safetensors: the file is cut off: 3 bytes, the shortest has 10' }
 * ```
 */
export const sourceOf = (bytes: Uint8Array): E.Either<string, Source> =>
  E.map(({ tensors }: { readonly tensors: ReadonlyMap<string, SafetensorsTensor> }): Source => ({
    tensors,
    read: (name) => TE.of(tensors.get(name) as SafetensorsTensor),
  }))(decodeSafetensors(bytes))

/** Writes a file whole or leaves it as it was. */
export const writeWhole = (path: string, pieces: readonly Uint8Array[]): TE.TaskEither<string, void> =>
  at(path, () => replaceFile(path, pieces), writeFailure)
