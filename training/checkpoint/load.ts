/** Reading a checkpoint. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { readFailure } from '../../core/file.ts'
import { isGone } from './failure.ts'
import type { Manifest, Notes } from './manifest.ts'
import { manifestName, parseManifest } from './manifest.ts'
import { readTensors } from './read.ts'
import type { LoadOptions } from './tree.ts'
import { fill } from './tree.ts'

export interface Checkpoint<S> {
  readonly state: S
  readonly notes: Notes
}

const read = async <S>(
  folder: string,
  like: S,
  options: LoadOptions,
): Promise<E.Either<string, Checkpoint<S>>> => {
  const { readFile } = await import('node:fs/promises')
  const manifest = async (): Promise<E.Either<string, Manifest>> =>
    parseManifest(await readFile(`${folder}/${manifestName}`, 'utf8'))
  const found = await manifest()
  if (E.isLeft(found)) return found
  try {
    return await readState(folder, found.right, like, options)
  } catch (error) {
    // A run that goes on has replaced the checkpoint since the manifest was read.
    const now = isGone(error) ? await manifest() : found
    if (E.isRight(now) && now.right.tensors !== found.right.tensors) return read(folder, like, options)
    throw error
  }
}

const readState = async <S>(
  folder: string,
  { tensors: name, sha256, notes }: Manifest,
  like: S,
  options: LoadOptions,
): Promise<E.Either<string, Checkpoint<S>>> => {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  const tensors = await readTensors(`${folder}/${name}`, like, (bytes) => hash.update(bytes))
  if (E.isLeft(tensors)) return tensors
  if (hash.digest('hex') !== sha256) return E.left(`is damaged (the checksum of ${name} is another)`)
  return E.right({ state: fill(tensors.right, like, options), notes })
}

const missing = (error: unknown): string | undefined => {
  if (!isGone(error)) return undefined
  const name = error.path.split('/').at(-1) as string
  return name === manifestName ? `holds no checkpoint (no ${manifestName})` : `is incomplete: ${name} is gone`
}

/**
 * Reads a checkpoint. `like` is a tree of the same structure, shapes and dtypes (`initState` makes one); its numbers
 * do not matter.
 *
 * @returns Left: one sentence: nothing there, not ours, cut off, damaged, or, with all of them listed, tensors that
 * are missing, not expected, or of another form.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor, zeros } from 'pullback'
 * import { loadCheckpoint, saveCheckpoint } from 'pullback/training'
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * await saveCheckpoint(folder, { weight: tensor([1, 2]) }, { epoch: 3 })()
 * const loaded = await loadCheckpoint(folder, { weight: zeros([2]) })()
 * if (loaded._tag === 'Right') console.log(loaded.right.state.weight, loaded.right.notes)
 * // => float32[2] [1, 2] { epoch: 3 }
 * ```
 */
export const loadCheckpoint = <S>(
  folder: string,
  like: S,
  options: LoadOptions = {},
): TE.TaskEither<string, Checkpoint<S>> =>
  F.pipe(
    TE.tryCatch(
      () => read(folder, like, options),
      (error) => missing(error) ?? readFailure(error),
    ),
    TE.flatMapEither((checkpoint) => checkpoint),
    TE.mapLeft((reason) => `checkpoint: ${folder} ${reason}`),
  )

/**
 * Whether a folder holds a checkpoint, sound or not.
 *
 * @example
 * ```ts
 * import { hasCheckpoint } from 'pullback/training'
 * console.log(await hasCheckpoint('runs/not-there')) // => false
 * ```
 */
export const hasCheckpoint = async (folder: string): Promise<boolean> => {
  const { access } = await import('node:fs/promises')
  return access(`${folder}/${manifestName}`).then(
    () => true,
    () => false,
  )
}
