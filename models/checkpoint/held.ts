/** Models for reading alone, whose matrices are turned over or packed while they are read, one tensor at a time. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { concatenate, fromArray, jit } from '../../core/index.ts'
import type { Engine, Tensor } from '../../core/index.ts'
import { toFloat32 } from '../../core/safetensors.ts'
import type { SafetensorsTensor } from '../../core/safetensors.ts'
import { quantized } from '../../nn/index.ts'
import type { Layer, Quantized, QuantizedMatrix, StoredPrecision } from '../../nn/index.ts'
import { heldMatrix, heldRows, isHeld, matrixKinds } from '../../nn/quantized.ts'
import type { MatrixKind } from '../../nn/quantized.ts'
import { modelFolder } from '../hub/index.ts'
import type { Architecture } from './architecture.ts'
import type { Loaded } from './folder.ts'
import { loadFolder } from './folder.ts'
import type { Layout } from './layout.ts'
import type { Keeper, ReadOptions } from './params.ts'
import { giveBack, readTree } from './params.ts'
import { built } from './shape.ts'

export interface HeldOptions<C, P> extends ReadOptions {
  /** How numbers are held; `int8` unless given. */
  readonly precision?: StoredPrecision | undefined
  /** Which layer tells of its matrices, where the architecture's own does not tell of all. */
  readonly tells?: (config: C) => Pick<Layer<P, never, unknown>, 'apply'>
}

/** The bits of numbers of 16 bits as they stand in the file, where they are to be held so. */
const sameBits = ({ dtype, data }: SafetensorsTensor, precision: StoredPrecision): Int32Array | undefined => {
  const form = dtype === 'BF16' ? 'bfloat16' : dtype === 'F16' ? 'float16' : undefined
  if (form !== precision) return undefined
  const { buffer, byteOffset, length } = data
  return byteOffset % 4 === 0
    ? new Int32Array(buffer, byteOffset, length / 2)
    : new Int32Array(data.slice().buffer)
}

/** Numbers that are packed at once: what packing takes besides is of this size, not of the tensor's. */
const most = 2 ** 22

const joined = jit(
  (pieces: readonly (readonly Tensor[])[]): readonly Tensor[] =>
    (pieces[0] ?? []).map((_, part) => concatenate(pieces.map((piece) => piece[part] as Tensor))),
  { donate: [0] },
)

/** A file's tensor whose rows are those of the matrix [out, in], or of the table, without changing their order. */
const fromRows = (
  tensor: SafetensorsTensor,
  precision: StoredPrecision,
  options: { readonly engine?: Engine },
): QuantizedMatrix | undefined => {
  const [rows, columns] = tensor.shape as readonly [number, number]
  const bits = sameBits(tensor, precision)
  if (bits !== undefined) {
    const words = fromArray(bits, [rows, columns / 2], options)
    return { form: precision as 'bfloat16' | 'float16', words }
  }
  const held = (begin: number, end: number): QuantizedMatrix | undefined => {
    const data = tensor.data.subarray(begin * columns, end * columns)
    const numbers = toFloat32({ ...tensor, data } as SafetensorsTensor)
    if (E.isLeft(numbers)) return undefined
    const own = fromArray(numbers.right, [end - begin, columns], options)
    if (numbers.right.buffer !== tensor.data.buffer) giveBack(numbers.right.buffer)
    return heldRows(own, precision, true)
  }
  const step = Math.max(1, Math.floor(most / columns))
  if (precision === 'float32' || rows <= step) return held(0, rows)
  const pieces: (readonly Tensor[])[] = []
  for (let begin = 0; begin < rows; begin += step) {
    const piece = held(begin, Math.min(rows, begin + step))
    if (piece === undefined || piece.form === 'rows') return undefined
    pieces.push(piece.scale === undefined ? [piece.words] : [piece.words, piece.scale])
  }
  const [words, scale] = joined(pieces)
  return { form: precision, words: words as Tensor, ...(scale === undefined ? {} : { scale }) }
}

/** Whether the rows of a file's tensor are those that products read, or that are looked up. */
const areRows = ({ transposed, lead, kernel }: Layout, kind: MatrixKind): boolean =>
  lead === 0 && kernel === undefined && transposed === (kind === 'map')

const keeperOf = (
  kinds: ReadonlyMap<string, MatrixKind>,
  precision: StoredPrecision,
  engine: Engine | undefined,
): Keeper => ({
  stored: (path, tensor, layout) => {
    const kind = kinds.get(path)
    if (kind === undefined || !areRows(layout, kind)) return undefined
    const shape = layout.transposed ? [...tensor.shape].reverse() : tensor.shape
    return isHeld({ shape, dtype: 'float32' }, kind, precision)
      ? fromRows(tensor, precision, engine === undefined ? {} : { engine })
      : undefined
  },
  made: (path, leaf: Tensor) => {
    const kind = kinds.get(path)
    return kind === undefined ? leaf : heldMatrix(leaf, kind, precision, true)
  },
})

/**
 * As `loadModel`, `quantize` and `quantized` together, in little more memory than what is held in the end and the largest
 * tensor: a matrix is turned over or packed as soon as it is read. Numbers of 16 bits that are held as the file has them
 * are never widened where the file's rows are the matrix's.
 *
 * @returns Left: what does not exist, cannot be read, or does not fit, in one sentence.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { random, tree } from 'pullback'
 * import { gpt, GPT2LMHeadModel, gptConfig, loadQuantized, saveModel } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 50, width: 32, layers: 1, heads: 2, maxLength: 64 })
 * const params = gpt(config).init(random.key(0))
 * const folder = await mkdtemp(`${tmpdir()}/gpt-`)
 * await saveModel(GPT2LMHeadModel, folder, { config, params }, { precision: 'bfloat16' })()
 * const loaded = await loadQuantized(GPT2LMHeadModel, folder, { precision: 'bfloat16' })()
 * if (loaded._tag === 'Left') throw new Error(loaded.left)
 * console.log(tree.entries(loaded.right.params).filter(([, { dtype }]) => dtype === 'int32').length) // => 8
 * ```
 */
export const loadQuantized = <C, P, I, O>(
  architecture: Architecture<C, P, I, O>,
  model: string,
  { precision = 'int8', tells, ...options }: HeldOptions<C, P> = {},
): TE.TaskEither<string, Loaded<C, Quantized<P>, I, O>> =>
  F.pipe(
    modelFolder(model),
    TE.flatMap((folder) =>
      loadFolder(architecture, folder, (config, source) =>
        F.pipe(
          TE.fromEither(built(() => architecture.layer(config))),
          TE.flatMap((layer) =>
            F.pipe(
              readTree(layer, architecture.names(config), source, options, (outline) =>
                keeperOf(matrixKinds(tells?.(config) ?? layer, outline), precision, options.engine),
              ),
              TE.map(({ params, ...found }) => ({
                config,
                layer: quantized(layer),
                params: { parts: params },
                ...found,
              })),
            ),
          ),
        ),
      ),
    ),
  )
