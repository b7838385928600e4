/** A run's folder: what is in it, how it begins, and how it is found again. */
import { existsSync } from 'node:fs'
import { appendFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { tokenizerFromJson } from '../models/index.ts'
import type { Tokenizer } from '../models/index.ts'
import { openLog } from '../training/index.ts'
import { writeFailure } from '../core/file.ts'
import { readJson, writeJson } from './file.ts'

type Place = 'run' | 'tokenizer' | 'model' | 'classifier' | 'checkpoint' | 'metrics' | 'summary' | 'report'

/** What stands where in a run's folder. */
export const places: Readonly<Record<Place, string>> = {
  /** What the run is, and the settings it was made with. */
  run: 'run.json',
  tokenizer: 'tokenizer.json',
  /** The model's config.json and model.safetensors, as Hugging Face lays them out. */
  model: '.',
  /** The same of a classifier. */
  classifier: 'classifier',
  /** The whole state of training, to go on from. */
  checkpoint: 'checkpoint',
  metrics: 'metrics.jsonl',
  summary: 'summary.json',
  report: 'report.html',
}

export type RunKind = 'bert' | 'gpt' | 'transformer'

/** What a run is. */
export interface About {
  /** What it can do: fill in, go on, or answer. */
  readonly kind: RunKind
  readonly created: string
  /** The version that made it. */
  readonly pullback: string
  readonly settings: Readonly<Record<string, unknown>>
}

const about: t.Type<About, unknown, unknown> = t.readonly(
  t.strict({
    kind: t.union([t.literal('bert'), t.literal('gpt'), t.literal('transformer')]),
    created: t.string,
    pullback: t.string,
    settings: t.readonly(t.UnknownRecord),
  }),
)

export interface Run {
  readonly path: string
  readonly about: About
  readonly tokenizer: Tokenizer
}

/** `runs/bert`, or `runs/bert-2` where that is there already. */
const freeName = (folder: string, stem: string): string => {
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}-${n}`
    if (!existsSync(join(folder, name))) return name
  }
}

/** The path of a new run; where no name is given, one that is free. Left: it is there already. */
export const newRun = (folder: string, name: string | undefined, stem: string): E.Either<string, string> => {
  const path = join(folder, name ?? freeName(folder, stem))
  return existsSync(path)
    ? E.left(`${path} is there already, and nothing in it will be overwritten; give another --name`)
    : E.right(path)
}

/** Makes the folder of a new run, and writes what it is. */
export const beginRun = (path: string, value: About): TE.TaskEither<string, void> =>
  F.pipe(
    TE.tryCatch(
      async () => {
        await mkdir(dirname(path), { recursive: true })
        await mkdir(path)
      },
      (error) => `${path} ${writeFailure(error)}`,
    ),
    TE.flatMap(() => writeJson(join(path, places.run), value)),
  )

/** A tokenizer from the file in a folder. Left: one sentence. */
export const readTokenizer = (path: string): TE.TaskEither<string, Tokenizer> => {
  const file = join(path, places.tokenizer)
  if (!existsSync(file)) return TE.left(`${path} has no tokenizer: ${places.tokenizer} is missing`)
  return F.pipe(
    readJson(file),
    TE.flatMapEither((json) =>
      F.pipe(
        tokenizerFromJson(json),
        E.mapLeft((errors) => `${file}: ${errors.join('; ')}`),
      ),
    ),
  )
}

/** A run that is there. Left: one sentence on what is missing or wrong. */
export const openRun = (path: string): TE.TaskEither<string, Run> => {
  if (!existsSync(path)) return TE.left(`there is no run ${path}`)
  const file = join(path, places.run)
  if (!existsSync(file)) return TE.left(`${path} is no run: ${places.run} is missing`)
  return F.pipe(
    readJson(file),
    TE.flatMapEither((json) =>
      F.pipe(
        about.decode(json),
        E.mapLeft((errors) => {
          const entries = errors.map(({ context }) =>
            context
              .map(({ key }) => key)
              .filter(Boolean)
              .join('/'),
          )
          return `${file} is not what a run writes: ${[...new Set(entries)].join(', ') || 'it is no object'}`
        }),
      ),
    ),
    TE.bindTo('about'),
    TE.bind('tokenizer', () => readTokenizer(path)),
    TE.map((found) => ({ path, ...found })),
  )
}

/** Asks a run to be of a kind. */
export const ofKind =
  (kinds: readonly RunKind[], wanted: string) =>
  (run: Run): E.Either<string, Run> =>
    kinds.includes(run.about.kind)
      ? E.right(run)
      : E.left(
          `${run.path} holds a ${run.about.kind}, which cannot ${wanted}; that takes ${kinds.join(' or ')}`,
        )

/** One line of metrics.jsonl. */
export type Metric = Readonly<Record<string, string | number>>

/** Appends to a run's metrics.jsonl. Throws, with one sentence, where it cannot be written. */
export const logTo = (path: string): ((metric: Metric) => Promise<void>) => {
  const place = join(path, places.metrics)
  return (metric) =>
    appendFile(place, `${JSON.stringify(metric)}\n`).catch((error: unknown) => {
      throw new Error(`${place} ${writeFailure(error)}`)
    })
}

/** Takes back what metrics.jsonl tells of pretraining behind a step: it will come again. */
export const forgetAfter = (path: string, step: number): TE.TaskEither<string, void> =>
  F.pipe(
    openLog(
      join(path, places.metrics),
      (line) => !(line['phase'] === 'pretrain' && Number(line['step']) > step),
    ),
    TE.map(() => undefined),
  )

/** The path of something in a run's folder. */
export const placeOf = (path: string, what: Place): string => join(path, places[what])
