/**
 * The cache as Python's huggingface_hub lays it out, so that both share it:
 *
 *     models--owner--name/blobs/HASH                 contents, by their hash
 *                         snapshots/COMMIT/FILE  ->  ../../blobs/HASH
 *                         refs/main                  the commit that a branch was last seen at
 */
import { isCommit } from './name.ts'
import type { HubName } from './name.ts'

/** The folder of a model in the cache. */
export const modelPath = (cache: string, { repo }: HubName): string =>
  `${cache}/models--${repo.replace('/', '--')}`

export const snapshotPath = (model: string, commit: string): string => `${model}/snapshots/${commit}`

export const blobPath = (model: string, hash: string): string => `${model}/blobs/${hash}`

/** How many bytes a file has, whatever links lead to it; undefined where there is none. */
export const sizeOf = async (path: string): Promise<number | undefined> => {
  const { stat } = await import('node:fs/promises')
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  )
}

/** The snapshot of a revision that the cache has, if it has one with a config. */
export const cachedSnapshot = async (cache: string, name: HubName): Promise<string | undefined> => {
  const { readFile } = await import('node:fs/promises')
  const model = modelPath(cache, name)
  const { revision } = name
  const commit = isCommit(revision)
    ? revision
    : (await readFile(`${model}/refs/${revision}`, 'utf8').catch(() => '')).trim()
  if (!isCommit(commit)) return undefined
  const folder = snapshotPath(model, commit)
  return (await sizeOf(`${folder}/config.json`)) === undefined ? undefined : folder
}

/** Puts a blob at its name in a snapshot: by a link, or as a copy where links are not to be had. */
export const link = async (model: string, commit: string, file: string, hash: string): Promise<void> => {
  const { copyFile, mkdir, rename, rm, symlink } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const { temporaryName } = await import('../../core/file.ts')
  const folder = snapshotPath(model, commit)
  await mkdir(dirname(`${folder}/${file}`), { recursive: true })
  const temporary = temporaryName(`${folder}/${file}`)
  const up = '../'.repeat(file.split('/').length + 1)
  try {
    await symlink(`${up}blobs/${hash}`, temporary)
  } catch {
    await copyFile(blobPath(model, hash), temporary)
  }
  try {
    await rename(temporary, `${folder}/${file}`)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Notes at which commit a branch was seen. */
export const noteCommit = async (model: string, revision: string, commit: string): Promise<void> => {
  if (isCommit(revision)) return
  const { mkdir } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const { replaceFile } = await import('../../core/file.ts')
  const path = `${model}/refs/${revision}`
  await mkdir(dirname(path), { recursive: true })
  await replaceFile(path, [new TextEncoder().encode(commit)])
}
