/**
 * What sentence-transformers keeps beside a model: modules.json names what follows it (Reimers and Gurevych 2019):
 * how rows of tokens become one, matrices that this goes through, and whether its length is made 1.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { argumentError } from '../../core/error.ts'
import { toFloat32 } from '../../core/safetensors.ts'
import { optionalJson, readJson } from '../checkpoint/file.ts'
import { folderSource } from '../checkpoint/folder.ts'
import type { ConfigFile } from '../config/codec.ts'
import { isRecord } from '../record.ts'
import { normalized, pooled, poolings } from './feature.ts'
import type { Features, Pooling } from './feature.ts'
import { sentenceFile, sentenceModules, sentencePrompts } from './module.ts'

type Change = (x: readonly number[]) => readonly number[]

/** How a folder makes one row of a text. */
export interface Sentence {
  /** How many tokens are read; what is longer is cut. Undefined where the folder does not say. */
  readonly maxLength: number | undefined
  readonly lowerCase: boolean
  /** What is put in front of a text. */
  readonly prompt: string
  readonly pooling: readonly Pooling[]
  readonly changes: readonly Change[]
}

/** Older files say yes or no to each. */
const older: Readonly<Record<string, Pooling>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
}

const poolingsOf = (path: string, config: unknown): E.Either<string, readonly Pooling[]> => {
  if (!isRecord(config)) return E.left(`${path} holds no object`)
  const mode = config['pooling_mode']
  const told: readonly unknown[] =
    mode === undefined
      ? Object.keys(older).flatMap((key) => (config[key] === true ? [older[key]] : []))
      : Array.isArray(mode)
        ? mode
        : [mode]
  const strange = told.find((one) => !poolings.includes(one as Pooling))
  if (told.length === 0 || strange !== undefined)
    return E.left(
      `${path}: pooling_mode must be of ${poolings.join(', ')}, got ${JSON.stringify(strange) ?? 'none'}`,
    )
  return E.right(told as readonly Pooling[])
}

const activations: Readonly<Record<string, (x: number) => number>> = {
  Identity: (x) => x,
  Tanh: Math.tanh,
  ReLU: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
}

/** The last part of the name of a Python class. */
const lastOf = (name: unknown): string => String(name).split('.').at(-1) as string

/** A linear layer and its activation, from a folder of their own. */
const readDense = (path: string): TE.TaskEither<string, Change> =>
  F.pipe(
    readJson(`${path}/config.json`),
    TE.bindTo('config'),
    TE.bind('activation', ({ config }) => {
      const name = lastOf(isRecord(config) ? config['activation_function'] : undefined)
      const found = Object.hasOwn(activations, name) ? activations[name] : undefined
      return TE.fromEither(
        E.fromNullable(
          `${path}/config.json: activation_function must be of ${Object.keys(activations).join(', ')}, got ${name}`,
        )(found),
      )
    }),
    TE.bind('source', () => folderSource(path)),
    TE.flatMap(({ activation, source }) => {
      const numbers = (name: string): TE.TaskEither<string, Float32Array> =>
        TE.flatMapEither(toFloat32)(source.read(name))
      const shape = source.tensors.get('linear.weight')?.shape
      const bias = source.tensors.get('linear.bias')?.shape
      if (shape?.length !== 2 || (bias !== undefined && bias.join() !== `${shape[0]}`))
        return TE.left(`${path}: linear.weight must be [out, in], and linear.bias [out]`)
      const [rows, columns] = shape as [number, number]
      return F.pipe(
        TE.Do,
        TE.bind('weight', () => numbers('linear.weight')),
        TE.bind('bias', () =>
          bias === undefined ? TE.right(new Float32Array(rows)) : numbers('linear.bias'),
        ),
        TE.map(({ weight, bias }): Change => {
          const row = (x: readonly number[], i: number): number =>
            x.reduce((sum, value, j) => sum + value * (weight[i * columns + j] as number), bias[i] as number)
          return (x) => {
            if (x.length !== columns)
              throw argumentError('feature-extraction', `${path} takes ${columns} numbers, got ${x.length}`)
            return Array.from({ length: rows }, (_, i) => activation(row(x, i)))
          }
        }),
      )
    }),
  )

interface Module {
  readonly path: string
  readonly kind: string
}

const isInside = (path: string): boolean => /^\w[\w.-]*$/.test(path)

const modulesOf = (file: string, json: unknown): E.Either<string, readonly Module[]> => {
  const list = Array.isArray(json) ? (json as readonly unknown[]) : []
  const modules = list.flatMap((one) =>
    isRecord(one) && typeof one['path'] === 'string'
      ? [{ path: one['path'], kind: lastOf(one['type']) }]
      : [],
  )
  const [first, second, ...rest] = modules
  const known = ['Dense', 'Normalize', 'Dropout']
  if (first?.kind !== 'Transformer' || second?.kind !== 'Pooling' || modules.length !== list.length)
    return E.left(`${file} must begin with a Transformer and a Pooling`)
  if (first.path !== '' && first.path !== '.')
    return E.left(`${file} keeps the model in ${JSON.stringify(first.path)}; only beside it can it be read`)
  const strange = [second, ...rest].find(({ path }) => !isInside(path))
  if (strange !== undefined) return E.left(`${file} names ${JSON.stringify(strange.path)}, no folder within`)
  const unknown = rest.find(({ kind }) => !known.includes(kind))
  return unknown === undefined
    ? E.right(modules)
    : E.left(`${file} has a ${unknown.kind}, only ${known.join(', ')} can follow the Pooling`)
}

const record = (json: unknown): ConfigFile => (isRecord(json) ? json : {})

/** What a folder's config has for all texts, where it names a prompt for them. */
const promptOf = (config: ConfigFile): string => {
  const [name, prompts] = [config['default_prompt_name'], config['prompts']]
  const prompt = typeof name === 'string' && isRecord(prompts) ? prompts[name] : undefined
  return typeof prompt === 'string' ? prompt : ''
}

/**
 * How the folder of a sentence-transformer makes one row of a text. Left: it is none, or something in it is not known.
 */
export const readSentence = (folder: string): TE.TaskEither<string, Sentence> =>
  F.pipe(
    optionalJson(folder, sentenceModules),
    TE.filterOrElse(
      (json) => json !== undefined,
      () => `${folder} has no ${sentenceModules}: it does not say how its rows become one; say a pooling`,
    ),
    TE.flatMapEither((json) => modulesOf(`${folder}/${sentenceModules}`, json)),
    TE.bindTo('modules'),
    TE.bind('file', () => TE.map(record)(optionalJson(folder, sentenceFile))),
    TE.bind('prompts', () => TE.map(record)(optionalJson(folder, sentencePrompts))),
    TE.bind('pool', ({ modules }) => readJson(`${folder}/${modules[1]?.path}/config.json`)),
    TE.bind('pooling', ({ modules, pool }) =>
      TE.fromEither(poolingsOf(`${folder}/${modules[1]?.path}/config.json`, pool)),
    ),
    TE.filterOrElse(
      ({ pool, prompts }) => promptOf(prompts) === '' || record(pool)['include_prompt'] !== false,
      () => `${folder} leaves the prompt out of what it pools, which is not known here`,
    ),
    TE.bind('changes', ({ modules }) =>
      TE.traverseSeqArray(({ path, kind }: Module): TE.TaskEither<string, Change> =>
        kind === 'Dense'
          ? readDense(`${folder}/${path}`)
          : TE.right(kind === 'Normalize' ? normalized : (x: readonly number[]) => x),
      )(modules.slice(2)),
    ),
    TE.map(({ file, prompts, pooling, changes }) => ({
      maxLength: typeof file['max_seq_length'] === 'number' ? file['max_seq_length'] : undefined,
      lowerCase: file['do_lower_case'] === true,
      prompt: promptOf(prompts),
      pooling,
      changes,
    })),
  )

/** The one row of a text; `hidden` is [time, width]. */
export const sentenceRow = ({ pooling, changes }: Sentence, hidden: Float32Array, time: number): Features => [
  changes.reduce<readonly number[]>(
    (x, change) => change(x),
    pooling.flatMap((one) => pooled(hidden, time, one)),
  ),
]
