/** What a file system may refuse. */
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { writeFailure } from '../../core/file.ts'

/** What the file system refuses is a Left; everything else is a mistake of the program, and thrown. */
export const attempt =
  (run: () => Promise<void>, sentence: (reason: string) => string): TE.TaskEither<string, void> =>
  async () => {
    try {
      await run()
      return E.right(undefined)
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) return E.left(sentence(writeFailure(error)))
      throw error
    }
  }

/** Whether the file that was asked for is not there. */
export const isGone = (error: unknown): error is Error & { readonly path: string } =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'path' in error
