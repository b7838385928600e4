/**
 * Attention, a block of queries at a time: their scores stand in a strip of the thread's scratch memory, [rows ×
 * keys], are turned into weights there and used at once. Products are those of gemm.ts; keys and values are packed
 * once for each batch where they fit. Memory is linear in the length, and so is what leaves the cache.
 */
import type { Dtype } from '../dtype.ts'
import type {
  AttentionGradientLaunch,
  AttentionLaunch,
  BufferId,
  Operand,
  Strided,
  View,
} from '../program.ts'
import { sizeOf } from '../program.ts'
import type { Code } from './code.ts'
import { call, choose, f32x4, get, globalGet, i32, i32x4, set, shuffle32, v128, when } from './code.ts'
import type { Emitter } from './emitter.ts'
import { emitter } from './emitter.ts'
import { blockColumns, blockRows, upTo } from './gemm.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers, usesDouble } from './kernel.ts'
import { accessLevel, bodyWeight } from './map.ts'
import { exp, expOfNegative, log } from './math.ts'
import type { Site } from './memory.ts'
import { batchOffset } from './nest.ts'
import type { Scope, Values } from './scope.ts'
import { scope, values } from './scope.ts'
import {
  packedColumnBytes,
  packedColumnsAt,
  packedRowFloats,
  packedRowsAt,
  sumFloats,
  sumsAt,
} from './scratch.ts'
import type { Access, Axis } from './space.ts'
import { accesses, axesOf } from './space.ts'

type Launch = AttentionLaunch | AttentionGradientLaunch

/** Keys that are packed and multiplied at once. */
const keyBlock = 256

const roundUp = (n: number, step: number): number => Math.ceil(n / step) * step

/** Where everything stands in scratch memory, and how many queries go together. */
interface Layout {
  readonly rows: number
  /** Bytes from one row of a strip to the next. */
  readonly stride: number
  /** Addresses of strips of scores. */
  readonly strips: readonly number[]
  /** Addresses of the packed keys (as columns), values, and keys as rows of a product's right side. */
  readonly keys: number
  readonly values: number
  readonly keyRows: number
  /** Columns of the block of queries. */
  readonly columns: number
  /** Whether packed parts hold all blocks of keys, or are packed again for each block of queries. */
  readonly keeps: boolean
}

const layoutOf = ({ kind, queries, keys, width, valueWidth, causal }: Launch): Layout | undefined => {
  const gradient = kind === 'attentionGradient'
  const stride = 4 * roundUp(Math.max(1, keys), blockColumns)
  const whole = roundUp(keys, keyBlock)
  const [wide, valueWide] = [roundUp(width, blockColumns), roundUp(valueWidth, blockColumns)]
  // The right sides of the products: q·k and the weights' with the values forwards; the gradient's three.
  const packed = (count: number): readonly number[] =>
    gradient
      ? [count * width * 4, count * valueWidth * 4, count * wide * 4]
      : [count * width * 4, count * valueWide * 4, 0]
  const total = (parts: readonly number[]): number =>
    parts.reduce((sum, bytes) => sum + roundUp(bytes, 64), 0)
  const keeps = total(packed(whole)) <= packedColumnBytes / 2
  const parts = packed(keeps ? whole : keyBlock)
  // What a block of queries needs besides: its own columns, where the gradient multiplies by them.
  const columns = gradient ? 4 * 64 * Math.max(wide, valueWide) : 0
  const room = packedColumnBytes - total(parts) - columns - 256
  const count = gradient ? 2 : 1
  // Shorter blocks leave out more of what lies ahead of each query; longer ones multiply faster.
  const wanted = causal === undefined ? 60 : gradient ? 42 : 30
  const fits = Math.min(
    blockRows * Math.floor(room / (count * stride * blockRows)),
    Math.floor(packedRowFloats / Math.max(1, width, valueWidth, keyBlock)),
    Math.max(12, Math.floor(2 ** 18 / stride)),
  )
  const rows = Math.min(wanted, queries, fits >= blockRows ? fits - (fits % blockRows) : fits)
  const sums = roundUp(Math.max(1, rows), blockRows) * valueWide * 4
  if (queries > 0 && rows < 1) return undefined
  if (sums + 16 * rows > 4 * sumFloats || width > packedRowFloats || valueWidth > packedRowFloats)
    return undefined
  const places = [
    ...parts,
    columns,
    ...new Array<number>(count).fill(roundUp(rows, blockRows) * stride),
  ].reduce<number[]>(
    (list, bytes) => [...list, (list.at(-1) as number) + roundUp(bytes, 64)],
    [packedColumnsAt],
  )
  const [keysAt, valuesAt, keyRowsAt, columnsAt] = places as [number, number, number, number]
  return {
    rows,
    stride,
    keys: keysAt,
    values: valuesAt,
    keyRows: keyRowsAt,
    columns: columnsAt,
    strips: places.slice(4, 4 + count),
    keeps,
  }
}

/** Whether vectors along keys are plain loads, whatever the operand. */
const walksPlainly = (operand: Operand, axis: number): boolean =>
  operand.kind === 'iota' ||
  (operand.at === undefined && (operand.strides[axis] === 0 || operand.strides[axis] === 1))

const sideBySide = ({ strides }: Strided, size: number): boolean => size <= 1 || strides.at(-1) === 1

/** The kernel; `undefined` where views or sizes are none that it knows, and JavaScript does it. */
export const attentionKernel = (launch: Launch, dtypeOf: (id: BufferId) => Dtype): Kernel | undefined => {
  const { kind, batch, queries, keys, width, valueWidth, operands, body } = launch
  const lead = batch.length
  const layout = layoutOf(launch)
  const direct: readonly (readonly [View, number])[] =
    kind === 'attention'
      ? [[launch.output, valueWidth]]
      : [
          [launch.queryGradient, width],
          [launch.keyGradient, width],
          [launch.valueGradient, valueWidth],
        ]
  if (
    layout === undefined ||
    dtypeOf(launch.query.buffer) !== 'float32' ||
    !operands.every((operand) => walksPlainly(operand, lead + 1)) ||
    !direct.every(([view, size]) => sideBySide(view, size))
  )
    return undefined
  const gathered = accesses(dtypeOf)
  const ids = operands.map(gathered.operand)
  const view = gathered.view
  const named =
    launch.kind === 'attention'
      ? [launch.query, launch.key, launch.value, launch.output, launch.total].map(view)
      : [
          launch.query,
          launch.key,
          launch.value,
          launch.cotangent,
          launch.total,
          launch.delta,
          launch.queryGradient,
          launch.keyGradient,
          launch.valueGradient,
        ].map(view)
  const { list, slots } = gathered
  if (usesDouble(body, list)) return undefined
  const count = sizeOf(batch)
  const blocks = Math.ceil(queries / Math.max(1, layout.rows))
  const forwards = launch.kind === 'attention'
  const roots = launch.factor === undefined ? [launch.score] : [launch.score, launch.factor]
  const products = forwards ? width + valueWidth : 3 * width + 2 * valueWidth
  const share = launch.causal === undefined ? 1 : 0.6
  return {
    key: `${kind} ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: forwards ? count * blocks : queries + keys === 0 ? 0 : count,
    grain: 1,
    cost: count * queries * keys * share * ((2 * products) / 40 + (60 + bodyWeight(body, roots)) / 24),
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const context: Context = { e, launch, layout, list, ids, named, roots, ...localsOf(e, lead) }
      openBatch(context)
      if (launch.kind === 'attention') forward(context, launch, blocks)
      else backward(context, launch)
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}

interface Locals {
  readonly unit: number
  /** The batch whose parts are packed, -1 at first. */
  readonly packed: number
  readonly coordinates: readonly number[]
  /** The first query of the block, how many there are, and how many keys the last of them sees. */
  readonly row: number
  readonly height: number
  readonly limit: number
  readonly line: number
  readonly seen: number
  readonly at: number
  readonly block: number
  readonly steps: number
}

interface Context extends Locals {
  readonly e: Emitter
  readonly launch: Launch
  readonly layout: Layout
  readonly list: readonly Access[]
  /** The accesses of the operands, and of query, key, value, … */
  readonly ids: readonly number[]
  readonly named: readonly number[]
  readonly roots: readonly number[]
  pointers?: readonly number[]
}

const localsOf = (e: Emitter, lead: number): Locals => {
  const local = (): number => e.local('i32')
  return {
    unit: local(),
    packed: local(),
    coordinates: Array.from({ length: lead }, local),
    row: local(),
    height: local(),
    limit: local(),
    line: local(),
    seen: local(),
    at: local(),
    block: local(),
    steps: local(),
  }
}

const openBatch = (context: Context): void => {
  context.pointers = openPointers(context.e, context.list)
}

const scratch = (offset: number): Code => i32.add(globalGet(0), i32.const(offset))
const plus = (a: Code, b: Code): Code => i32.add(a, b)
const times = (a: Code, n: number): Code => (n === 0 ? i32.const(0) : i32.mul(a, i32.const(n)))
const smaller = (a: Code, b: Code): Code => choose(i32.ltS(a, b), a, b)
const larger = (a: Code, b: Code): Code => choose(i32.gtS(a, b), a, b)

/** The bytes from one place to the next along axis 0 (rows) or 1 (columns) of a named view. */
const strideOf = ({ list, named, launch }: Context, which: number, axis: 0 | 1): number =>
  (list[named[which] as number] as Access).strides[launch.batch.length + axis] as number

/** The address of a named view in this batch, at a row. */
const addressOf = (context: Context, which: number, row: Code): Code => {
  const { list, named, launch, coordinates, pointers } = context
  const id = named[which] as number
  const offset = batchOffset(coordinates, axesOf(launch.batch, list), id)
  return plus(plus(get(pointers?.[id] as number), offset), times(row, strideOf(context, which, 0)))
}

/** Splits the number of a batch, in `place`, into its coordinates. */
const setCoordinates = ({ e, launch, coordinates }: Context, place: Code): void => {
  const rest = e.local('i32')
  e.push(set(rest, place))
  for (let axis = launch.batch.length - 1; axis >= 0; axis--) {
    const size = i32.const(launch.batch[axis] as number)
    e.push(set(coordinates[axis] as number, i32.remU(get(rest), size)), set(rest, i32.divU(get(rest), size)))
  }
}

/** Sets height and limit of the block of queries that begins at `row`. */
const setBlock = ({ e, launch, layout, row, height, limit }: Context): void => {
  const { queries, keys, causal } = launch
  e.push(set(height, smaller(i32.const(layout.rows), i32.sub(i32.const(queries), get(row)))))
  const ahead = plus(plus(get(row), get(height)), i32.const(causal ?? 0))
  e.push(
    set(
      limit,
      causal === undefined ? i32.const(keys) : larger(i32.const(0), smaller(i32.const(keys), ahead)),
    ),
  )
}

/** Walks blocks of keys below `end`: the first key is in `block`, their number in `steps`. */
const overKeys = ({ e, block, steps }: Context, end: Code, body: () => void): void => {
  e.push(set(block, i32.const(0)))
  upTo(e, block, end, i32.const(keyBlock), () => {
    e.push(set(steps, smaller(i32.const(keyBlock), i32.sub(end, get(block)))))
    body()
  })
}

/** One packed right side: how it is packed, where it stands, and the bytes of each key in it. */
interface Side {
  readonly pack: (block: Code, steps: Code, into: Code) => Code
  readonly place: number
  readonly bytes: number
}

/** Columns are keys, depth is the width: for the products of rows with keys (or values). */
const acrossKeys = (context: Context, which: number, width: number, place: number): Side => ({
  place,
  bytes: 4 * width,
  pack: (block, steps, into) =>
    call(
      context.e.gemm('packColumns'),
      addressOf(context, which, block),
      i32.const(strideOf(context, which, 0)),
      i32.const(strideOf(context, which, 1)),
      steps,
      i32.const(width),
      into,
    ),
})

/**
 * Columns are the width, depth is keys: for the products of weights with values (or keys). Each panel of columns
 * holds all its keys in a row, so that a product may end at any key.
 */
interface Panels {
  readonly which: number
  readonly width: number
  readonly place: number
}

const panelBytes = ({ layout, launch }: Context): number =>
  4 * blockColumns * (layout.keeps ? roundUp(launch.keys, keyBlock) : keyBlock)

const panelAt = (context: Context, { place }: Panels, panel: number): Code => {
  const start = scratch(place + panel * panelBytes(context))
  return context.layout.keeps ? plus(start, times(get(context.block), 4 * blockColumns)) : start
}

const packPanels = (context: Context, panels: Panels): void => {
  const { e, block, steps } = context
  const across = strideOf(context, panels.which, 1)
  for (let panel = 0; panel * blockColumns < panels.width; panel++)
    e.push(
      call(
        e.gemm('packColumns'),
        plus(addressOf(context, panels.which, get(block)), i32.const(panel * blockColumns * across)),
        i32.const(across),
        i32.const(strideOf(context, panels.which, 0)),
        i32.const(Math.min(blockColumns, panels.width - panel * blockColumns)),
        get(steps),
        panelAt(context, panels, panel),
      ),
    )
}

/** into += a strip times the panels, for all keys that the block of queries sees. */
const stripTimes = (
  context: Context,
  strip: number,
  panels: Panels,
  into: Code,
  stride: number,
  adds: Code,
  rows: Code = get(context.height),
): void => {
  const { e, layout, height, limit, block, steps } = context
  const target = e.keep(into, 'i32')
  overKeys(context, get(limit), () => {
    if (!layout.keeps) packPanels(context, panels)
    const left = plus(scratch(layout.strips[strip] as number), times(get(block), 4))
    e.push(packRows(e, left, i32.const(layout.stride), i32.const(4), get(height), get(steps)))
    for (let panel = 0; panel * blockColumns < panels.width; panel++)
      multiply(e, {
        rows,
        columns: i32.const(Math.min(blockColumns, panels.width - panel * blockColumns)),
        depth: get(steps),
        right: panelAt(context, panels, panel),
        into: plus(target, i32.const(4 * blockColumns * panel)),
        stride: i32.const(stride),
        adds,
      })
  })
}

const placeOf = ({ layout, block }: Context, { place, bytes }: Side): Code =>
  layout.keeps ? plus(scratch(place), times(get(block), bytes)) : scratch(place)

/** Packs all keys of a batch, where they are kept. */
const packBatch = (context: Context, sides: readonly Side[], panels: Panels): void => {
  if (!context.layout.keeps) return
  overKeys(context, i32.const(context.launch.keys), () => {
    for (const side of sides)
      context.e.push(side.pack(get(context.block), get(context.steps), placeOf(context, side)))
    packPanels(context, panels)
  })
}

/** The packed block of keys, packed now where nothing is kept. */
const sideHere = (context: Context, side: Side): Code => {
  if (!context.layout.keeps)
    context.e.push(side.pack(get(context.block), get(context.steps), scratch(side.place)))
  return placeOf(context, side)
}

const packRows = (e: Emitter, source: Code, across: Code, along: Code, width: Code, depth: Code): Code =>
  call(e.gemm('packRows'), source, across, along, width, depth, scratch(packedRowsAt))

interface Product {
  readonly rows: Code
  readonly columns: Code
  readonly depth: Code
  readonly right: Code
  readonly into: Code
  readonly stride: Code
  readonly adds: Code
}

/** The product of the rows that are packed with a packed right side. */
const multiply = (e: Emitter, { rows, columns, depth, right, into, stride, adds }: Product): void =>
  e.push(call(e.gemm('multiply'), rows, columns, depth, scratch(packedRowsAt), right, into, stride, adds))

/** Rounded up to whole register blocks: what is packed beyond is zeros or other keys, and the strip has room. */
const wholeBlocks = (count: Code, size: number): Code =>
  times(i32.divU(plus(count, i32.const(size - 1)), i32.const(size)), size)

/** strip = rows of a named view times the keys' side, for all keys that the block sees. */
const stripOf = (context: Context, which: number, width: number, side: Side, strip: number): void => {
  const { e, layout, row, height, limit, block, steps } = context
  const [across, along] = [strideOf(context, which, 0), strideOf(context, which, 1)]
  e.push(
    packRows(
      e,
      addressOf(context, which, get(row)),
      i32.const(across),
      i32.const(along),
      get(height),
      i32.const(width),
    ),
  )
  overKeys(context, get(limit), () =>
    multiply(e, {
      rows: wholeBlocks(get(height), blockRows),
      columns: wholeBlocks(get(steps), blockColumns),
      depth: i32.const(width),
      right: sideHere(context, side),
      into: plus(scratch(layout.strips[strip] as number), times(get(block), 4)),
      stride: i32.const(layout.stride),
      adds: i32.const(0),
    }),
  )
}

/** What computes scores and factors in a strip. */
interface Expressions {
  readonly list: readonly Access[]
  readonly along: Axis
  readonly down: Axis
  readonly values: Values
  readonly whole: Scope
  readonly site: Site
  /** The pointers of operands at the line, moved from line to line. */
  readonly own: readonly number[]
}

/** Operands at the first line of the block of queries. */
const expressionsOf = (context: Context): Expressions => {
  const { e, launch, list: all, ids, roots, row, coordinates, pointers } = context
  const { batch, queries, keys, body } = launch
  // Only operands move along queries and keys.
  const list = all.map((access, id) =>
    ids.includes(id) ? access : { ...access, strides: access.strides.map(() => 0) },
  )
  const [down, along] = axesOf([queries, keys], list, batch.length) as [Axis, Axis]
  const batchAxes = axesOf(batch, all)
  const own = (pointers as readonly number[]).map((pointer, id) => {
    if (!ids.includes(id)) return pointer
    const moved = e.local('i32')
    const offset = batchOffset(coordinates, batchAxes, id)
    e.push(set(moved, plus(plus(get(pointer), offset), times(get(row), down.strides[id] as number))))
    return moved
  })
  const level = (operand: number): 0 | 1 | 2 =>
    accessLevel(list, ids[operand] as number, [...batchAxes, down], [along])
  const kernelValues = values(e, body, ids, level, 2, roots)
  const still = list.map(() => 0)
  const site: Site = {
    list,
    pointers: own,
    strides: still,
    lanes: 4,
    shift: 0,
    count: 4,
    resolved: new Set(),
  }
  const whole = scope(0, site)
  kernelValues.hoist(roots, whole)
  return { list, along, down, values: kernelValues, whole, site, own }
}

/** Lanes of the vector at key `at` that the query sees. */
const inside = ({ e, at, seen }: Context): Code =>
  e.keep(i32x4.ltS(i32x4.add(i32x4.splat(get(at)), e.i32(0, 1, 2, 3)), i32x4.splat(get(seen))))

/** Runs `body` for each query of the block, `line` counting them and `seen` the keys that it looks at. */
const overLines = (context: Context, expressions: Expressions, body: (row: Scope) => void): void => {
  const { e, launch, row, height, line, seen, roots } = context
  const { keys, causal } = launch
  const { own, down, site, whole, values: kernelValues } = expressions
  e.push(set(line, i32.const(0)))
  upTo(e, line, get(height), i32.const(1), () => {
    const ahead = plus(plus(get(row), get(line)), i32.const((causal ?? 0) + 1))
    e.push(
      set(
        seen,
        causal === undefined ? i32.const(keys) : larger(i32.const(0), smaller(i32.const(keys), ahead)),
      ),
    )
    const rowScope = scope(1, site, whole)
    kernelValues.hoist(roots, rowScope)
    body(rowScope)
    own.forEach((pointer, id) => {
      const step = down.strides[id] as number
      if (step !== 0) e.push(set(pointer, plus(get(pointer), i32.const(step))))
    })
  })
}

/** Walks the keys that the query sees in vectors; `visit` gets a scope for operands there. */
const overVectors = (
  context: Context,
  { along, values: kernelValues, site, own }: Expressions,
  row: Scope,
  visit: (at: Scope, kernelValues: Values) => void,
): void => {
  const { e, at, seen } = context
  const moving = own.map((pointer, id) => {
    if (along.strides[id] === 0) return pointer
    const copy = e.local('i32')
    e.push(set(copy, get(pointer)))
    return copy
  })
  e.push(set(at, i32.const(0)))
  upTo(e, at, get(seen), i32.const(4), () => {
    visit(scope(2, { ...site, pointers: moving, strides: along.strides }, row), kernelValues)
    moving.forEach((pointer, id) => {
      const stride = along.strides[id] as number
      if (stride !== 0) e.push(set(pointer, plus(get(pointer), i32.const(4 * stride))))
    })
  })
}

/** Zeros from the last vector that the query sees to the last that the block sees. */
const clearRest = ({ e, at, seen, limit }: Context, strips: readonly number[]): void => {
  e.push(set(at, i32.and(plus(get(seen), i32.const(3)), i32.const(-4))))
  upTo(e, at, get(limit), i32.const(4), () => {
    for (const strip of strips) e.push(v128.store(plus(get(strip), times(get(at), 4)), e.f32(0)))
  })
}

/** The lanes of a vector joined by `join`; every lane of the result has it. */
const joined = (e: Emitter, vector: Code, join: (a: Code, b: Code) => Code): Code => {
  const one = e.keep(vector)
  const two = e.keep(join(one, shuffle32(one, one, [2, 3, 0, 1])))
  return e.keep(join(two, shuffle32(two, two, [1, 0, 3, 2])))
}

const forward = (context: Context, launch: AttentionLaunch, blocks: number): void => {
  const { e, layout, unit, packed, row, height, line, at, block } = context
  const { width, valueWidth, score, factor } = launch
  const [query, key, value, output, total] = [0, 1, 2, 3, 4] as const
  const keySide = acrossKeys(context, key, width, layout.keys)
  const values: Panels = { which: value, width: valueWidth, place: layout.values }
  const wide = 4 * roundUp(valueWidth, blockColumns)
  e.push(set(packed, i32.const(-1)), set(unit, get(beginParameter)))
  upTo(e, unit, get(endParameter), i32.const(1), () => {
    const place = e.keep(i32.divU(get(unit), i32.const(blocks)), 'i32')
    setCoordinates(context, place)
    e.push(set(row, times(i32.remU(get(unit), i32.const(blocks)), layout.rows)))
    setBlock(context)
    const fresh = e.capture(() => {
      packBatch(context, [keySide], values)
      e.push(set(packed, place))
    })
    e.push(when(i32.ne(get(packed), place), fresh))
    stripOf(context, query, width, keySide, 0)
    const expressions = expressionsOf(context)
    const strip = e.local('i32')
    const rest = e.local('v128')
    const [peak, sum] = [e.local('v128'), e.local('v128')]
    const scale = e.f32(launch.scale)
    // The parts of each query that its row of the product is divided by stand behind the sums.
    const inverses = sumsAt + roundUp(layout.rows, blockRows) * wide
    overLines(context, expressions, (rowScope) => {
      e.push(set(strip, plus(scratch(layout.strips[0] as number), times(get(line), layout.stride))))
      const here = (): Code => plus(get(strip), times(get(at), 4))
      e.push(set(peak, e.f32(-Infinity)), set(sum, e.f32(0)))
      overVectors(context, expressions, rowScope, (scoped, kernelValues) => {
        kernelValues.setFold(0, e.keep(f32x4.mul(v128.load(here()), scale)), scoped)
        const masked = v128.select(kernelValues.value(score, scoped), e.f32(-Infinity), inside(context))
        e.push(set(rest, masked), v128.store(here(), get(rest)), set(peak, f32x4.pmax(get(peak), get(rest))))
      })
      const finite = f32x4.pmax(joined(e, get(peak), f32x4.pmax), e.f32(-3.4028234663852886e38))
      e.push(set(peak, finite))
      overVectors(context, expressions, rowScope, (scoped, kernelValues) => {
        e.push(set(rest, expOfNegative(e, e.keep(f32x4.sub(v128.load(here()), get(peak))))))
        e.push(set(sum, f32x4.add(get(sum), get(rest))))
        if (factor === undefined) e.push(v128.store(here(), get(rest)))
        else {
          // Lanes beyond the last key may read anything, even what is no number.
          const weighted = f32x4.mul(get(rest), kernelValues.value(factor, scoped))
          e.push(v128.store(here(), v128.and(weighted, inside(context))))
        }
      })
      const all = joined(e, get(sum), f32x4.add)
      const empty = e.keep(f32x4.eq(all, e.f32(0)))
      const inverse = v128.andnot(f32x4.div(e.f32(1), all), empty)
      e.push(v128.store(plus(scratch(inverses), times(get(line), 16)), inverse))
      const logarithm = v128.andnot(f32x4.add(log(e, all), get(peak)), empty)
      e.push(v128.store32Lane(addressOf(context, total, plus(get(row), get(line))), e.keep(logarithm), 0))
      clearRest(context, [strip])
    })
    // Nothing was seen by the whole block: its sums are zeros.
    e.push(set(at, i32.const(0)))
    upTo(e, at, times(get(height), wide), i32.const(16), () =>
      e.push(v128.store(plus(scratch(sumsAt), get(at)), e.f32(0))),
    )
    stripTimes(
      context,
      0,
      values,
      scratch(sumsAt),
      wide,
      i32.gtS(get(block), i32.const(0)),
      wholeBlocks(get(height), blockRows),
    )
    const [from, to] = [e.local('i32'), e.local('i32')]
    e.push(set(line, i32.const(0)))
    upTo(e, line, get(height), i32.const(1), () => {
      e.push(
        set(from, plus(scratch(sumsAt), times(get(line), wide))),
        set(to, addressOf(context, output, plus(get(row), get(line)))),
        set(rest, v128.load(plus(scratch(inverses), times(get(line), 16)))),
      )
      overWidth(e, at, valueWidth, (count) => {
        const scaled = e.keep(f32x4.mul(v128.load(plus(get(from), get(at))), get(rest)))
        storeSome(e, plus(get(to), get(at)), scaled, count)
      })
    })
  })
}

/** Walks `width` floats in vectors: `at` counts bytes, `visit` gets how many lanes there are. */
const overWidth = (e: Emitter, at: number, width: number, visit: (count: number) => void): void => {
  const whole = 4 * (width - (width % 4))
  e.push(set(at, i32.const(0)))
  if (whole > 0) upTo(e, at, i32.const(whole), i32.const(16), () => visit(4))
  if (width % 4 > 0) visit(width % 4)
}

const storeSome = (e: Emitter, to: Code, value: Code, count: number): void => {
  if (count === 4) e.push(v128.store(to, value))
  else for (let lane = 0; lane < count; lane++) e.push(v128.store32Lane(to, value, lane, 4 * lane))
}

const backward = (context: Context, launch: AttentionGradientLaunch): void => {
  const { e, layout, unit, row, height, limit, line, at, steps, block } = context
  const { queries, keys, width, valueWidth, score, factor } = launch
  const [query, key, value, cotangent, total, delta, queryTarget, keyTarget, valueTarget] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ]
  const keySide = acrossKeys(context, key as number, width, layout.keys)
  const valueSide = acrossKeys(context, value as number, valueWidth, layout.values)
  const keyRows: Panels = { which: key as number, width, place: layout.keyRows }
  const [firstStrip, secondStrip] = layout.strips as [number, number]
  const targets = [
    [queryTarget, queries, width],
    [keyTarget, keys, width],
    [valueTarget, keys, valueWidth],
  ] as readonly (readonly [number, number, number])[]
  const to = e.local('i32')
  e.push(set(unit, get(beginParameter)))
  upTo(e, unit, get(endParameter), i32.const(1), () => {
    setCoordinates(context, get(unit))
    // Every part is added to.
    for (const [which, count, size] of targets) {
      e.push(set(line, i32.const(0)))
      upTo(e, line, i32.const(count), i32.const(1), () => {
        e.push(set(to, addressOf(context, which, get(line))))
        overWidth(e, at, size, (lanes) => storeSome(e, plus(get(to), get(at)), e.f32(0), lanes))
      })
    }
    packBatch(context, [keySide, valueSide], keyRows)
    e.push(set(row, i32.const(0)))
    upTo(e, row, i32.const(queries), i32.const(layout.rows), () => {
      setBlock(context)
      stripOf(context, query as number, width, keySide, 0)
      stripOf(context, cotangent as number, valueWidth, valueSide, 1)
      const expressions = expressionsOf(context)
      const [strip, other] = [e.local('i32'), e.local('i32')]
      const scale = e.f32(launch.scale)
      overLines(context, expressions, (rowScope) => {
        e.push(
          set(strip, plus(scratch(firstStrip), times(get(line), layout.stride))),
          set(other, plus(scratch(secondStrip), times(get(line), layout.stride))),
        )
        const own = plus(get(row), get(line))
        const spread = (which: number): Code => e.keep(v128.load32Splat(addressOf(context, which, own)))
        const [sum, part] = [spread(total as number), spread(delta as number)]
        const place = (pointer: number): Code => plus(get(pointer), times(get(at), 4))
        overVectors(context, expressions, rowScope, (scoped, kernelValues) => {
          kernelValues.setFold(0, e.keep(f32x4.mul(v128.load(place(strip)), scale)), scoped)
          const exponent = e.keep(f32x4.sub(kernelValues.value(score, scoped), sum))
          const lanes = inside(context)
          const weight = e.keep(v128.and(exp(e, exponent), lanes))
          const product = v128.load(place(other))
          const m =
            factor === undefined ? undefined : e.keep(v128.and(kernelValues.value(factor, scoped), lanes))
          const through = m === undefined ? product : f32x4.mul(product, m)
          const change = f32x4.mul(f32x4.mul(weight, f32x4.sub(through, part)), scale)
          const used = m === undefined ? weight : f32x4.mul(weight, m)
          const [first, second] = [e.keep(used), e.keep(v128.and(change, lanes))]
          e.push(v128.store(place(strip), first), v128.store(place(other), second))
        })
        clearRest(context, [strip, other])
      })
      const queryAddress = addressOf(context, queryTarget as number, get(row))
      stripTimes(context, 1, keyRows, queryAddress, strideOf(context, queryTarget as number, 0), i32.const(1))
      const transposedProduct = (strip: number, which: number, size: number, into: number): void => {
        e.push(
          call(
            e.gemm('packColumns'),
            addressOf(context, which, get(row)),
            i32.const(strideOf(context, which, 1)),
            i32.const(strideOf(context, which, 0)),
            i32.const(size),
            get(height),
            scratch(layout.columns),
          ),
        )
        overKeys(context, get(limit), () => {
          const left = plus(scratch(strip), times(get(block), 4))
          e.push(packRows(e, left, i32.const(4), i32.const(layout.stride), get(steps), get(height)))
          multiply(e, {
            rows: get(steps),
            columns: i32.const(size),
            depth: get(height),
            right: scratch(layout.columns),
            into: addressOf(context, into, get(block)),
            stride: i32.const(strideOf(context, into, 0)),
            adds: i32.const(1),
          })
        })
      }
      transposedProduct(secondStrip, query as number, width, keyTarget as number)
      transposedProduct(firstStrip, cotangent as number, valueWidth, valueTarget as number)
    })
  })
}
