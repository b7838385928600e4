/** Parameters from the tensors of a file, and back. */
import { either as E, taskEither as TE } from 'fp-ts'
import { fromArray, jit, toArray, tree } from '../../core/index.ts'
import type { Engine, Key, Shape, Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { float32ToBfloat16, float32ToFloat16 } from '../../core/half.ts'
import { toFloat32 } from '../../core/safetensors.ts'
import type { SafetensorsEntry, SafetensorsTensor } from '../../core/safetensors.ts'
import type { Layer } from '../../nn/index.ts'
import { fromFile, joined, parted, toFile } from './layout.ts'
import type { Layout } from './layout.ts'
import type { Told } from './match.ts'
import { complaint, match, shapeInFile } from './match.ts'
import type { Names } from './name.ts'
import { placesOf } from './name.ts'
import { built, fill, outlineOf, shapesOf } from './shape.ts'

/** Where tensors are read from, one at a time. */
export interface Source {
  readonly tensors: ReadonlyMap<string, Told>
  readonly read: (name: string) => TE.TaskEither<string, SafetensorsTensor>
  /** Told of a tensor that is not needed any more; where its bytes are its own, they can be given back. */
  readonly release?: (tensor: SafetensorsTensor) => void
}

export interface ReadOptions {
  /**
   * Parameters that the file lacks are made new with this key, and what the file has besides is left: a model for a
   * new task upon a pretrained one. Without it both are refused.
   */
  readonly fresh?: Key | undefined
  readonly engine?: Engine | undefined
}

export interface ReadParams<P> {
  readonly params: P
  /** Paths of parameters that were made new. */
  readonly made: readonly string[]
  /** Names of the file's tensors that were left. */
  readonly left: readonly string[]
}

export type AnyLayer<P> = Pick<Layer<P, never, unknown>, 'init'>

const sizeIn = ({ tensors }: Source, name: string): number =>
  (tensors.get(name)?.shape ?? []).reduce((n, size) => n * size, 1)

/** Gives a buffer's memory back; whoever still looks at it finds nothing. */
export const giveBack = (buffer: ArrayBufferLike): void => {
  // Runtimes without it collect the buffer later.
  if (buffer instanceof ArrayBuffer && 'transfer' in buffer && !buffer.detached) buffer.transfer(0)
}

const rowsOf = (shape: Shape): number => shape.slice(0, -1).reduce((n, size) => n * size, 1)

/** The leaves of `init` at these paths: only they are computed. */
const madeNew = <P>(
  init: (key: Key) => P,
  key: Key,
  paths: ReadonlySet<string>,
): ReadonlyMap<string, Tensor> =>
  new Map(
    Object.entries(
      jit((key: Key) => Object.fromEntries(tree.entries(init(key)).filter(([path]) => paths.has(path))))(key),
    ),
  )

/** What becomes of parameters as soon as they are read, one tensor of the file at a time. */
export interface Keeper {
  /** A parameter from the file's tensor, which is it alone: undefined where it takes its numbers in our order. */
  readonly stored: (path: string, tensor: SafetensorsTensor, layout: Layout) => unknown
  /** A parameter from a tensor that nobody else has. */
  readonly made: (path: string, leaf: Tensor) => unknown
}

/** As `readParams`; what stands in place of each parameter says the keeper of the parameters' outline. */
export const readTree = <P>(
  { init }: AnyLayer<P>,
  names: Names,
  source: Source,
  { fresh, engine }: ReadOptions,
  keeperOf: (outline: P) => Keeper | undefined,
): TE.TaskEither<string, ReadParams<P>> => {
  const drawn = built(() => outlineOf(init))
  if (E.isLeft(drawn)) return TE.left(drawn.left)
  const outline = drawn.right
  const shapes = shapesOf(outline)
  const matched = match(source.tensors, placesOf([...shapes.keys()], names), shapes, names)
  const wrong = complaint(matched, fresh !== undefined)
  if (wrong !== undefined) return TE.left(wrong)
  return async () => {
    const keeper = keeperOf(outline)
    const leaves = new Map<string, unknown>()
    const keep = (path: string, leaf: Tensor): void =>
      void leaves.set(path, keeper === undefined ? leaf : keeper.made(path, leaf))
    // The largest first: there is one more copy of what is being read, which should not come on top of all others.
    const order = [...matched.found].sort((a, b) => sizeIn(source, b.name) - sizeIn(source, a.name))
    for (const { place, name } of order) {
      const read = await source.read(name)()
      if (E.isLeft(read)) return E.left(`${name}: ${read.left}`)
      const [path] = place.paths
      const whole =
        path === undefined || place.paths.length > 1
          ? undefined
          : keeper?.stored(path, read.right, place.layout)
      if (whole !== undefined) leaves.set(path as string, whole)
      else {
        const numbers = toFloat32(read.right)
        if (E.isLeft(numbers)) return E.left(`${name}: ${numbers.left}`)
        const own = place.paths.map((path) => shapes.get(path) as Shape)
        const [first] = own as [Shape, ...Shape[]]
        const laid = fromFile(place.layout, numbers.right, first)
        const parts = parted(
          laid,
          rowsOf(first),
          own.map((shape) => shape.at(-1) ?? 1),
        )
        for (const [i, path] of place.paths.entries())
          keep(
            path,
            fromArray(parts[i] as Float32Array, own[i] as Shape, engine === undefined ? {} : { engine }),
          )
        // An engine has its own copy now; these are given back at once, not when somebody looks for garbage.
        for (const { buffer } of [numbers.right, laid, ...parts])
          if (buffer !== read.right.data.buffer) giveBack(buffer)
      }
      source.release?.(read.right)
    }
    const made = matched.missing.flatMap(({ paths }) => paths)
    if (made.length > 0)
      for (const [path, leaf] of madeNew(init, fresh as Key, new Set(made))) keep(path, leaf)
    const params = fill(outline, (path) => leaves.get(path))
    return E.right({ params, made, left: matched.surplus })
  }
}

/**
 * The parameters of a layer, read from a source. Left: everything that does not fit, or cannot be read.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { random } from 'pullback'
 * import { folderSource, gpt, GPT2LMHeadModel, gptConfig, readParams, saveModel } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const layer = gpt(config)
 * const folder = await mkdtemp(`${tmpdir()}/gpt-`)
 * await saveModel(GPT2LMHeadModel, folder, { config, params: layer.init(random.key(0)) })()
 * const source = await folderSource(folder)()
 * if (source._tag === 'Left') throw new Error(source.left)
 * const read = await readParams(layer, GPT2LMHeadModel.names(config), source.right)()
 * console.log(read._tag === 'Right' && Object.keys(read.right.params)) // => ['embeddings', 'decoder']
 * ```
 */
export const readParams = <P>(
  layer: AnyLayer<P>,
  names: Names,
  source: Source,
  options: ReadOptions = {},
): TE.TaskEither<string, ReadParams<P>> => readTree(layer, names, source, options, () => undefined)

/** How numbers are stored. */
export type Precision = 'float32' | 'float16' | 'bfloat16'

const entryOf = (
  name: string,
  shape: readonly number[],
  data: Float32Array,
  precision: Precision,
): SafetensorsEntry => {
  switch (precision) {
    case 'float32':
      return { name, shape, dtype: 'F32', data }
    case 'float16':
      return { name, shape, dtype: 'F16', data: float32ToFloat16(data) }
    case 'bfloat16':
      return { name, shape, dtype: 'BF16', data: float32ToBfloat16(data) }
  }
}

/**
 * The tensors of a file that holds these parameters of a layer.
 *
 * @throws PullbackError when the parameters are not the layer's.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { gpt, GPT2LMHeadModel, gptConfig, paramEntries } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 64 })
 * const layer = gpt(config)
 * const entries = await paramEntries(layer, GPT2LMHeadModel.names(config), layer.init(random.key(0)))
 * console.log(entries.slice(0, 2).map(({ name }) => name))
 * // => ['transformer.h.0.attn.c_attn.bias', 'transformer.h.0.attn.c_attn.weight']
 * ```
 */
export const paramEntries = async <P>(
  layer: AnyLayer<P>,
  names: Names,
  params: P,
  precision: Precision = 'float32',
): Promise<readonly SafetensorsEntry[]> => {
  const shapes = shapesOf(outlineOf(layer.init))
  const leaves = new Map(tree.entries(params))
  for (const path of new Set([...shapes.keys(), ...leaves.keys()])) {
    const [own, given] = [shapes.get(path), leaves.get(path)?.shape]
    if (own?.join() !== given?.join())
      throw argumentError(
        'saveModel',
        `the parameter ${path} is ${given === undefined ? 'missing' : `[${given.join(', ')}]`}, the model's is ${own === undefined ? 'none' : `[${own.join(', ')}]`}`,
      )
  }
  const entries: SafetensorsEntry[] = []
  for (const place of placesOf([...shapes.keys()], names)) {
    const [first] = place.paths.map((path) => shapes.get(path) as Shape) as [Shape, ...Shape[]]
    const parts: Float32Array[] = []
    for (const path of place.paths) {
      const numbers = await toArray(leaves.get(path) as Tensor)
      parts.push(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers))
    }
    const data = toFile(place.layout, joined(parts, rowsOf(first)), first)
    entries.push(entryOf(place.name, shapeInFile(place, shapes), data, precision))
  }
  const copies = Object.entries(names.copies ?? {}).flatMap(([name, original]) =>
    entries.flatMap((entry) => (entry.name === original ? [{ ...entry, name }] : [])),
  )
  return [...entries, ...copies]
}
