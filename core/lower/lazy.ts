/**
 * Lazy values: what lowering knows of a value before (or instead of) giving it memory. A lazy value is a
 * scalar expression over strided leaves, so views compose with arithmetic and elementwise chains fuse by
 * themselves; a launch happens only when somebody needs a buffer.
 */
import type { BinaryOp, Dtype, Indexed, Operand, Strided, UnaryOp, View } from '../../kernels/index.ts'
import { binaryDtype, contiguous, sizeOf, unaryDtype } from '../../kernels/index.ts'
import type { Shape } from '../shape.ts'
import type { Pending } from './builder.ts'

export type Node =
  | { readonly kind: 'leaf'; readonly operand: Operand; readonly dtype: Dtype }
  | { readonly kind: 'constant'; readonly value: number; readonly dtype: Dtype }
  /** The result of a launch that waits for what follows it, seen through reshapes and permutations of axes. */
  | {
      readonly kind: 'pending'
      readonly launch: Pending
      readonly steps: readonly Step[]
      readonly dtype: Dtype
    }
  | {
      readonly kind: 'op'
      readonly op: UnaryOp | BinaryOp | 'select' | 'cast' | 'bitcast' | 'threefry'
      readonly word?: 0 | 1 | 'xor'
      readonly args: readonly Node[]
      readonly dtype: Dtype
      /** Operations in this expression, transcendental ones counted as ten: what recomputing costs. */
      readonly cost: number
    }

/** A change of view of a whole value. */
export type Step =
  | { readonly kind: 'reshape'; readonly from: Shape; readonly to: Shape }
  | { readonly kind: 'permute'; readonly permutation: readonly number[] }

export interface Lazy {
  readonly shape: Shape
  readonly dtype: Dtype
  readonly node: Node
}

const weights: Partial<Record<string, number>> = {
  threefry: 100,
  exp: 10,
  expm1: 10,
  log: 10,
  log1p: 10,
  sin: 10,
  cos: 10,
  tanh: 10,
  sigmoid: 10,
  erf: 15,
  erfInv: 30,
  pow: 20,
  atan2: 15,
  div: 3,
  rem: 3,
  sqrt: 3,
  rsqrt: 3,
}

export const costOf = (node: Node): number => (node.kind === 'op' ? node.cost : 0)

const makeOp = (
  op: UnaryOp | BinaryOp | 'select' | 'cast' | 'bitcast' | 'threefry',
  args: readonly Node[],
  dtype: Dtype,
  word?: 0 | 1 | 'xor',
): Node => ({
  kind: 'op',
  op,
  args,
  dtype,
  cost: args.reduce((cost, arg) => cost + costOf(arg), weights[op] ?? 1),
  ...(word === undefined ? {} : { word }),
})

export const unaryNode = (op: UnaryOp, x: Node): Node => makeOp(op, [x], unaryDtype(op, x.dtype))
export const binaryNode = (op: BinaryOp, x: Node, y: Node): Node =>
  makeOp(op, [x, y], binaryDtype(op, x.dtype))
export const selectNode = (condition: Node, x: Node, y: Node): Node =>
  makeOp('select', [condition, x, y], x.dtype)
export const castNode = (x: Node, dtype: Dtype): Node => (x.dtype === dtype ? x : makeOp('cast', [x], dtype))
export const bitcastNode = (x: Node, dtype: Dtype): Node =>
  x.dtype === dtype ? x : makeOp('bitcast', [x], dtype)
export const threefryNode = (args: readonly Node[], word: 0 | 1 | 'xor'): Node =>
  makeOp('threefry', args, 'uint32', word)
export const constantNode = (value: number, dtype: Dtype): Node => ({ kind: 'constant', value, dtype })

/** A lazy value of one constant. */
export const constant = (value: number, dtype: Dtype, shape: Shape = []): Lazy => ({
  shape,
  dtype,
  node: constantNode(value, dtype),
})

/** A launch that waits, as a value. */
export const pending = (launch: Pending): Lazy => ({
  shape: launch.shape,
  dtype: launch.dtype,
  node: { kind: 'pending', launch, steps: [], dtype: launch.dtype },
})

/** A contiguous buffer read in order. */
export const whole = (buffer: number, shape: Shape, dtype: Dtype): Lazy => ({
  shape,
  dtype,
  node: { kind: 'leaf', operand: { kind: 'buffer', buffer, strides: contiguous(shape), offset: 0 }, dtype },
})

/** The leaves of an expression, each once. */
export const leavesOf = (node: Node, seen: Set<Node> = new Set()): Set<Node> => {
  if (seen.has(node)) return seen
  seen.add(node)
  if (node.kind === 'op') node.args.forEach((arg) => leavesOf(arg, seen))
  return seen
}

/** The same expression with its leaves replaced; shared parts stay shared. `undefined` refuses. */
export const mapLeaves = (node: Node, f: (leaf: Node) => Node | undefined): Node | undefined => {
  const done = new Map<Node, Node | undefined>()
  const visit = (node: Node): Node | undefined => {
    if (done.has(node)) return done.get(node)
    let result: Node | undefined
    if (node.kind !== 'op') result = f(node)
    else {
      const args = node.args.map(visit)
      if (!args.includes(undefined))
        result = args.every((arg, i) => arg === node.args[i]) ? node : { ...node, args: args as Node[] }
    }
    done.set(node, result)
    return result
  }
  return visit(node)
}

/** A change of iteration space, told as the change of any strided view over it; `undefined` if it has none. */
export type Restride = (view: Strided) => Strided | undefined

const restrideOperand = (operand: Operand, change: Restride): Operand | undefined => {
  const moved = change(operand)
  if (moved === undefined) return undefined
  const place = { strides: moved.strides, offset: moved.offset }
  if (operand.kind === 'iota') return { kind: 'iota', ...place }
  if (operand.at === undefined) return { ...operand, ...place }
  const at: Indexed[] = []
  for (const indexed of operand.at) {
    const index = change(indexed.index)
    if (index === undefined) return undefined
    at.push({ ...indexed, index: { ...indexed.index, strides: index.strides, offset: index.offset } })
  }
  return { ...operand, ...place, at }
}

/** The lazy value seen through a change of iteration space; pending leaves must have been forced. */
export const restride = (lazy: Lazy, shape: Shape, change: Restride): Lazy | undefined => {
  const node = mapLeaves(lazy.node, (leaf) => {
    if (leaf.kind === 'constant') return leaf
    if (leaf.kind !== 'leaf') return undefined
    const operand = restrideOperand(leaf.operand, change)
    return operand === undefined ? undefined : { ...leaf, operand }
  })
  return node === undefined ? undefined : { shape, dtype: lazy.dtype, node }
}

/**
 * Strides for `to` that walk the same elements in the same row-major order as `view` does over `from`;
 * `undefined` where no strides do (the elements are not evenly spaced).
 */
const reshapeStrides = (view: Strided, from: Shape, to: Shape): Strided | undefined => {
  if (sizeOf(from) === 0) return { strides: to.map(() => 0), offset: view.offset }
  const sizes: number[] = []
  const steps: number[] = []
  from.forEach((size, axis) => {
    const stride = view.strides[axis] as number
    if (size === 1) return
    const last = sizes.length - 1
    if (last >= 0 && steps[last] === stride * size) {
      sizes[last] = (sizes[last] as number) * size
      steps[last] = stride
    } else {
      sizes.push(size)
      steps.push(stride)
    }
  })
  const strides = new Array<number>(to.length).fill(0)
  let block = sizes.length - 1
  let remaining = block < 0 ? 1 : (sizes[block] as number)
  let stride = block < 0 ? 0 : (steps[block] as number)
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const size = to[axis] as number
    if (size === 1) continue
    if (remaining === 1) {
      block--
      if (block < 0) return undefined
      remaining = sizes[block] as number
      stride = steps[block] as number
    }
    if (remaining % size !== 0) return undefined
    strides[axis] = stride
    stride *= size
    remaining /= size
  }
  return { strides, offset: view.offset }
}

/** The view of a lazy value that is nothing but a plain buffer read. */
export const plainView = (lazy: Lazy): View | undefined => {
  const { node } = lazy
  if (node.kind !== 'leaf' || node.operand.kind !== 'buffer' || node.operand.at !== undefined)
    return undefined
  return node.operand
}

const permuteStrides = ({ strides, offset }: Strided, permutation: readonly number[]): Strided => ({
  offset,
  strides: permutation.map((axis) => strides[axis] as number),
})

/** A view of the changed value as a view of the value before the steps; `undefined` where no strides do. */
export const undoSteps = (view: Strided, steps: readonly Step[]): Strided | undefined =>
  steps.reduceRight<Strided | undefined>((seen, step) => {
    if (seen === undefined) return undefined
    if (step.kind === 'reshape') return reshapeStrides(seen, step.to, step.from)
    const { permutation } = step
    return permuteStrides(
      seen,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    )
  }, view)

/** The value after one more step, if strides can tell it; a launch that waits is only told of it. */
export const stepped = (lazy: Lazy, step: Step): Lazy | undefined => {
  const shape = step.kind === 'reshape' ? step.to : step.permutation.map((axis) => lazy.shape[axis] as number)
  const change = (view: Strided): Strided | undefined =>
    step.kind === 'reshape'
      ? reshapeStrides(view, step.from, step.to)
      : permuteStrides(view, step.permutation)
  const node = mapLeaves(lazy.node, (leaf) =>
    leaf.kind === 'pending'
      ? { ...leaf, steps: [...leaf.steps, step] }
      : restride({ shape: lazy.shape, dtype: leaf.dtype, node: leaf }, shape, change)?.node,
  )
  return node === undefined ? undefined : { shape, dtype: lazy.dtype, node }
}
