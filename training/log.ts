/**
 * The log of a run: JSON lines, one object each, appended as the run goes on. A kill in the middle of a line costs that
 * line and no other.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { readFailure, replaceFile, writeFailure } from '../core/file.ts'
import { decodeText } from './data/language.ts'

/** What happened, by the field's names: `{ phase: 'pretrain', step: 100, trainLoss: 4.2 }`. */
export type LogLine = Readonly<Record<string, unknown>>

export interface Log {
  /** Appends lines, each whole. Left: why the file could not be written. */
  readonly append: (...lines: readonly LogLine[]) => TE.TaskEither<string, void>
}

/** Lines as text; JSON knows no NaN and no infinity: they become null. */
const textOf = (lines: readonly LogLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')

const isRecord = (x: unknown): x is LogLine => typeof x === 'object' && x !== null && !Array.isArray(x)

const parse = (text: string): LogLine | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * The lines of a log's text. What follows the last line end was never finished, and is left out.
 *
 * @returns Left: which finished line is no JSON object.
 * @example
 * ```ts
 * import { parseLog } from 'pullback/training'
 * console.log(parseLog('{"step":1}\n{"step":2}\n{"st'))
 * // => { _tag: 'Right', right: [{ step: 1 }, { step: 2 }] }
 * ```
 */
export const parseLog = (text: string): E.Either<string, readonly LogLine[]> => {
  const lines = text.split('\n').slice(0, -1)
  const found: LogLine[] = []
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    const parsed = parse(line)
    if (parsed === undefined) return E.left(`has no JSON object in line ${i + 1}`)
    found.push(parsed)
  }
  return E.right(found)
}

const told = (path: string): (<A>(result: TE.TaskEither<string, A>) => TE.TaskEither<string, A>) =>
  TE.mapLeft((reason) => `log: ${path} ${reason}`)

const readBytes = (path: string): TE.TaskEither<string, Uint8Array> =>
  TE.tryCatch(async () => {
    const { readFile } = await import('node:fs/promises')
    return readFile(path)
  }, readFailure)

/** Up to the last line end: what was torn may have been torn within a character. */
const finished = (bytes: Uint8Array): E.Either<string, string> =>
  decodeText(bytes.subarray(0, bytes.lastIndexOf(10) + 1))

/**
 * Reads a log. Left: one sentence.
 *
 * @example
 * ```ts
 * import { readLog } from 'pullback/training'
 * const lines = await readLog('runs/not-there/metrics.jsonl')()
 * console.log(lines._tag) // => Left
 * ```
 */
export const readLog = (path: string): TE.TaskEither<string, readonly LogLine[]> =>
  F.pipe(readBytes(path), TE.flatMapEither(F.flow(finished, E.flatMap(parseLog))), told(path))

const write = (path: string, bytes: Uint8Array): TE.TaskEither<string, void> =>
  TE.tryCatch(() => replaceFile(path, [bytes]), writeFailure)

const append = (path: string, text: string): TE.TaskEither<string, void> =>
  TE.tryCatch(async () => {
    const { appendFile } = await import('node:fs/promises')
    await appendFile(path, text)
  }, writeFailure)

const exists =
  (path: string): TE.TaskEither<string, boolean> =>
  async () => {
    const { access } = await import('node:fs/promises')
    return E.right(
      await access(path).then(
        () => true,
        () => false,
      ),
    )
  }

/**
 * Opens a log to go on with, or begins one. A torn last line goes, and so do lines that `keep` refuses: a run that
 * resumes from a checkpoint gives up what its log tells of later steps, which come again.
 *
 * @returns Left: one sentence, when the file is not a log, or cannot be written; it is then unchanged.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { openLog, readLog } from 'pullback/training'
 * const path = `${await mkdtemp(`${tmpdir()}/run-`)}/metrics.jsonl`
 * const log = await openLog(path)()
 * if (log._tag === 'Right') await log.right.append({ step: 1, loss: 2.5 }, { step: 2, loss: 2.25 })()
 * const lines = await readLog(path)()
 * console.log(lines._tag === 'Right' && lines.right) // => [{ step: 1, loss: 2.5 }, { step: 2, loss: 2.25 }]
 * ```
 */
export const openLog = (
  path: string,
  keep: (line: LogLine) => boolean = () => true,
): TE.TaskEither<string, Log> =>
  F.pipe(
    exists(path),
    TE.flatMap((there) => (there ? readBytes(path) : TE.right(new Uint8Array()))),
    TE.flatMap((bytes) =>
      F.pipe(
        TE.fromEither(F.pipe(finished(bytes), E.flatMap(parseLog))),
        TE.map((lines) => new TextEncoder().encode(textOf(lines.filter(keep)))),
        TE.flatMap((kept) => (isSame(kept, bytes) ? TE.right(undefined) : write(path, kept))),
      ),
    ),
    // also where it is empty, so that a place where it cannot be written is known before the run
    TE.flatMap(() => append(path, '')),
    TE.map((): Log => ({ append: (...lines) => F.pipe(append(path, textOf(lines)), told(path)) })),
    told(path),
  )

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i])
