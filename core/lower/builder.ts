import type {
  Body,
  BufferId,
  BufferSpec,
  Dtype,
  FoldOp,
  FusedKind,
  Launch,
  Operand,
  Output,
  Program,
  ScalarOp,
  Step as ProgramStep,
  View,
} from '../../kernels/index.ts'
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { Shape } from '../shape.ts'
import type { Lazy, Node, Step } from './lazy.ts'
import { leavesOf, mapLeaves, pending, plainView, restride, stepped, undoSteps, whole } from './lazy.ts'

/** Expressions written as one body: operands and operations that occur twice stand once. */
export interface Serialised {
  readonly operands: readonly Operand[]
  readonly body: Body
  /** For each root, the index of its value in the body. */
  readonly values: readonly number[]
}

/**
 * A launch that is not yet emitted, because what follows it may join it: a matmul with bias and activation,
 * a sum with the division that makes it a mean.
 */
export interface Pending {
  readonly shape: Shape
  readonly dtype: Dtype
  /** The launch, given its epilogue over `shape` (strides over `shape`), whose accumulator is fold 0. */
  readonly launch: (epilogue: Serialised, target: View) => Launch
}

/** Puts a program together. Every buffer is written once, by one launch or by launches into its parts. */
export interface Builder {
  /** The optional kinds of launch that the program may have. */
  readonly fuses: readonly FusedKind[]
  readonly buffer: (dtype: Dtype, size: number) => BufferId
  readonly spec: (id: BufferId) => BufferSpec
  readonly emit: (step: ProgramStep) => void
  /** The steps that `f` emits, kept out of the program: the inside of a control. */
  readonly inside: (f: () => void) => readonly ProgramStep[]
  /** The value in memory, as a view over its shape. */
  readonly force: (lazy: Lazy) => View
  /** Writes the value to `target`, a view over its shape. */
  readonly write: (lazy: Lazy, target: View) => void
  /** The value in memory of its own, contiguous and whole. */
  readonly materialise: (lazy: Lazy) => Lazy
  /** The value in memory of its own, in whatever order costs least. */
  readonly store: (lazy: Lazy) => Lazy
  /** The value with no launch pending in it. */
  readonly settle: (lazy: Lazy) => Lazy
  readonly program: (
    inputs: readonly BufferId[],
    outputs: readonly BufferId[],
    donated: readonly number[],
  ) => Program
}

const operandKey = (operand: Operand): string => JSON.stringify(operand)

/** Serialises expressions into one body. Pending nodes and nodes in `folds` become `fold` operations. */
export const serialise = (
  roots: readonly Node[],
  folds: ReadonlyMap<Node, number> = new Map(),
): Serialised => {
  const operands: Operand[] = []
  const operandIndex = new Map<string, number>()
  const body: ScalarOp[] = []
  const known = new Map<string, number>()
  const done = new Map<Node, number>()
  const push = (op: ScalarOp): number => {
    const key = JSON.stringify(op)
    const before = Object.is((op as { value?: number }).value, -0) ? undefined : known.get(key)
    if (before !== undefined) return before
    body.push(op)
    known.set(key, body.length - 1)
    return body.length - 1
  }
  const visit = (node: Node): number => {
    const before = done.get(node)
    if (before !== undefined) return before
    const index = write(node)
    done.set(node, index)
    return index
  }
  const write = (node: Node): number => {
    const fold = folds.get(node)
    if (fold !== undefined || node.kind === 'pending')
      return push({ op: 'fold', index: fold ?? 0, dtype: node.dtype })
    if (node.kind === 'constant') {
      // JSON has no NaN and no infinities, so such constants are told apart by their text.
      const key = `constant ${String(node.value)} ${node.dtype}`
      const same = known.get(key)
      if (same !== undefined && !Object.is(node.value, -0)) return same
      body.push({ op: 'constant', value: node.value, dtype: node.dtype })
      if (!Object.is(node.value, -0)) known.set(key, body.length - 1)
      return body.length - 1
    }
    if (node.kind === 'leaf') {
      const key = operandKey(node.operand)
      let index = operandIndex.get(key)
      if (index === undefined) {
        index = operands.push(node.operand) - 1
        operandIndex.set(key, index)
      }
      return push({ op: 'read', index, dtype: node.dtype })
    }
    const args = node.args.map(visit)
    const word = node.word === undefined ? {} : { word: node.word }
    return push({ op: node.op, args, dtype: node.dtype, ...word } as unknown as ScalarOp)
  }
  return { values: roots.map(visit), operands, body }
}

const pendingLeaves = (node: Node): Set<Pending> => {
  const found = new Set<Pending>()
  for (const leaf of leavesOf(node)) if (leaf.kind === 'pending') found.add(leaf.launch)
  return found
}

/** Whether a launch waits inside the value. */
export const hasPending = (lazy: Lazy): boolean => pendingLeaves(lazy.node).size > 0

/** The different buffers that an expression reads. */
export const buffersOf = (node: Node): Set<BufferId> => {
  const found = new Set<BufferId>()
  for (const leaf of leavesOf(node)) {
    if (leaf.kind !== 'leaf' || leaf.operand.kind !== 'buffer') continue
    found.add(leaf.operand.buffer)
    leaf.operand.at?.forEach(({ index }) => found.add(index.buffer))
  }
  return found
}

export const makeBuilder = (fuses: readonly FusedKind[] = []): Builder => {
  const buffers: BufferSpec[] = []
  let launches: ProgramStep[] = []
  const forced = new Map<Pending, BufferId>()
  const buffer = (dtype: Dtype, size: number): BufferId => buffers.push({ dtype, size }) - 1
  const emit = (step: ProgramStep): void => {
    launches.push(step)
  }
  const inside = (f: () => void): readonly ProgramStep[] => {
    const outer = launches
    launches = []
    try {
      f()
      return launches
    } finally {
      launches = outer
    }
  }

  /** Emits a pending launch as it is, into memory of its own. */
  const flush = (waiting: Pending): BufferId => {
    const before = forced.get(waiting)
    if (before !== undefined) return before
    const id = buffer(waiting.dtype, sizeOf(waiting.shape))
    const accumulator = pending(waiting).node
    const target = { buffer: id, strides: contiguous(waiting.shape), offset: 0 }
    emit(waiting.launch(serialise([accumulator]), target))
    forced.set(waiting, id)
    return id
  }

  /** The value after steps; copied where strides cannot tell one. */
  const through = (lazy: Lazy, steps: readonly Step[]): Lazy =>
    steps.reduce((seen, step) => stepped(seen, step) ?? (stepped(materialise(seen), step) as Lazy), lazy)

  const settleExcept = (lazy: Lazy, kept: Pending | undefined): Lazy => ({
    ...lazy,
    node: mapLeaves(lazy.node, (leaf) =>
      leaf.kind === 'pending' && leaf.launch !== kept
        ? through(whole(flush(leaf.launch), leaf.launch.shape, leaf.dtype), leaf.steps).node
        : leaf,
    ) as Node,
  })

  const settle = (lazy: Lazy): Lazy => (hasPending(lazy) ? settleExcept(lazy, undefined) : lazy)

  /** What a launch that waits was seen through, if it was seen in one way only: it walks its result in one order. */
  const stepsOf = (lazy: Lazy): readonly Step[] | undefined => {
    const views = [...leavesOf(lazy.node)].flatMap((leaf) => (leaf.kind === 'pending' ? [leaf.steps] : []))
    const [steps] = views
    return views.some((other) => JSON.stringify(other) !== JSON.stringify(steps)) ? undefined : steps
  }

  /** The expression as an epilogue of a waiting launch, if everything in it can be walked in the launch's shape. */
  const asEpilogue = (
    lazy: Lazy,
    waiting: Pending,
    steps: readonly Step[],
    target: View,
  ): Launch | undefined => {
    const node = mapLeaves(lazy.node, (leaf) =>
      leaf.kind === 'leaf'
        ? restride({ shape: lazy.shape, dtype: leaf.dtype, node: leaf }, waiting.shape, (view) =>
            undoSteps(view, steps),
          )?.node
        : leaf,
    )
    return node === undefined ? undefined : waiting.launch(serialise([node]), target)
  }

  /** The one launch that the value waits for and that can still take it as an epilogue. */
  const lastWaiting = (lazy: Lazy): Pending | undefined =>
    [...pendingLeaves(lazy.node)].filter((launch) => !forced.has(launch)).pop()

  const write = (lazy: Lazy, target: View): void => {
    const kept = lastWaiting(lazy)
    const rest = settleExcept(lazy, kept)
    const steps = kept === undefined ? undefined : stepsOf(rest)
    const place = steps === undefined ? undefined : undoSteps(target, steps)
    if (kept !== undefined && steps !== undefined && place !== undefined) {
      const launch = asEpilogue(rest, kept, steps, { buffer: target.buffer, ...place })
      if (launch !== undefined) {
        emit(launch)
        return
      }
    }
    const { node, shape } = settle(rest)
    const { operands, body, values } = serialise([node])
    const outputs: Output[] = [{ target, value: values[0] as number }]
    emit({ kind: 'map', shape, operands, body, outputs })
  }

  const materialise = (lazy: Lazy): Lazy => {
    const id = buffer(lazy.dtype, sizeOf(lazy.shape))
    write(lazy, { buffer: id, strides: contiguous(lazy.shape), offset: 0 })
    return whole(id, lazy.shape, lazy.dtype)
  }

  /**
   * The value in the order in which the launch it waits for walks, where strides can tell the value's own order
   * over that: heads are split and turned without a copy.
   */
  const inLaunchOrder = (lazy: Lazy): Lazy | undefined => {
    const kept = lastWaiting(lazy)
    if (kept === undefined) return undefined
    const rest = settleExcept(lazy, kept)
    const steps = stepsOf(rest)
    if (steps === undefined) return undefined
    const id = buffers.length // allocated below, if it works out
    const seen = steps.reduce<Lazy | undefined>(
      (value, step) => value && stepped(value, step),
      whole(id, kept.shape, lazy.dtype),
    )
    const target = { buffer: id, strides: contiguous(kept.shape), offset: 0 }
    const launch = seen && asEpilogue(rest, kept, steps, target)
    if (launch === undefined) return undefined
    buffer(lazy.dtype, sizeOf(kept.shape))
    emit(launch)
    return seen
  }

  const store = (lazy: Lazy): Lazy => inLaunchOrder(lazy) ?? materialise(lazy)

  const force = (lazy: Lazy): View => plainView(lazy) ?? (plainView(store(lazy)) as View)

  return {
    fuses,
    buffer,
    spec: (id) => buffers[id] as BufferSpec,
    emit,
    inside,
    force,
    write,
    materialise,
    store,
    settle,
    program: (inputs, outputs, donated) => ({ buffers, inputs, outputs, donated, launches }),
  }
}

/** A fold of `value` (over [...outer, ...inner]) that waits for its epilogue over `outer`. */
export const pendingFold = (op: FoldOp, value: Node, outer: Shape, inner: Shape, dtype: Dtype): Pending => ({
  shape: outer,
  dtype,
  launch: (epilogue, target) => {
    const folded = serialise([value])
    // The epilogue's operands are walked over the rows only: their inner strides are zero.
    const zeros = inner.map(() => 0)
    const widen = <V extends { readonly strides: readonly number[] }>(view: V): V => ({
      ...view,
      strides: [...view.strides, ...zeros],
    })
    const operands = epilogue.operands.map((operand): Operand => {
      if (operand.kind === 'iota' || operand.at === undefined) return widen(operand)
      return { ...widen(operand), at: operand.at.map((one) => ({ ...one, index: widen(one.index) })) }
    })
    const shift = folded.body.length
    const body = epilogue.body.map((operation) => {
      if (operation.op === 'read') return { ...operation, index: operation.index + folded.operands.length }
      return 'args' in operation
        ? ({ ...operation, args: operation.args.map((index) => index + shift) } as unknown as ScalarOp)
        : operation
    })
    return {
      kind: 'reduce',
      outer,
      inner,
      operands: [...folded.operands, ...operands],
      body: [...folded.body, ...body],
      folds: [{ op, value: folded.values[0] as number }],
      outputs: [{ target, value: (epilogue.values[0] as number) + shift, over: 'outer' }],
    }
  },
})
