/** Writing a checkpoint. */
import type { taskEither as TE } from 'fp-ts'
import { safetensorsPieces } from '../../core/safetensors.ts'
import { replaceFile, syncFolder, temporaryName, writeNew } from '../../core/file.ts'
import { attempt } from './failure.ts'
import type { Notes } from './manifest.ts'
import { isPart, manifestName, manifestText, stateName } from './manifest.ts'
import { entriesOf } from './tree.ts'

const write = async (folder: string, state: unknown, notes: Notes): Promise<void> => {
  const { mkdir, readdir, rename, rm } = await import('node:fs/promises')
  const { createHash } = await import('node:crypto')
  // before anything is written: a tensor that cannot be read, or notes that are no JSON, are the program's mistakes
  const pieces = safetensorsPieces(await entriesOf(state))
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  const sha256 = hash.digest('hex')
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const tensors = stateName(sha256)
  const manifest = new TextEncoder().encode(manifestText({ tensors, bytes, sha256, notes }))

  await mkdir(folder, { recursive: true })
  const temporary = temporaryName(`${folder}/state`)
  await writeNew(temporary, pieces)
  await rename(temporary, `${folder}/${tensors}`)
  await syncFolder(folder)
  await replaceFile(`${folder}/${manifestName}`, [manifest])
  // From here on the checkpoint is the new one; what is left of others, or of writers that were killed, can go.
  const others = (await readdir(folder)).filter(
    (name) => isPart(name) && name !== tensors && name !== manifestName,
  )
  for (const name of others) await rm(`${folder}/${name}`, { force: true }).catch(() => undefined)
}

/**
 * Writes a checkpoint into a folder, in place of the one there: any tree of tensors (a `TrainState` above all) and the
 * caller's notes. Run it before the next step takes over the state's memory, and one at a time for each folder.
 *
 * @returns Left: one sentence; what was in the folder before is then still whole.
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor } from 'pullback'
 * import { saveCheckpoint } from 'pullback/training'
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * const saved = await saveCheckpoint(folder, { weight: tensor([1, 2]) }, { epoch: 3 })()
 * console.log(saved._tag, (await readdir(folder)).length) // => Right 2
 * ```
 */
export const saveCheckpoint = (
  folder: string,
  state: unknown,
  notes: Notes = {},
): TE.TaskEither<string, void> =>
  attempt(
    () => write(folder, state, notes),
    (reason) => `checkpoint: ${folder} ${reason}`,
  )
