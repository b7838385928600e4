/** Files, and what the file system says of them. */
import { constants, copyFile as copy, mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { either as E, function as F, taskEither as TE } from 'fp-ts'

const codes: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read or written (permission denied)',
  EPERM: 'may not be read or written (permission denied)',
  EROFS: 'may not be written (the file system is read-only)',
  ENOSPC: 'cannot be written (the disk is full)',
  EISDIR: 'is a folder',
  EEXIST: 'exists already',
}

/** What the file system says, in words that follow a path. */
export const failureText = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return codes[code] ?? `cannot be used: ${error instanceof Error ? error.message : String(error)}`
}

/** Writes a file as a whole: what was there stays until all of the new one is on the disk. */
export const writeWhole = (path: string, content: string | Uint8Array): TE.TaskEither<string, void> =>
  TE.tryCatch(
    async () => {
      await mkdir(dirname(path), { recursive: true })
      const temporary = `${path}.${process.pid}.tmp`
      const file = await open(temporary, 'w')
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    },
    (error) => `${path} ${failureText(error)}`,
  )

/** A JSON file, for people to read too. */
export const writeJson = (path: string, value: unknown): TE.TaskEither<string, void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`)

/** What a JSON file holds. Left: one sentence. */
export const readJson = (path: string): TE.TaskEither<string, unknown> =>
  F.pipe(
    TE.tryCatch(
      () => readFile(path, 'utf8'),
      (error) => `${path} ${failureText(error)}`,
    ),
    TE.flatMapEither((text) =>
      E.tryCatch(
        () => JSON.parse(text) as unknown,
        (error) => `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ),
  )

/** A copy of a file; what is there is not overwritten. */
export const copyFile = (from: string, to: string): TE.TaskEither<string, void> =>
  TE.tryCatch(
    () => copy(from, to, constants.COPYFILE_EXCL),
    (error) => `${to} ${failureText(error)}`,
  )
