/** Files of the command line. */
import { constants, copyFile as copy, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { readFailure, replaceFile, writeFailure } from '../core/file.ts'

/** Writes a file whole or leaves it as it was; its folder is made where it is missing. */
export const writeWhole = (path: string, content: string): TE.TaskEither<string, void> =>
  TE.tryCatch(
    async () => {
      await mkdir(dirname(path), { recursive: true })
      await replaceFile(path, [new TextEncoder().encode(content)])
    },
    (error) => `${path} ${writeFailure(error)}`,
  )

/** A JSON file, for people to read too. */
export const writeJson = (path: string, value: unknown): TE.TaskEither<string, void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`)

/** What a JSON file holds. Left: one sentence. */
export const readJson = (path: string): TE.TaskEither<string, unknown> =>
  F.pipe(
    TE.tryCatch(
      () => readFile(path, 'utf8'),
      (error) => `${path} ${readFailure(error)}`,
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
    (error) => `${to} ${writeFailure(error)}`,
  )
