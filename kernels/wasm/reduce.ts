/**
 * Row programs: folds over the positions of a row, then what is made of them, fused into few passes over
 * memory. Either a row is walked in vectors (`across`), or several rows at once stand in the lanes of a
 * vector (`beside`), whichever way memory lies.
 */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Fold, ReduceLaunch } from '../program.ts'
import { contiguous } from '../program.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { argsOf } from '../scalar.ts'
import type { Code } from './code.ts'
import { get, v128 } from './code.ts'
import type { Emitter } from './emitter.ts'
import { emitter, interleaved } from './emitter.ts'
import type { Accumulator, Folder } from './fold.ts'
import { folder } from './fold.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers, unrollFor, usesDouble } from './kernel.ts'
import { accessLevel, bodyWeight, resolveIndices } from './map.ts'
import type { Site } from './memory.ts'
import { load, storeVector } from './memory.ts'
import type { Pointers, Step } from './nest.ts'
import { walk, walkRange, walkVectorRange, walkVectors } from './nest.ts'
import { rowScratchBytes } from './scratch.ts'
import type { Scope, Values } from './scope.ts'
import { reachable, scope, values } from './scope.ts'
import type { Access, Axis } from './space.ts'
import { accesses, axesOf, countOf, merged, ordered, vectorAxis, vectorCost, without } from './space.ts'

const isPosition = ({ op }: Fold): boolean => op === 'argmax' || op === 'argmin'

/** A walk over the row: the folds whose values are known by then, and the outputs written in it. */
interface Pass {
  readonly folds: readonly number[]
  readonly outputs: readonly number[]
  /** Values kept in scratch memory for later passes, and those read back from it. */
  readonly keeps: readonly number[]
  readonly recalls: readonly number[]
}

/** For each operation the number of passes that must have ended before it can be computed. */
const stagesOf = (body: Body, folds: readonly Fold[]): { ops: number[]; folds: number[] } => {
  const ofFolds: number[] = []
  const ofOps: number[] = []
  const stage = (index: number): number => {
    const known = ofOps[index]
    if (known !== undefined) return known
    const op = body[index] as ScalarOp
    const found =
      op.op === 'fold'
        ? stageOfFold(op.index) + 1
        : argsOf(op).reduce((top, arg) => Math.max(top, stage(arg)), 0)
    ofOps[index] = found
    return found
  }
  const stageOfFold = (index: number): number => (ofFolds[index] ??= stage((folds[index] as Fold).value))
  body.forEach((_, index) => stage(index))
  folds.forEach((_, index) => stageOfFold(index))
  return { ops: ofOps, folds: ofFolds }
}

/** Values worth keeping from one pass for the next, rather than computing them again. */
const keepWeight = 12

const passesOf = (
  { body, folds, outputs }: ReduceLaunch,
  reads: ReadonlySet<BufferId>,
  changes: (index: number) => boolean,
  mayKeep: boolean,
): Pass[] => {
  const stages = stagesOf(body, folds)
  const whole = outputs.flatMap(({ over }, index) => (over === 'all' ? [index] : []))
  const stageOfOutput = (index: number): number =>
    stages.ops[(outputs[index] as { value: number }).value] as number
  const count = Math.max(
    0,
    ...stages.folds.map((stage) => stage + 1),
    ...whole.map((o) => stageOfOutput(o) + 1),
  )
  // What is overwritten in place must not be needed again.
  const passOfOutput = (index: number): number =>
    reads.has((outputs[index] as ReduceLaunch['outputs'][number]).target.buffer)
      ? count - 1
      : stageOfOutput(index)
  const kept = new Set<number>()
  const passes: Pass[] = []
  for (let pass = 0; pass < count; pass++) {
    const own = folds.flatMap((_, index) => (stages.folds[index] === pass ? [index] : []))
    const written = whole.filter((index) => passOfOutput(index) === pass)
    const roots = [
      ...own.map((index) => (folds[index] as Fold).value),
      ...written.map((index) => (outputs[index] as { value: number }).value),
    ]
    const recalls = [...reachable(body, roots, (index) => kept.has(index))].filter((index) => kept.has(index))
    const needed = reachable(body, roots, (index) => kept.has(index))
    const later = new Set<number>()
    for (let after = pass + 1; after < count; after++) {
      const next = [
        ...folds.flatMap(({ value }, index) => (stages.folds[index] === after ? [value] : [])),
        ...whole.flatMap((index) =>
          passOfOutput(index) === after ? [(outputs[index] as { value: number }).value] : [],
        ),
      ]
      // The largest common parts only: what is behind them is not needed again.
      const shared = (index: number): boolean => kept.has(index) || (needed.has(index) && worth(index))
      for (const index of reachable(body, next, shared))
        if (shared(index) && !kept.has(index)) later.add(index)
    }
    const keeps = mayKeep ? [...later] : []
    keeps.forEach((index) => kept.add(index))
    passes.push({ folds: own, outputs: written, keeps, recalls })
  }
  return passes

  function worth(index: number): boolean {
    return changes(index) && bodyWeight(body, [index]) >= keepWeight
  }
}

interface Shape {
  readonly mode: 'across' | 'beside'
  /** The axes that ranges of the kernel run over, without the one that is made vectors if `beside`. */
  readonly rows: readonly Axis[]
  /** The axes of a row, without the one that is made vectors if `across`. */
  readonly inner: readonly Axis[]
  readonly vector: Axis
}

const shapeOf = (
  { outer, inner, folds }: ReduceLaunch,
  list: readonly Access[],
  targets: readonly number[],
  lanes: number,
): Shape => {
  const weights = list.map((_, id) => (targets.includes(id) ? 2 : 1))
  const still = list.map(() => 0)
  const rows = merged(ordered(axesOf(outer, list), weights))
  const raw = axesOf(inner, list, outer.length)
  const inOrder = folds.some(isPosition)
  const empty = inner.includes(0)
  const within = empty ? [{ size: 0, strides: still }] : merged(inOrder ? raw : ordered(raw, weights))
  const last =
    within.length === 0 ? undefined : inOrder || empty ? within.length - 1 : vectorAxis(within, list, lanes)
  const best = vectorAxis(rows, list, lanes)
  const total = countOf(within)
  const perRow = (20 + 20 * folds.length) / Math.max(1, total / lanes)
  const across = empty ? 2 : vectorCost(last === undefined ? undefined : within[last], list, lanes) + perRow
  const beside = vectorCost(best === undefined ? undefined : rows[best], list, lanes)
  if (best !== undefined && beside < across)
    return { mode: 'beside', rows: without(rows, best), inner: within, vector: rows[best] as Axis }
  const vector = last === undefined ? { size: 1, strides: still } : (within[last] as Axis)
  return { mode: 'across', rows, inner: last === undefined ? [] : without(within, last), vector }
}

export const reduceKernel = (launch: ReduceLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { body, folds, outputs, outer, inner } = launch
  const gathered = accesses(dtypeOf)
  const operands = launch.operands.map(gathered.operand)
  const targets = outputs.map(({ target }) => gathered.view(target))
  const position = folds.some(isPosition)
    ? gathered.position({ strides: [...outer.map(() => 0), ...contiguous(inner)], offset: 0 })
    : undefined
  const { slots } = gathered
  const lanes = usesDouble(body, gathered.list) ? 2 : 4
  const count = inner.reduce((n, size) => n * size, 1)
  const roots = [...folds.map(({ value }) => value), ...outputs.map(({ value }) => value)]
  const weight = bodyWeight(body, roots) + folds.length
  const shape = shapeOf(launch, gathered.list, targets, lanes)
  const flat = shape.mode === 'beside' && shape.rows.length === 0
  const reads = new Set(
    launch.operands.flatMap((operand) =>
      operand.kind === 'iota' ? [] : [operand.buffer, ...(operand.at ?? []).map(({ index }) => index.buffer)],
    ),
  )
  const rowAxes = shape.mode === 'beside' ? [...shape.rows, shape.vector] : shape.rows
  const innerAxes = shape.mode === 'beside' ? shape.inner : [...shape.inner, shape.vector]
  const changing = (list: readonly Access[]): ((index: number) => boolean) => {
    const known = new Map<number, boolean>()
    const changes = (index: number): boolean => {
      const before = known.get(index)
      if (before !== undefined) return before
      const op = body[index] as ScalarOp
      const found =
        op.op === 'read'
          ? accessLevel(list, operands[op.index] as number, rowAxes, innerAxes) === 2
          : argsOf(op).some(changes)
      known.set(index, found)
      return found
    }
    return changes
  }
  const passes = passesOf(launch, reads, changing(gathered.list), shape.mode === 'across')
  // Each kept value has a row of scratch memory, one vector for every vector of the row.
  const bytes = 16 / lanes
  const rowBytes = Math.ceil((count * bytes) / 64) * 64 + 64
  const wanted = [...new Set(passes.flatMap(({ keeps }) => keeps))]
  const kept = wanted.slice(0, Math.floor(rowScratchBytes / rowBytes))
  const list: Access[] = [...gathered.list]
  const innerSizes = innerAxes.map(({ size }) => size)
  const scratch = new Map(
    kept.map((index, i) => {
      list.push({ origin: 'scratch', dtype: 'float32', strides: [], offset: i * rowBytes, at: [] })
      return [index, list.length - 1]
    }),
  )
  // The scratch rows are walked like any other access, in the order of the inner axes.
  const steps = contiguous(innerSizes).map((stride) => stride * bytes)
  const extended = (axis: Axis, step: number): Axis => ({
    size: axis.size,
    strides: [...axis.strides, ...kept.map(() => step)],
  })
  const axes = {
    rows: shape.rows.map((axis) => extended(axis, 0)),
    inner: shape.inner.map((axis, i) => extended(axis, steps[i] as number)),
    vector: extended(shape.vector, shape.mode === 'across' ? (steps.at(-1) as number) : 0),
  }
  const unroll = unrollFor(weight, shape.vector.size / lanes)
  const outerCount = outer.reduce((n, size) => n * size, 1)
  return {
    key: `reduce ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: flat ? shape.vector.size : countOf(shape.rows),
    grain: flat ? lanes * unroll : 1,
    cost: outerCount * ((count * (2 * list.length + weight)) / (lanes * 6) + 10),
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const kernelValues = values(
        e,
        body,
        operands,
        (operand) => accessLevel(gathered.list, operands[operand] as number, rowAxes, innerAxes),
        1,
        roots,
      )
      const context: Context = {
        e,
        launch,
        list,
        lanes,
        unroll,
        passes,
        position,
        targets,
        scratch,
        values: kernelValues,
        mode: shape.mode,
        ...axes,
        still: list.map(() => 0),
      }
      const pointers = openPointers(e, list)
      const whole = scope(0, siteAt(context, pointers, context.still, new Set()))
      kernelValues.hoist(readsOf(body, roots), whole)
      kernelValues.hoist(withoutFolds(body, roots), whole)
      const [begin, end] = [get(beginParameter), get(endParameter)]
      if (shape.mode === 'across')
        walkRange(e, axes.rows, pointers, begin, end, () => acrossRow(context, pointers, whole))
      else {
        const group =
          (resolved: ReadonlySet<number>) =>
          (step: Step): void =>
            besideRows(context, step, resolved, whole)
        const row = (): void => {
          const { pointers: own, resolved } = resolveIndices(e, list, pointers, [axes.vector, ...axes.inner])
          const vectors = { axis: axes.vector, lanes, unroll }
          if (flat) walkVectorRange(e, vectors, own, begin, end, group(resolved))
          else walkVectors(e, vectors, own, group(resolved))
        }
        if (flat) row()
        else walkRange(e, axes.rows, pointers, begin, end, row)
      }
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}

/** Everything that both ways of walking need. */
interface Context {
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

const siteAt = (
  { list, lanes }: Pick<Context, 'list' | 'lanes'>,
  pointers: Pointers,
  strides: readonly number[],
  resolved: ReadonlySet<number>,
): Site => ({ list, pointers, strides, lanes, shift: 0, count: lanes, resolved })

/** The reads that `roots` need. */
const readsOf = (body: Body, roots: readonly number[]): number[] =>
  [...reachable(body, roots)].filter((index) => (body[index] as ScalarOp).op === 'read')

/** The operations behind `roots` that need no fold. */
const withoutFolds = (body: Body, roots: readonly number[]): number[] => {
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

const passRoots = ({ launch }: Context, { folds, outputs, recalls }: Pass): number[] => [
  ...folds.map((index) => (launch.folds[index] as Fold).value),
  ...outputs.map((index) => (launch.outputs[index] as { value: number }).value),
  ...recalls,
]

const foldersOf = ({ e, launch, lanes }: Context, { folds }: Pass): Folder[] =>
  folds.map((index) => {
    const { op, value } = launch.folds[index] as Fold
    return folder(e, op, (launch.body[value] as ScalarOp).dtype, lanes)
  })

/** One vector of a pass: folds take it in, outputs are written, values are kept. */
const visit = (
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

/** A row in vectors. Many accumulators hide the latency of additions; they are joined at the end of a pass. */
const acrossRow = (context: Context, pointers: Pointers, whole: Scope): void => {
  const { e, launch, list, lanes, unroll, passes, vector, inner, values, still } = context
  const { pointers: own, resolved } = resolveIndices(e, list, pointers, [...inner, vector])
  const row = scope(1, siteAt(context, own, still, resolved), whole)
  const rowRoots = launch.outputs.flatMap(({ over, value }) => (over === 'outer' ? [value] : []))
  values.hoist(
    readsOf(launch.body, [...rowRoots, ...passes.flatMap((pass) => passRoots(context, pass))]),
    row,
  )
  for (const pass of passes) {
    values.hoist(passRoots(context, pass), row)
    const folders = foldersOf(context, pass)
    const sets = Array.from({ length: unroll }, (_, shift) => {
      const accumulators = folders.map((one) => one.start())
      accumulators.forEach((accumulator, i) =>
        folders[i]?.clear(accumulator, e.i32(...[0, 1, 2, 3].map((lane) => lane + shift * lanes))),
      )
      return accumulators
    })
    walk(e, inner, own, (at) =>
      walkVectors(e, { axis: vector, lanes, unroll }, at, ({ pointers: here, vectors, count }) => {
        interleaved(e, vectors, (shift) => {
          const site = { ...siteAt(context, here, vector.strides, resolved), shift, count }
          visit(context, pass, scope(2, site, row), folders, sets[shift] as Accumulator[])
        })
      }),
    )
    const [first, ...others] = sets as [Accumulator[], ...Accumulator[][]]
    pass.folds.forEach((fold, i) => {
      const one = folders[i] as Folder
      // Joined in pairs, so that rounding errors grow with the logarithm only.
      let left = [first[i] as Accumulator, ...others.map((set) => set[i] as Accumulator)]
      while (left.length > 1) {
        const half = left.length / 2
        left.slice(half).forEach((other, j) => one.join(left[j] as Accumulator, other))
        left = left.slice(0, half)
      }
      one.across(first[i] as Accumulator)
      values.setFold(fold, e.keep(one.result(first[i] as Accumulator)), row)
    })
  }
  launch.outputs.forEach(({ over, value }, index) => {
    if (over !== 'outer') return
    const site = { ...siteAt(context, own, still, resolved), count: 1 }
    storeVector(e, site, context.targets[index] as number, values.value(value, row))
  })
}

/** Rows in the lanes of vectors, several vectors beside each other so that whole cache lines are used. */
const besideRows = (context: Context, step: Step, resolved: ReadonlySet<number>, whole: Scope): void => {
  const { e, launch, passes, vector, inner, values } = context
  const { pointers, vectors, count } = step
  const site = { ...siteAt(context, pointers, vector.strides, resolved), count }
  const rows = Array.from({ length: vectors }, (_, shift) => scope(1, { ...site, shift }, whole))
  const rowRoots = launch.outputs.flatMap(({ over, value }) => (over === 'outer' ? [value] : []))
  const needed = readsOf(launch.body, [...rowRoots, ...passes.flatMap((pass) => passRoots(context, pass))])
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
  launch.outputs.forEach(({ over, value }, index) => {
    if (over !== 'outer') return
    for (const row of rows)
      storeVector(e, row.site, context.targets[index] as number, values.value(value, row))
  })
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
