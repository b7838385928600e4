/**
 * A program is plain data: typed buffers and an ordered list of launches with static shapes.
 *
 * Every launch reads its operands through strided views, so transposing, slicing, broadcasting and reversing
 * cost nothing, and writes through strided targets, so concatenating and padding are launches into parts of
 * one buffer. Positions are row-major; strides and offsets count elements, not bytes.
 */
import type { Dtype } from './dtype.ts'
import type { Body } from './scalar.ts'

/** The index of a buffer in `Program.buffers`. */
export type BufferId = number

/** Where the element at position p stands: `offset + Σ strides[i] · p[i]`. */
export interface Strided {
  readonly strides: readonly number[]
  readonly offset: number
}

export interface View extends Strided {
  readonly buffer: BufferId
}

/**
 * A data-dependent part of an address: adds `clamp(index(p), 0, size - 1) · stride`, where the int32 `index`
 * view has strides over the same iteration space.
 */
export interface Indexed {
  readonly index: View
  readonly stride: number
  readonly size: number
}

/** What a body reads with `read`: a view of a buffer, gathered if `at` is there, or the position itself. */
export type Operand =
  | (View & { readonly kind: 'buffer'; readonly at?: readonly Indexed[] })
  /** The int32 number `offset + Σ strides[i] · p[i]`; no memory is read. */
  | (Strided & { readonly kind: 'iota' })

/** A value of the body, written at each position of the iteration space. */
export interface Output {
  readonly target: View
  /** The index in the body of the operation whose result is written. */
  readonly value: number
}

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

/**
 * Launches that run again and again, in order, on the same buffers: what one round leaves in them is what the
 * next one finds.
 */
export interface LoopControl {
  readonly kind: 'loop'
  readonly count: number
  readonly launches: readonly Step[]
}

/** Runs `condition`, then, as long as the first element of the bool buffer `flag` is true, `launches` and `condition`. */
export interface WhileControl {
  readonly kind: 'while'
  readonly condition: readonly Step[]
  readonly flag: BufferId
  readonly launches: readonly Step[]
}

/**
 * Launches that need to run only if the first element of the int32 buffer `index` is `value`. Where they are left
 * out, what they write must not matter: an engine that cannot look at a value while it runs may run them always.
 */
export interface WhenControl {
  readonly kind: 'when'
  readonly index: BufferId
  readonly value: number
  readonly launches: readonly Step[]
}

export type Control = LoopControl | WhileControl | WhenControl

/** What a program does next: one launch, or a decision about several. */
export type Step = Launch | Control

export interface BufferSpec {
  readonly dtype: Dtype
  /** Number of elements. */
  readonly size: number
}

export interface Program {
  readonly buffers: readonly BufferSpec[]
  /** The buffers that hold the arguments, in order. A launch never writes one that is not donated. */
  readonly inputs: readonly BufferId[]
  /** The buffers returned, in order. A buffer may be returned twice; an input may be returned. */
  readonly outputs: readonly BufferId[]
  /** Positions in `inputs` whose memory the program may take over. */
  readonly donated: readonly number[]
  readonly launches: readonly Step[]
}

/**
 * Whether a step is a loop or a choice rather than a launch.
 *
 * @example
 * ```ts
 * import { isControl } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(isControl(launch)) // => false
 * ```
 */
export const isControl = (step: Step): step is Control =>
  step.kind === 'loop' || step.kind === 'while' || step.kind === 'when'

/**
 * The steps inside a control, in the order in which they run first.
 *
 * @example
 * ```ts
 * import { insideOf } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(insideOf(twice).length) // => 1
 * ```
 */
export const insideOf = (control: Control): readonly Step[] =>
  control.kind === 'while' ? [...control.condition, ...control.launches] : control.launches

/**
 * Every launch of a program once, in the order in which they run first, those inside of controls too.
 *
 * @example
 * ```ts
 * import { flatLaunches } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(flatLaunches([twice]).length) // => 1
 * ```
 */
export const flatLaunches = (steps: readonly Step[]): readonly Launch[] =>
  steps.flatMap((step) => (isControl(step) ? flatLaunches(insideOf(step)) : [step]))

/**
 * The launches of a program one by one as they run, for engines that only run lists: loops are repeated (the same
 * launch objects again) and choices always made. `undefined` where it contains a `while`, whose end depends on data.
 *
 * @example
 * ```ts
 * import { unrolled } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(unrolled([twice])?.length) // => 2
 * ```
 */
export const unrolled = (steps: readonly Step[]): readonly Launch[] | undefined => {
  const all: Launch[] = []
  for (const step of steps) {
    if (!isControl(step)) {
      all.push(step)
      continue
    }
    const inside = step.kind === 'while' ? undefined : unrolled(step.launches)
    if (inside === undefined) return undefined
    for (let n = step.kind === 'loop' ? step.count : 1; n > 0; n--) for (const each of inside) all.push(each)
  }
  return all
}

/**
 * The number of positions in a shape.
 *
 * @example
 * ```ts
 * import { sizeOf } from 'pullback/kernels'
 * console.log(sizeOf([2, 3, 4]), sizeOf([])) // => 24 1
 * ```
 */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1)

/**
 * Row-major strides of a contiguous buffer.
 *
 * @example
 * ```ts
 * import { contiguous } from 'pullback/kernels'
 * console.log(contiguous([2, 3, 4])) // => [12, 4, 1]
 * ```
 */
export const contiguous = (shape: readonly number[]): number[] => {
  const strides: number[] = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] as number
  }
  return strides
}

const viewsOf = (operand: Operand): readonly View[] =>
  operand.kind === 'iota' ? [] : [operand, ...(operand.at ?? []).map(({ index }) => index)]

/** The views that attention reads, apart from its operands. */
const attentionViews = (launch: AttentionLaunch | AttentionGradientLaunch): readonly View[] =>
  launch.kind === 'attention'
    ? [launch.query, launch.key, launch.value]
    : [launch.query, launch.key, launch.value, launch.cotangent, launch.total, launch.delta]

/** The views that attention writes. */
export const attentionTargets = (launch: AttentionLaunch | AttentionGradientLaunch): readonly View[] =>
  launch.kind === 'attention'
    ? [launch.output, launch.total]
    : [launch.queryGradient, launch.keyGradient, launch.valueGradient]

/** Those views with their shapes: what is read (apart from operands), and what is written. */
export const attentionParts = (
  launch: AttentionLaunch | AttentionGradientLaunch,
): {
  readonly reads: readonly (readonly [name: string, view: View, shape: readonly number[]])[]
  readonly writes: readonly (readonly [name: string, view: View, shape: readonly number[]])[]
} => {
  const { batch, queries, keys, width, valueWidth } = launch
  const rows = [...batch, queries]
  const [ofQuery, ofKey, ofValue] = [
    [...rows, width],
    [...batch, keys, width],
    [...batch, keys, valueWidth],
  ]
  const given = [
    ['the query', launch.query, ofQuery],
    ['the key', launch.key, ofKey],
    ['the value', launch.value, ofValue],
  ] as const
  return launch.kind === 'attention'
    ? {
        reads: given,
        writes: [
          ['the output', launch.output, [...rows, valueWidth]],
          ['the total', launch.total, rows],
        ],
      }
    : {
        reads: [
          ...given,
          ['the cotangent', launch.cotangent, [...rows, valueWidth]],
          ['the total', launch.total, rows],
          ['the delta', launch.delta, rows],
        ],
        writes: [
          ["the query's gradient", launch.queryGradient, ofQuery],
          ["the key's gradient", launch.keyGradient, ofKey],
          ["the value's gradient", launch.valueGradient, ofValue],
        ],
      }
}

/**
 * The buffers that a launch reads (a scatter also reads its target).
 *
 * @example
 * ```ts
 * import { readsOf } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(readsOf(launch)) // => [0]
 * ```
 */
export const readsOf = (launch: Step): readonly BufferId[] => {
  switch (launch.kind) {
    case 'map':
    case 'reduce':
      return launch.operands.flatMap(viewsOf).map(({ buffer }) => buffer)
    case 'matmul':
      return [launch.a, launch.b, ...launch.operands.flatMap(viewsOf)].map(({ buffer }) => buffer)
    case 'scatter':
      return [launch.target, ...launch.at.map(({ index }) => index), ...launch.operands.flatMap(viewsOf)].map(
        ({ buffer }) => buffer,
      )
    case 'sort':
    case 'scan':
      return [launch.input.buffer]
    case 'loop':
      return launch.launches.flatMap(readsOf)
    case 'while':
      return [launch.flag, ...insideOf(launch).flatMap(readsOf)]
    case 'when':
      return [launch.index, ...launch.launches.flatMap(readsOf)]
    case 'attention':
    case 'attentionGradient':
      return [...attentionViews(launch), ...launch.operands.flatMap(viewsOf)].map(({ buffer }) => buffer)
    case 'custom':
      return launch.inputs
  }
}

/**
 * The buffers that a launch writes.
 *
 * @example
 * ```ts
 * import { writesOf } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(writesOf(launch)) // => [1]
 * ```
 */
export const writesOf = (launch: Step): readonly BufferId[] => {
  switch (launch.kind) {
    case 'map':
    case 'reduce':
    case 'matmul':
      return launch.outputs.map(({ target }) => target.buffer)
    case 'scatter':
    case 'sort':
    case 'scan':
      return [launch.target.buffer]
    case 'loop':
    case 'while':
    case 'when':
      return insideOf(launch).flatMap(writesOf)
    case 'attention':
    case 'attentionGradient':
      return attentionTargets(launch).map(({ buffer }) => buffer)
    case 'custom':
      return [launch.target]
  }
}
