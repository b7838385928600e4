/**
 * Files: what the file system says, in words; reading of any size; and writing so that whatever happens, a kill or a
 * full disk, leaves the old file or the new one, whole.
 */
import type { FileHandle } from 'node:fs/promises'

const reading: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
  EISDIR: 'is a folder',
  ELOOP: 'is a link to itself',
  ENAMETOOLONG: 'has too long a name',
}

const writing: Readonly<Record<string, string>> = {
  ENOSPC: 'cannot be written: the disk is full',
  EDQUOT: 'cannot be written: the disk quota is used up',
  EFBIG: 'cannot be written: too large for this file system',
  EACCES: 'may not be written (permission denied)',
  EPERM: 'may not be written (permission denied)',
  EROFS: 'may not be written (the file system is read-only)',
  EISDIR: 'is a folder',
  EEXIST: 'is a file, not a folder',
  ENOTDIR: 'lies below a file, not a folder',
  ENOENT: 'lies in a folder that does not exist',
  EIO: 'cannot be written: the device fails',
}

const inWords =
  (codes: Readonly<Record<string, string>>, otherwise: string) =>
  (error: unknown): string => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return codes[code] ?? `${otherwise}: ${error instanceof Error ? error.message : String(error)}`
  }

/** What the file system says to reading, in words that follow a path: `does not exist`. */
export const readFailure: (error: unknown) => string = inWords(reading, 'cannot be read')

/** The same of writing. */
export const writeFailure: (error: unknown) => string = inWords(writing, 'cannot be written')

/** Has a folder's entries reach the disk; where folders cannot be opened (Windows) the system sees to it itself. */
export const syncFolder = async (folder: string): Promise<void> => {
  const { open } = await import('node:fs/promises')
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** How many bytes are read or written at once: Node takes 2 GiB at most, and ends the process that reads more. */
const longestStep = 2 ** 30

/** The bytes of an open file from `begin` to `end`, or fewer where it ends before. */
export const readRange = async (
  handle: Pick<FileHandle, 'read'>,
  begin: number,
  end: number,
): Promise<Uint8Array> => {
  const bytes = new Uint8Array(end - begin)
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, longestStep), begin + at)
    if (bytesRead === 0) return bytes.subarray(0, at)
    at += bytesRead
  }
  return bytes
}

/** Writes all bytes behind what was written before. */
export const writeAll = async (handle: Pick<FileHandle, 'write'>, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length;)
    at += (await handle.write(bytes, at, Math.min(bytes.length - at, longestStep))).bytesWritten
}

let written = 0

/** A new name for a temporary file: beside the file that it becomes, never taken for one, and nobody else's. */
export const temporaryName = (path: string): string => `${path}.${process.pid}.${written++}.tmp`

/** Writes a new file and has it reach the disk; nothing is left of it on failure. */
export const writeNew = async (path: string, pieces: Iterable<Uint8Array>): Promise<void> => {
  const { open, rm } = await import('node:fs/promises')
  const handle = await open(path, 'w')
  try {
    try {
      for (const piece of pieces) await writeAll(handle, piece)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

const folderOf = (path: string): string =>
  path.replace(/[/\\]?[^/\\]*$/, '') || (path.startsWith('/') ? '/' : '.')

/** Replaces a file, or makes it: written beside it, then renamed. */
export const replaceFile = async (path: string, pieces: Iterable<Uint8Array>): Promise<void> => {
  const { rename, rm } = await import('node:fs/promises')
  const temporary = temporaryName(path)
  await writeNew(temporary, pieces)
  try {
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folderOf(path))
}
