/** The code of a row: along it in vectors (`across`), or of several rows in the lanes of vectors (`beside`). */
import type { Fold, ReduceLaunch } from '../../program/index.ts'
import type { Body, ScalarOp } from '../../scalar.ts'
import { argsOf, reachable } from '../../scalar.ts'
import type { Code } from '../code/index.ts'
import { get, v128 } from '../code/index.ts'
import { interleaved } from '../emitter.ts'
import type { Emitter } from '../emitter.ts'
import type { Accumulator, Folder } from '../fold.ts'
import { folder } from '../fold.ts'
import { resolveIndices } from '../map.ts'
import type { Site } from '../memory.ts'
import { load, storeVector } from '../memory.ts'
import type { Pointers, Step } from '../nest.ts'
import { walk, walkVectors } from '../nest.ts'
import type { Scope, Values } from '../scope.ts'
import { scope } from '../scope.ts'
import type { Access, Axis } from '../space.ts'
import type { Pass } from './pass.ts'

/** Everything that both ways of walking need. */
export interface Context {
  readonly e: Emitter
  readonly launch: ReduceLaunch
  readonly list: readonly Access[]
  readonly lanes: number
  readonly unroll: number
  readonly passes: readonly Pass[]
  readonly position: number | undefined
  readonly targets: readonly number[]
  /** The access of the scratch row that a kept value has. */
  readonly scratch: ReadonlyMap<number, number>
  readonly values: Values
  readonly mode: 'across' | 'beside'
  readonly rows: readonly Axis[]
  readonly inner: readonly Axis[]
  readonly vector: Axis
  readonly still: readonly number[]
}

export const siteAt = (
  { list, lanes }: Pick<Context, 'list' | 'lanes'>,
  pointers: Pointers,
  strides: readonly number[],
  resolved: ReadonlySet<number>,
): Site => ({ list, pointers, strides, lanes, shift: 0, count: lanes, resolved })

/** The reads that `roots` need. */
export const readsBehind = (body: Body, roots: readonly number[]): number[] =>
  [...reachable(body, roots)].filter((index) => (body[index] as ScalarOp).op === 'read')

/** The operations behind `roots` that need no fold. */
export const withoutFolds = (body: Body, roots: readonly number[]): number[] => {
  const free = new Map<number, boolean>()
  const isFree = (index: number): boolean => {
    const before = free.get(index)
    if (before !== undefined) return before
    const op = body[index] as ScalarOp
    const found = op.op !== 'fold' && argsOf(op).every(isFree)
    free.set(index, found)
    return found
  }
  return [...reachable(body, roots)].filter(isFree)
}

export const passRoots = ({ launch }: Context, { folds, outputs, recalls }: Pass): number[] => [
  ...folds.map((index) => (launch.folds[index] as Fold).value),
  ...outputs.map((index) => (launch.outputs[index] as { value: number }).value),
  ...recalls,
]

/** The outputs that are written once a row, each with its target. */
const rowOutputs = ({ launch, targets }: Context): (readonly [value: number, target: number])[] =>
  launch.outputs.flatMap(({ over, value }, index) =>
    over === 'outer' ? [[value, targets[index] as number] as const] : [],
  )

/** Whatever a row's passes and outputs read. */
export const readsOfRow = (context: Context): number[] =>
  readsBehind(context.launch.body, [
    ...rowOutputs(context).map(([value]) => value),
    ...context.passes.flatMap((pass) => passRoots(context, pass)),
  ])

/** Writes what a row gives once its folds are known. */
export const storeRow = (context: Context, row: Scope, site: Site): void => {
  for (const [value, target] of rowOutputs(context))
    storeVector(context.e, site, target, context.values.value(value, row))
}

const foldersOf = ({ e, launch, lanes }: Context, { folds }: Pass): Folder[] =>
  folds.map((index) => {
    const { op, value } = launch.folds[index] as Fold
    return folder(e, op, (launch.body[value] as ScalarOp).dtype, lanes)
  })

/** One vector of a pass: folds take it in, outputs are written, values are kept. */
export const visit = (
  context: Context,
  pass: Pass,
  inner: Scope,
  folders: readonly Folder[],
  accumulators: readonly Accumulator[],
): void => {
  const { e, launch, lanes, values, position, scratch, targets } = context
  const { site } = inner
  for (const index of pass.recalls) {
    const id = scratch.get(index)
    if (id !== undefined) inner.known.set(index, e.keep(recall(site, id)))
  }
  pass.folds.forEach((fold, i) => {
    const { op, value } = launch.folds[fold] as Fold
    const { dtype } = launch.body[value] as ScalarOp
    const accumulator = accumulators[i] as Accumulator
    const sums = op === 'sum' && (dtype === 'float32' || dtype === 'float64') && site.count === lanes
    if (sums) folders[i]?.put(accumulator, values.addTo(get(accumulator.main), value, inner))
    else {
      const at = op === 'argmax' || op === 'argmin' ? load(e, site, position as number) : undefined
      folders[i]?.take(accumulator, values.value(value, inner), at, site.count)
    }
  })
  const results = pass.outputs.map((index) =>
    e.keep(values.value((launch.outputs[index] as { value: number }).value, inner)),
  )
  for (const index of pass.keeps) {
    const id = scratch.get(index)
    if (id !== undefined) store(e, site, id, values.value(index, inner))
  }
  pass.outputs.forEach((index, i) => storeVector(e, site, targets[index] as number, results[i] as Code))
}

const scratchOffset = ({ shift, lanes, strides }: Site, id: number): number =>
  shift * lanes * (strides[id] as number)

const recall = (site: Site, id: number): Code =>
  v128.load(get(site.pointers[id] as number), scratchOffset(site, id))

const store = (e: Emitter, site: Site, id: number, value: Code): void =>
  e.push(v128.store(get(site.pointers[id] as number), value, scratchOffset(site, id)))

/** The folders of a pass, and accumulators with nothing in them for so many vectors. */
export const startSets = (
  context: Context,
  pass: Pass,
  vectors: number,
): { readonly folders: readonly Folder[]; readonly sets: readonly (readonly Accumulator[])[] } => {
  const { e, lanes } = context
  const folders = foldersOf(context, pass)
  const sets = Array.from({ length: vectors }, (_, shift) => {
    const accumulators = folders.map((one) => one.start())
    accumulators.forEach((accumulator, i) =>
      folders[i]?.clear(accumulator, e.i32(...[0, 1, 2, 3].map((lane) => lane + shift * lanes))),
    )
    return accumulators
  })
  return { folders, sets }
}

/** Joins the accumulators of a pass over a row: its folds are known from here on. */
export const finishRow = (
  { e, values }: Context,
  pass: Pass,
  folders: readonly Folder[],
  sets: readonly (readonly Accumulator[])[],
  row: Scope,
): void =>
  pass.folds.forEach((fold, i) => {
    const one = folders[i] as Folder
    // Joined in pairs, so that rounding errors grow with the logarithm only.
    let left = sets.map((set) => set[i] as Accumulator)
    const [first] = left as [Accumulator]
    while (left.length > 1) {
      const half = left.length / 2
      left.slice(half).forEach((other, j) => one.join(left[j] as Accumulator, other))
      left = left.slice(0, half)
    }
    one.across(first)
    values.setFold(fold, e.keep(one.result(first)), row)
  })

/** A row in vectors. Many accumulators hide the latency of additions; they are joined at the end of a pass. */
export const acrossRow = (context: Context, pointers: Pointers, whole: Scope): void => {
  const { e, list, lanes, unroll, passes, vector, inner, values, still } = context
  const { pointers: own, resolved } = resolveIndices(e, list, pointers, [...inner, vector])
  const row = scope(1, siteAt(context, own, still, resolved), whole)
  values.hoist(readsOfRow(context), row)
  for (const pass of passes) {
    values.hoist(passRoots(context, pass), row)
    const { folders, sets } = startSets(context, pass, unroll)
    walk(e, inner, own, (at) =>
      walkVectors(e, { axis: vector, lanes, unroll }, at, ({ pointers: here, vectors, count }) => {
        interleaved(e, vectors, (shift) => {
          const site = { ...siteAt(context, here, vector.strides, resolved), shift, count }
          visit(context, pass, scope(2, site, row), folders, sets[shift] ?? [])
        })
      }),
    )
    finishRow(context, pass, folders, sets, row)
  }
  storeRow(context, row, { ...siteAt(context, own, still, resolved), count: 1 })
}

/** Rows in the lanes of vectors, several vectors beside each other so that whole cache lines are used. */
export const besideRows = (
  context: Context,
  step: Step,
  resolved: ReadonlySet<number>,
  whole: Scope,
): void => {
  const { e, passes, vector, inner, values } = context
  const { pointers, vectors, count } = step
  const site = { ...siteAt(context, pointers, vector.strides, resolved), count }
  const rows = Array.from({ length: vectors }, (_, shift) => scope(1, { ...site, shift }, whole))
  const needed = readsOfRow(context)
  for (const row of rows) values.hoist(needed, row)
  for (const pass of passes) {
    const folders = foldersOf(context, pass)
    const sets = rows.map((row) => {
      values.hoist(passRoots(context, pass), row)
      const accumulators = folders.map((one) => one.start())
      accumulators.forEach((accumulator, i) => folders[i]?.clear(accumulator, undefined))
      return accumulators
    })
    walk(e, inner, pointers, (at) =>
      interleaved(e, rows.length, (shift) => {
        // Every lane is a row of its own, so lanes that do not exist need no care.
        const here = { ...site, pointers: at, shift, count: site.count }
        visitBeside(context, pass, scope(2, here, rows[shift]), folders, sets[shift] as Accumulator[])
      }),
    )
    rows.forEach((row, shift) =>
      pass.folds.forEach((fold, i) =>
        values.setFold(fold, e.keep((folders[i] as Folder).result(sets[shift]?.[i] as Accumulator)), row),
      ),
    )
  }
  for (const row of rows) storeRow(context, row, row.site)
}

const visitBeside = (
  context: Context,
  pass: Pass,
  inner: Scope,
  folders: readonly Folder[],
  accumulators: readonly Accumulator[],
): void => {
  const whole = folders.map((one): Folder => ({
    ...one,
    take: (accumulator, value, position) => one.take(accumulator, value, position, context.lanes),
  }))
  visit(context, pass, inner, whole, accumulators)
}
