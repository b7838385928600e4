/** Reading one file of text: the edge that everything of the user's comes through. */
import { taskEither as TE, function as F } from 'fp-ts'
import { readFailure } from '../../core/file.ts'
import { decodeText } from './language.ts'

const largestFile = 256 * 2 ** 20

/** The text of a UTF-8 file of at most 256 MB. Left: why there is none, to stand after the path. */
export const readText = (path: string): TE.TaskEither<string, string> =>
  F.pipe(
    TE.tryCatch(async () => {
      const { readFile, stat } = await import('node:fs/promises')
      const { size } = await stat(path)
      return size > largestFile ? size : await readFile(path)
    }, readFailure),
    TE.flatMapEither((bytes) =>
      typeof bytes === 'number'
        ? { _tag: 'Left', left: `has ${bytes} bytes, at most ${largestFile} are read` }
        : decodeText(bytes),
    ),
  )
