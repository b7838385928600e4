/** Folders as Hugging Face's libraries write and read them: config.json and safetensors, in one file or several. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { safetensorsPieces } from '../../core/safetensors.ts'
import type { SafetensorsHeader, SafetensorsInfo, SafetensorsTensor } from '../../core/safetensors.ts'
import { writeFailure } from '../../core/file.ts'
import type { Layer } from '../../nn/index.ts'
import type { ConfigFile } from '../config/codec.ts'
import { configText, decodeConfig } from '../config/codec.ts'
import { modelFolder } from '../hub/index.ts'
import { isRecord } from '../record.ts'
import type { Architecture } from './architecture.ts'
import type { Names } from './name.ts'
import { at, readHeader, readJson, readTensor, writeWhole } from './file.ts'
import type { Precision, ReadOptions, Source } from './params.ts'
import { giveBack, paramEntries, readParams } from './params.ts'
import { built } from './shape.ts'
import { index, noWeights, single } from './weight.ts'

/** A model from a folder, ready to be run. */
export interface Loaded<C, P, I, O> {
  readonly config: C
  readonly layer: Layer<P, I, O>
  readonly params: P
  /** Paths of parameters that the folder lacks and that were made new. */
  readonly made: readonly string[]
  /** Names of the folder's tensors that the model has no use for. */
  readonly left: readonly string[]
}

interface Located {
  readonly path: string
  readonly info: SafetensorsInfo
}

const sourceFrom = (tensors: ReadonlyMap<string, Located>): Source => ({
  tensors: new Map([...tensors].map(([name, { info }]) => [name, info])),
  read: (name) => {
    const { path, info } = tensors.get(name) as Located
    return readTensor(path, info)
  },
  release: ({ data }) => giveBack(data.buffer),
})

const located = (path: string, { tensors }: SafetensorsHeader): ReadonlyMap<string, Located> =>
  new Map([...tensors].map(([name, info]) => [name, { path, info }]))

/** A file's name without any way out of its folder. */
const isFileName = (name: unknown): name is string =>
  typeof name === 'string' && /^[^/\\]+\.safetensors$/.test(name)

/** The shards by the index: each tensor from the file that the index says, and no others. */
const shardedSource = (folder: string): TE.TaskEither<string, Source> =>
  F.pipe(
    readJson(`${folder}/${index}`),
    TE.flatMap((json) => async () => {
      const map = isRecord(json) ? json['weight_map'] : undefined
      if (!isRecord(map)) return E.left(`${folder}/${index} has no weight_map`)
      const tensors = new Map<string, Located>()
      for (const file of new Set(Object.values(map))) {
        if (!isFileName(file))
          return E.left(`${folder}/${index} names ${JSON.stringify(file)}, no safetensors file`)
        const header = await readHeader(`${folder}/${file}`)()
        if (E.isLeft(header)) return header
        for (const [name, place] of located(`${folder}/${file}`, header.right))
          if (map[name] === file) tensors.set(name, place)
      }
      const lost = Object.keys(map).filter((name) => !tensors.has(name))
      return lost.length > 0
        ? E.left(`${folder}/${index}: the files lack ${lost.join(', ')}`)
        : E.right(sourceFrom(tensors))
    }),
  )

/**
 * The weights of a folder.
 *
 * @example
 * ```ts
 * import { folderSource } from 'pullback/models'
 * const source = await folderSource('no such folder')()
 * console.log(source._tag) // => Left
 * ```
 */
export const folderSource = (folder: string): TE.TaskEither<string, Source> =>
  F.pipe(
    at(folder, async () => (await import('node:fs/promises')).readdir(folder)),
    TE.flatMap((files) => {
      if (files.includes(single))
        return TE.map((header: SafetensorsHeader) => sourceFrom(located(`${folder}/${single}`, header)))(
          readHeader(`${folder}/${single}`),
        )
      if (files.includes(index)) return shardedSource(folder)
      return TE.left(noWeights(folder, files))
    }),
  )

/**
 * The config of a folder, as it stands there.
 *
 * @example
 * ```ts
 * import { readConfigFile } from 'pullback/models'
 * const file = await readConfigFile('no such folder')()
 * console.log(file) // => { _tag: 'Left', left: 'no such folder/config.json does not exist' }
 * ```
 */
export const readConfigFile = (folder: string): TE.TaskEither<string, ConfigFile> =>
  F.pipe(
    readJson(`${folder}/config.json`),
    TE.filterOrElse(isRecord, () => `${folder}/config.json holds no object`),
  )

const sameBytes = (a: SafetensorsTensor, b: SafetensorsTensor): boolean => {
  const [x, y] = [a, b].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return (
    a.dtype === b.dtype &&
    a.shape.join() === b.shape.join() &&
    (x as Uint8Array).every((n, i) => n === y?.[i])
  )
}

/** The first pair of tied tensors that are both there, and differ. */
const untiedPair =
  (source: Source, { tied }: Names): TE.TaskEither<string, readonly [string, string] | undefined> =>
  async () => {
    for (const [name, original] of Object.entries(tied)) {
      if (!source.tensors.has(name) || !source.tensors.has(original)) continue
      const [a, b] = [await source.read(name)(), await source.read(original)()]
      if (E.isLeft(a)) return a
      if (E.isLeft(b)) return b
      const same = sameBytes(a.right, b.right)
      source.release?.(a.right)
      source.release?.(b.right)
      if (!same) return E.right([name, original])
    }
    return E.right(undefined)
  }

/**
 * The config as the weights have it: where weights that the config calls tied are both there and differ, they are
 * not tied (as the original library has it).
 */
const asStored = <C, P, I, O>(
  architecture: Architecture<C, P, I, O>,
  config: C,
  source: Source,
): TE.TaskEither<string, C> => {
  const { names, untied } = architecture
  return F.pipe(
    untiedPair(source, names(config)),
    TE.flatMap((pair) => {
      if (pair === undefined) return TE.right(config)
      const apart = untied?.(config)
      return apart !== undefined &&
        Object.keys(names(apart).tied).length < Object.keys(names(config).tied).length
        ? asStored(architecture, apart, source)
        : TE.left(`${pair[0]} and ${pair[1]} are tied, but have different numbers`)
    }),
  )
}

/**
 * A model from a folder with config.json and model.safetensors (or shards and their index), or by its name on the Hub
 * (`owner/name`, `name`, and either with `@revision`: see `fetchModel`).
 *
 * @returns Left: what does not exist, cannot be read, or does not fit, in one sentence.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { random } from 'pullback'
 * import { gpt, GPT2LMHeadModel, gptConfig, loadModel, saveModel } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const params = gpt(config).init(random.key(0))
 * const folder = await mkdtemp(`${tmpdir()}/gpt-`)
 * await saveModel(GPT2LMHeadModel, folder, { config, params })()
 * const loaded = await loadModel(GPT2LMHeadModel, folder)()
 * if (loaded._tag === 'Left') throw new Error(loaded.left)
 * console.log(loaded.right.config.width, Object.keys(loaded.right))
 * // => 16 ['config', 'layer', 'params', 'made', 'left']
 * ```
 */
export const loadModel = <C, P, I, O>(
  architecture: Architecture<C, P, I, O>,
  model: string,
  options: ReadOptions = {},
): TE.TaskEither<string, Loaded<C, P, I, O>> =>
  F.pipe(
    modelFolder(model),
    TE.flatMap((folder) =>
      loadFolder(architecture, folder, (config, source) =>
        F.pipe(
          TE.fromEither(built(() => architecture.layer(config))),
          TE.flatMap((layer) =>
            F.pipe(
              readParams(layer, architecture.names(config), source, options),
              TE.map((found) => ({ config, layer, ...found })),
            ),
          ),
        ),
      ),
    ),
  )

/** What `read` makes of a folder's config, as its weights have it, and of its weights. */
export const loadFolder = <C, P, I, O, A>(
  architecture: Architecture<C, P, I, O>,
  folder: string,
  read: (config: C, source: Source) => TE.TaskEither<string, A>,
): TE.TaskEither<string, A> =>
  F.pipe(
    readConfigFile(folder),
    TE.flatMapEither((file) =>
      E.mapLeft((complaints: readonly string[]) => `${folder}/config.json: ${complaints.join('; ')}`)(
        decodeConfig(architecture.codec, file),
      ),
    ),
    TE.bindTo('told'),
    TE.bind('source', () => folderSource(folder)),
    TE.bind('config', ({ told, source }) => asStored(architecture, told, source)),
    TE.flatMap(({ config, source }) => read(config, source)),
    TE.mapLeft((left) => (left.startsWith(folder) ? left : `${folder}: ${left}`)),
  )

export interface SaveOptions {
  /** How numbers are stored; float32 unless given. */
  readonly precision?: Precision
}

/**
 * Writes config.json and model.safetensors so that `from_pretrained` reads them; the folder is made where it is
 * missing. Each file is written beside its place and then moved there.
 *
 * @returns Left: why nothing could be written.
 * @throws PullbackError when the parameters are not those of the config's model.
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { random } from 'pullback'
 * import { gpt, GPT2LMHeadModel, gptConfig, saveModel } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const params = gpt(config).init(random.key(0))
 * const folder = await mkdtemp(`${tmpdir()}/gpt-`)
 * await saveModel(GPT2LMHeadModel, folder, { config, params }, { precision: 'bfloat16' })()
 * console.log((await readdir(folder)).sort()) // => ['config.json', 'model.safetensors']
 * ```
 */
export const saveModel = <C, P, I, O>(
  { name, codec, layer, names }: Architecture<C, P, I, O>,
  folder: string,
  { config, params }: { readonly config: C; readonly params: P },
  { precision = 'float32' }: SaveOptions = {},
): TE.TaskEither<string, void> =>
  F.pipe(
    TE.fromTask(() => paramEntries(layer(config), names(config), params, precision)),
    TE.chainFirst(() =>
      at(
        folder,
        async () => (await import('node:fs/promises')).mkdir(folder, { recursive: true }),
        writeFailure,
      ),
    ),
    TE.flatMap((entries) => writeWhole(`${folder}/${single}`, safetensorsPieces(entries, { format: 'pt' }))),
    TE.flatMap(() => {
      const { torch_dtype: _, ...file } = codec.encode(config)
      const whole = { ...file, architectures: [name], dtype: precision }
      return writeWhole(`${folder}/config.json`, [new TextEncoder().encode(configText(whole))])
    }),
  )
