/** What a program does, one kind of launch after the other. */
import type { Body } from '../scalar.ts'
import type { BufferId, Indexed, Operand, Output, View } from './view.ts'

/** One expression per element. Outputs of one launch never overlap, nor overlap operands other than exactly. */
export interface MapLaunch {
  readonly kind: 'map'
  readonly shape: readonly number[]
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly outputs: readonly Output[]
}

/**
 * How a row is folded. `argmax` and `argmin` give the int32 row-major position of the first extreme element.
 * max and min propagate NaN. The fold of an empty row is the operation's identity.
 */
export type FoldOp = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin'

export interface Fold {
  readonly op: FoldOp
  /** The index in the body of the value that is folded; it may depend on earlier folds only. */
  readonly value: number
}

/**
 * Rows: for each position of `outer`, the folds in order over the positions of `inner`, then the outputs.
 * Operands have strides over [...outer, ...inner]. An output `over: 'outer'` is written once per row, has
 * strides over `outer` and depends only on folds and on operands whose inner strides are zero;
 * `over: 'all'` is written at each element. Sums, softmax, layer norm and cross-entropy are each one launch.
 */
export interface ReduceLaunch {
  readonly kind: 'reduce'
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly folds: readonly Fold[]
  readonly outputs: readonly (Output & { readonly over: 'outer' | 'all' })[]
}

/**
 * out[batch, i, j] = epilogue(Σ_k a[batch, i, k] · b[batch, k, j]). Views carry strides over
 * [...batch, rows, inner] and [...batch, inner, columns]; the epilogue's operands and outputs over
 * [...batch, rows, columns], its accumulator is `fold` 0. The operands share one dtype, any but bool.
 */
export interface MatmulLaunch {
  readonly kind: 'matmul'
  readonly batch: readonly number[]
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly a: View
  readonly b: View
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly outputs: readonly Output[]
}

/**
 * Updates in place, in row-major order of `shape`: the element that `target` and `at` address becomes the
 * value (`set`) or is combined with it (`add`, `max`, `min`). Indices are clamped as in reading.
 */
export interface ScatterLaunch {
  readonly kind: 'scatter'
  readonly op: 'add' | 'set' | 'max' | 'min'
  readonly shape: readonly number[]
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly value: number
  readonly target: View
  readonly at: readonly Indexed[]
}

/** The stable permutation (int32) that sorts each row of length `length`; NaN goes last, as in NumPy. */
export interface SortLaunch {
  readonly kind: 'sort'
  readonly outer: readonly number[]
  readonly length: number
  readonly descending: boolean
  readonly input: View
  readonly target: View
}

/** Running folds along the last axis of [...outer, length]. */
export interface ScanLaunch {
  readonly kind: 'scan'
  readonly op: 'sum' | 'prod' | 'max' | 'min'
  readonly outer: readonly number[]
  readonly length: number
  readonly reverse: boolean
  readonly input: View
  readonly target: View
}

/** What both passes of attention are given: queries, keys, values, and how products become scores. */
export interface AttentionSite {
  readonly batch: readonly number[]
  readonly queries: number
  readonly keys: number
  readonly width: number
  readonly valueWidth: number
  /** Views over [...batch, queries, width], [...batch, keys, width] and [...batch, keys, valueWidth]. */
  readonly query: View
  readonly key: View
  readonly value: View
  /** By what the products of queries and keys are multiplied. */
  readonly scale: number
  /** Query i looks at keys 0 … i + causal only; at all of them where left out. */
  readonly causal?: number
  /** Over [...batch, queries, keys]. */
  readonly operands: readonly Operand[]
  readonly body: Body
  /** The score, made of the scaled product (fold 0) by adding to it, or by choosing -∞: not to be looked at. */
  readonly score: number
  /** By what the weight is multiplied before it is used, such as dropout's 0 and 1 / (1 - rate). */
  readonly factor?: number
}

/**
 * softmax of the scores of each query, times the values: [...batch, queries, valueWidth], and log Σ exp(score) of
 * each query, which the gradient needs. A query that looks at nothing gives zeros, and 0 as its logarithm. Scores
 * are never held for all queries at once (Dao et al., "FlashAttention", 2022). Floating dtypes, one for all views.
 */
export interface AttentionLaunch extends AttentionSite {
  readonly kind: 'attention'
  readonly output: View
  /** Over [...batch, queries]. */
  readonly total: View
}

/**
 * The gradients of query, key and value, given that of the output. With p = exp(score - total): the gradient of a
 * score is p (factor · cotangent · value - delta), where delta is Σ cotangent · output of each query.
 */
export interface AttentionGradientLaunch extends AttentionSite {
  readonly kind: 'attentionGradient'
  /** Over [...batch, queries, valueWidth]. */
  readonly cotangent: View
  /** Over [...batch, queries]. */
  readonly total: View
  readonly delta: View
  /** Targets with the shapes of query, key and value. */
  readonly queryGradient: View
  readonly keyGradient: View
  readonly valueGradient: View
}

/** Kinds of launch that an engine may do without: it is given programs that have others in their place. */
export type FusedKind = 'attention' | 'attentionGradient'

/**
 * A user's own gpu.js kernel: the source of a JavaScript function that reads `this.thread.x`, takes its
 * inputs as flat contiguous arrays and returns the element of the contiguous output of `size` elements.
 */
export interface CustomLaunch {
  readonly kind: 'custom'
  readonly source: string
  readonly inputs: readonly BufferId[]
  readonly target: BufferId
  readonly size: number
}

export type Launch =
  | MapLaunch
  | ReduceLaunch
  | MatmulLaunch
  | ScatterLaunch
  | SortLaunch
  | ScanLaunch
  | AttentionLaunch
  | AttentionGradientLaunch
  | CustomLaunch
