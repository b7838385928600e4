/** Programs whose launches touch no more buffers than a device binds to one kernel. */
import type { Dtype } from '../dtype.ts'
import type { BufferSpec, Launch, Operand, Program, ScatterLaunch, Step } from '../program/index.ts'
import { contiguous, isControl, readsOf, sizeOf, viewsOf, writesOf } from '../program/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { argsOf, reachable, renameArgs } from '../scalar.ts'

/** Launches with an expression of which a part can be computed before. */
type Expressive = Extract<Launch, { readonly kind: 'map' | 'reduce' | 'matmul' | 'scatter' }>

const isExpressive = (launch: Launch): launch is Expressive =>
  launch.kind === 'map' || launch.kind === 'reduce' || launch.kind === 'matmul' || launch.kind === 'scatter'

/** Over which positions the expression is computed. */
const spaceOf = (launch: Expressive): readonly number[] => {
  switch (launch.kind) {
    case 'map':
    case 'scatter':
      return launch.shape
    case 'reduce':
      return [...launch.outer, ...launch.inner]
    case 'matmul':
      return [...launch.batch, launch.rows, launch.columns]
  }
}

const rootsOf = (launch: Expressive): readonly number[] => {
  switch (launch.kind) {
    case 'scatter':
      return [launch.value]
    case 'reduce':
      return [...launch.folds, ...launch.outputs].map(({ value }) => value)
    default:
      return launch.outputs.map(({ value }) => value)
  }
}

/** A scatter's positions are sorted in two buffers of its own. */
const countOf = (launch: Launch): number =>
  new Set([...readsOf(launch), ...writesOf(launch)]).size + (launch.kind === 'scatter' ? 2 : 0)

/** Operations in the order in which they are needed, so that what is read is used soon. */
const orderOf = (body: Body, roots: readonly number[]): readonly number[] => {
  const found = new Set<number>()
  const visit = (index: number): void => {
    if (found.has(index)) return
    argsOf(body[index] as ScalarOp).forEach(visit)
    found.add(index)
  }
  roots.forEach(visit)
  return [...found]
}

/** Operations that `starts` picks, and those that depend on them. */
const dependents = (body: Body, starts: (op: ScalarOp) => boolean): ReadonlySet<number> => {
  const found = new Set<number>()
  body.forEach((op, index) => {
    if (starts(op) || argsOf(op).some((arg) => found.has(arg))) found.add(index)
  })
  return found
}

interface Cut {
  /** The values that are stored. */
  readonly live: readonly number[]
  /** Buffers that the rest need not read any more, less those that it reads instead. */
  readonly saved: number
}

/** The part to compute before that saves the most, if it fits into a kernel itself. */
const cutOf = (launch: Expressive, roots: readonly number[], most: number): Cut | undefined => {
  const { body, operands } = launch
  const folding = dependents(body, (op) => op.op === 'fold')
  const reading = dependents(
    body,
    (op) => op.op === 'read' && (operands[op.index] as Operand).kind === 'buffer',
  )
  const order = orderOf(body, roots)
  const before = order.filter((index) => !folding.has(index))
  const readBy = (indices: readonly number[]): ReadonlySet<number> =>
    new Set(
      indices.flatMap((index) => {
        const op = body[index] as ScalarOp
        return op.op === 'read' ? viewsOf(operands[op.index] as Operand).map(({ buffer }) => buffer) : []
      }),
    )
  const bare = { ...launch, operands: [] }
  const anyway = new Set([...readsOf(bare), ...writesOf(bare)])
  const besides = (indices: readonly number[]): number =>
    [...readBy(indices)].filter((buffer) => !anyway.has(buffer)).length
  const now = besides(order)
  let best: Cut | undefined
  for (let count = 1; count <= before.length; count++) {
    const inside = new Set(before.slice(0, count))
    const used = new Set([
      ...roots,
      ...order.filter((index) => !inside.has(index)).flatMap((index) => argsOf(body[index] as ScalarOp)),
    ])
    const live = [...inside].filter((index) => used.has(index) && reading.has(index))
    if (live.length === 0 || readBy([...inside]).size + live.length > most) continue
    const stored = new Set(live)
    const rest = restOf(body, roots, stored)
    const saved = now - besides(rest.filter((index) => !stored.has(index))) - live.length
    if (saved > (best?.saved ?? 0)) best = { live, saved }
  }
  return best
}

/** Operations that are still needed where `stored` are read from memory. */
const restOf = (body: Body, roots: readonly number[], stored: ReadonlySet<number>): readonly number[] =>
  [...reachable(body, roots, (op, index) => (stored.has(index) ? [] : argsOf(op)))].sort((x, y) => x - y)

/** A body without what is not needed, and the numbers of what is. */
interface Part {
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly at: ReadonlyMap<number, number>
}

const partOf = (
  { body, operands }: Pick<Expressive, 'body' | 'operands'>,
  roots: readonly number[],
  stored: ReadonlyMap<number, Operand>,
): Part => {
  const own: Operand[] = []
  const numbers = new Map<number, number>()
  const at = new Map<number, number>()
  const list: ScalarOp[] = []
  for (const index of restOf(body, roots, new Set(stored.keys()))) {
    const op = body[index] as ScalarOp
    const kept = stored.get(index)
    at.set(index, list.length)
    if (kept !== undefined) list.push({ op: 'read', index: own.push(kept) - 1, dtype: op.dtype })
    else if (op.op === 'read') {
      const known = numbers.get(op.index) ?? own.push(operands[op.index] as Operand) - 1
      numbers.set(op.index, known)
      list.push({ ...op, index: known })
    } else list.push(renameArgs(op, (arg) => at.get(arg) as number))
  }
  return { operands: own, body: list, at }
}

const withPart = (launch: Expressive, { operands, body, at }: Part): Expressive => {
  const moved = <V extends { readonly value: number }>(one: V): V => ({
    ...one,
    value: at.get(one.value) as number,
  })
  switch (launch.kind) {
    case 'scatter':
      return moved<ScatterLaunch>({ ...launch, operands, body })
    case 'reduce':
      return { ...launch, operands, body, folds: launch.folds.map(moved), outputs: launch.outputs.map(moved) }
    default:
      return { ...launch, operands, body, outputs: launch.outputs.map(moved) }
  }
}

/** Where values are computed before, and how they are read there. */
interface Space {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly values: readonly number[]
}

/** What is asked for once a row is the same along it, and computed once: the row may be empty. */
const spacesOf = (launch: Expressive, values: readonly number[]): readonly Space[] => {
  const shape = spaceOf(launch)
  if (launch.kind !== 'reduce') return [{ shape, strides: contiguous(shape), values }]
  const { outer, inner, body, outputs } = launch
  const once = new Set(
    orderOf(
      body,
      outputs.flatMap(({ over, value }) => (over === 'outer' ? [value] : [])),
    ),
  )
  return [
    { shape, strides: contiguous(shape), values: values.filter((index) => !once.has(index)) },
    {
      shape: [...outer, ...inner.map(() => 1)],
      strides: [...contiguous(outer), ...inner.map(() => 0)],
      values: values.filter((index) => once.has(index)),
    },
  ].filter((space) => space.values.length > 0)
}

/**
 * Computes parts of expressions before, into memory of their own, where a launch would touch more than `most` buffers.
 * Steps keep their places: what was one launch becomes a loop of one round. Launches that cannot be parted, such as
 * those with as many outputs, stay as they are.
 */
export const fitted = (program: Program, most: number): Program => {
  const buffers: BufferSpec[] = [...program.buffers]
  const buffer = (dtype: Dtype, size: number): number => buffers.push({ dtype, size }) - 1
  const parts = (launch: Launch): readonly Launch[] => {
    if (countOf(launch) <= most || !isExpressive(launch)) return [launch]
    const roots = rootsOf(launch)
    const cut = cutOf(launch, roots, most)
    if (cut === undefined) return [launch]
    const stored = new Map<number, Operand & { readonly kind: 'buffer' }>()
    const before = spacesOf(launch, cut.live).map(({ shape, strides, values }): Launch => {
      const { operands, body, at } = partOf(launch, values, new Map())
      const outputs = values.map((index) => {
        const target = {
          buffer: buffer((launch.body[index] as ScalarOp).dtype, sizeOf(shape)),
          strides,
          offset: 0,
        }
        stored.set(index, { kind: 'buffer', ...target })
        return { value: at.get(index) as number, target }
      })
      return { kind: 'map', shape, operands, body, outputs }
    })
    return [...before, ...parts(withPart(launch, partOf(launch, roots, stored)))]
  }
  const walk = (step: Step): Step => {
    if (isControl(step))
      return step.kind === 'while'
        ? { ...step, condition: step.condition.map(walk), launches: step.launches.map(walk) }
        : { ...step, launches: step.launches.map(walk) }
    const [first, ...others] = parts(step)
    return others.length === 0
      ? (first as Launch)
      : { kind: 'loop', count: 1, launches: [first as Launch, ...others] }
  }
  const launches = program.launches.map(walk)
  return buffers.length === program.buffers.length ? program : { ...program, buffers, launches }
}
