/**
 * Matrices in the form in which they are read fastest, for models that are trained: a model that writes token by token
 * spends its time on reading its weights. Which parameters are matrices a layer tells itself, through its run; how
 * numbers are packed in words is said in `packed.ts`.
 */
import {
  add,
  concatenate,
  expandDims,
  isTensor,
  jit,
  matmul,
  mul,
  reshape,
  sliceAxis,
  sum,
  swapAxes,
  take,
  tree,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { sizeOf } from '../kernels/index.ts'
import { argumentError, checkOptions } from '../core/error.ts'
import type { Layer, Run } from './layer.ts'
import { evaluation } from './layer.ts'
import type { PackedMatrix, PackedPrecision } from './packed.ts'
import { arranged, fillsWords, packed, placesOf, planes, scaled, unpacked } from './packed.ts'

/** What a matrix is for: a linear map [in, out], or a table of which rows are looked up [count, width]. */
export type MatrixKind = 'map' | 'table'

/** A matrix as its rows [out, in] (or [count, width]): each number of a product reads one of them in order. */
export interface RowMatrix {
  readonly form: 'rows'
  readonly rows: Tensor
}

export type QuantizedMatrix = RowMatrix | PackedMatrix

/** Parameters of a layer, some of whose matrices are quantized, or turned over. */
export interface Quantized<P> {
  readonly parts: unknown
  /** What they are parameters of; never there. */
  readonly of?: (params: P) => P
}

/** The weight as a quantized matrix, if it is one. */
export const asQuantized = (weight: Tensor): QuantizedMatrix | undefined =>
  isTensor(weight) ? undefined : (weight as QuantizedMatrix)

/** Products of more rows are of unpacked numbers: unpacking is then the lesser work. */
const mostRows = 4

const packedProduct = (x: Tensor, matrix: PackedMatrix): Tensor => {
  const [out, words] = matrix.words.shape as readonly [number, number]
  const rows = sizeOf(x.shape.slice(0, -1))
  const held = arranged(reshape(x, [rows, x.shape.at(-1) as number]), matrix.form) // [rows, places, words]
  const places = planes(matrix.words, matrix.form) // each [out, words]
  const product =
    rows > mostRows
      ? matmul(reshape(held, [rows, places.length * words]), swapAxes(concatenate(places, -1), 0, 1))
      : sum(
          places
            .map((plane, place) => mul(sliceAxis(held, 1, place, place + 1), expandDims(plane, 0)))
            .reduce((a, b) => add(a, b)), // [rows, out, words]
          { axis: -1 },
        )
  return reshape(scaled(product, matrix), [...x.shape.slice(0, -1), out])
}

/** x · matrixᵀ along the last axis, [..., in] → [..., out], for a matrix of rows [out, in]. */
export const quantizedProduct = (x: Tensor, matrix: QuantizedMatrix): Tensor =>
  matrix.form === 'rows' ? matmul(x, swapAxes(matrix.rows, 0, 1)) : packedProduct(x, matrix)

const packedRows = ({ words, scale, form }: PackedMatrix, ids: Tensor): Tensor => {
  const rows = unpacked(take(words, ids), form) // [..., width]
  return scale === undefined ? rows : mul(rows, expandDims(take(scale, ids), -1))
}

/** Rows by their numbers: [...] → [..., width]. */
export const quantizedRows = (matrix: QuantizedMatrix, ids: Tensor): Tensor =>
  matrix.form === 'rows' ? take(matrix.rows, ids) : packedRows(matrix, ids)

/** Length of its rows, and how many it has. */
export const quantizedSizes = (matrix: QuantizedMatrix): readonly [columns: number, rows: number] => {
  const [rows, length] = (matrix.form === 'rows' ? matrix.rows : matrix.words).shape as readonly [
    number,
    number,
  ]
  return [matrix.form === 'rows' ? length : length * placesOf(matrix.form), rows]
}

export type StoredPrecision = 'float32' | PackedPrecision

export interface QuantizeOptions {
  /** How numbers are held; `int8` unless given. */
  readonly precision?: StoredPrecision | undefined
}

/** Smaller matrices stay as they are, and so do those whose rows do not fill whole words. */
const leastSize = 1024

/** Whether a matrix of this shape [in, out], or a table [count, width], is held in another form than its own. */
export const isHeld = (
  { shape, dtype }: Pick<Tensor, 'shape' | 'dtype'>,
  kind: MatrixKind,
  precision: StoredPrecision,
): boolean => {
  if (shape.length !== 2 || dtype !== 'float32' || sizeOf(shape) < leastSize) return false
  return precision === 'float32'
    ? kind === 'map'
    : fillsWords(shape[kind === 'table' ? 1 : 0] as number, precision)
}

/** The matrix of these rows [out, in]; `owned` ones are given back at once where others take their place. */
export const heldRows = (rows: Tensor, precision: StoredPrecision, owned = false): QuantizedMatrix =>
  precision === 'float32' ? { form: 'rows', rows } : packed(rows, precision, owned)

const turn = (matrix: Tensor): Tensor => swapAxes(matrix, 0, 1)
const [turned, turnedOver] = [jit(turn), jit(turn, { donate: [0] })]

/** A matrix as it is to be held, itself where it stays as it is; an `owned` one is given back at once. */
export const heldMatrix = (
  weight: Tensor,
  kind: MatrixKind,
  precision: StoredPrecision,
  owned = false,
): Tensor | QuantizedMatrix => {
  if (!isHeld(weight, kind, precision)) return weight
  return kind === 'table'
    ? heldRows(weight, precision, owned)
    : heldRows((owned ? turnedOver : turned)(weight), precision, true)
}

/** The paths of matrices among parameters, and what they are for: as the layer tells, whose input is not needed. */
export const matrixKinds = <P>(
  layer: { readonly apply: (params: P, run: Run) => unknown },
  params: P,
): ReadonlyMap<string, MatrixKind> => {
  const told = new Map<object, MatrixKind>()
  layer.apply(params, { ...evaluation, onMatrix: (own, kind) => void told.set(own, kind) })
  const found = new Map<string, MatrixKind>()
  const look = (node: unknown, path: string): void => {
    if (isTensor(node) || typeof node !== 'object' || node === null) return
    const kind = told.get(node)
    for (const [name, part] of Object.entries(node)) {
      if (kind !== undefined && name === 'weight') found.set(`${path}${name}`, kind)
      look(part, `${path}${name}/`)
    }
  }
  look(params, '')
  return found
}

/**
 * A layer's parameters for reading alone: its linear maps as rows, in float32 or as integers of 8 or 4 bits with one
 * scale for each output (the row's largest number becomes 127, or 7), and so its tables of embeddings. Products by few
 * rows unpack numbers as they read them. `float32` changes the order of memory and no number.
 *
 * @throws PullbackError when the layer has no matrix of this kind.
 * @example
 * ```ts
 * import { ones, random } from 'pullback'
 * import { evaluation, linear, quantize, quantized } from 'pullback/nn'
 * const layer = linear(64, 32)
 * const params = layer.init(random.key(0))
 * const exact = layer.apply(params, evaluation)(ones([1, 64]))
 * const close = quantized(layer).apply(quantize(layer, params), evaluation)(ones([1, 64]))
 * console.log(close.shape, exact.shape) // => [1, 32] [1, 32]
 * ```
 */
export const quantize = <P, I, O>(
  layer: Layer<P, I, O>,
  params: P,
  options: QuantizeOptions = {},
): Quantized<P> => {
  checkOptions('quantize', options, ['precision'])
  const { precision = 'int8' } = options
  const kinds = matrixKinds(layer, params)
  if (kinds.size === 0) throw argumentError('quantize', 'the layer tells of no matrix among its parameters')
  const held = (path: string, leaf: Tensor): unknown => {
    const kind = kinds.get(path)
    return kind === undefined ? leaf : heldMatrix(leaf, kind, precision)
  }
  return { parts: tree.mapWithPath(held, params) }
}

/**
 * The layer with parameters that `quantize` gave: the same function of its input, in evaluation.
 *
 * @example
 * ```ts
 * import { random, tree } from 'pullback'
 * import { gpt, gptConfig, causalReader, generate } from 'pullback/models'
 * import { quantize, quantized } from 'pullback/nn'
 * const model = gpt(gptConfig({ vocabularySize: 64, width: 32, layers: 2, heads: 2, maxLength: 32 }))
 * const params = quantize(model, model.init(random.key(0)), { precision: 'int8' })
 * console.log(tree.entries(params).filter(([, { dtype }]) => dtype === 'int32').length) // => 14
 * const [text] = await generate(causalReader(quantized(model), params), [[5, 40, 7]], { maxTokens: 4 })
 * console.log(text?.ids.length) // => 4
 * ```
 */
export const quantized = <P, I, O>(layer: Layer<P, I, O>): Layer<Quantized<P>, I, O> => ({
  init: (key) => ({ parts: layer.init(key) }),
  apply: ({ parts }, run) => layer.apply(parts as P, run),
})
