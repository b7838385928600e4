/** Reading one file of text: the edge that everything of the user's comes through. */
import { taskEither as TE, function as F } from 'fp-ts'
import { decodeText } from './language.ts'

const codes: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
  EISDIR: 'is a folder',
  ELOOP: 'is a link to itself',
  ENAMETOOLONG: 'has too long a name',
}

/** What the file system says, in words that follow a path: `does not exist`. */
export const failureText = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return codes[code] ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

const largestFile = 256 * 2 ** 20

/** The text of a UTF-8 file of at most 256 MB. Left: why there is none, to stand after the path. */
export const readText = (path: string): TE.TaskEither<string, string> =>
  F.pipe(
    TE.tryCatch(async () => {
      const { readFile, stat } = await import('node:fs/promises')
      const { size } = await stat(path)
      return size > largestFile ? size : await readFile(path)
    }, failureText),
    TE.flatMapEither((bytes) =>
      typeof bytes === 'number'
        ? { _tag: 'Left', left: `has ${bytes} bytes, at most ${largestFile} are read` }
        : decodeText(bytes),
    ),
  )
