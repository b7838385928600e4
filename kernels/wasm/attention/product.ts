/** Products of a block of queries with blocks of keys or values: packing, and strips of scores. */
import { call, get, i32 } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import type { Emitter } from '../emitter.ts'
import { blockColumns, blockRows } from '../gemm.ts'
import { addressOf, overKeys, plus, scratch, strideOf, times } from './context.ts'
import type { Context } from './context.ts'
import { roundUp } from '../../round.ts'
import { keyBlock } from './layout.ts'

/** One packed right side: how it is packed, where it stands, and the bytes of each key in it. */
interface Side {
  readonly pack: (block: Code, steps: Code, into: Code) => Code
  readonly place: number
  readonly bytes: number
}

/** Columns are keys, depth is the width: for the products of rows with keys (or values). */
export const acrossKeys = (context: Context, which: number, width: number, place: number): Side => ({
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
export interface Panels {
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
export const stripTimes = (
  context: Context,
  strip: number,
  panels: Panels,
  into: Code,
  stride: number,
  adds: Code,
): void => {
  const { e, layout, height, limit, block, steps } = context
  const target = e.keep(into, 'i32')
  overKeys(context, get(limit), () => {
    if (!layout.keeps) packPanels(context, panels)
    const left = plus(scratch(layout.strips[strip] as number), times(get(block), 4))
    for (let panel = 0; panel * blockColumns < panels.width; panel++)
      multiply(e, {
        rows: get(height),
        columns: i32.const(Math.min(blockColumns, panels.width - panel * blockColumns)),
        depth: get(steps),
        left: [left, layout.stride, 4],
        right: panelAt(context, panels, panel),
        into: plus(target, i32.const(4 * blockColumns * panel)),
        stride: i32.const(stride),
        adds,
      })
  })
}

const placeOf = ({ layout, block }: Context, { place, bytes }: Side): Code =>
  layout.keeps ? plus(scratch(place), times(get(block), bytes)) : scratch(place)

/** Packs the keys that are walked, where they are kept. */
export const packBatch = (context: Context, sides: readonly Side[], panels: Panels): void => {
  if (!context.layout.keeps) return
  overKeys(context, get(context.stop), () => {
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

interface Product {
  readonly rows: Code
  readonly columns: Code
  readonly depth: Code
  /** Where the rows stand, and the bytes from one to the next across and along them. */
  readonly left: readonly [at: Code, across: number, along: number]
  readonly right: Code
  readonly into: Code
  readonly stride: Code
  readonly adds: Code
}

/** The product of rows, read where they stand, with a packed right side. */
export const multiply = (
  e: Emitter,
  { rows, columns, depth, left, right, into, stride, adds }: Product,
): void => {
  const [at, across, along] = left
  const strides = [across, along, blockRows * across].map((bytes) => i32.const(bytes))
  e.push(call(e.gemm('multiply'), rows, columns, depth, at, ...strides, right, into, stride, adds))
}

/** strip = rows of a named view times the keys' side, for all keys that the block sees. */
export const stripOf = (context: Context, which: number, width: number, side: Side, strip: number): void => {
  const { e, layout, row, height, limit, block, steps } = context
  const left = e.keep(addressOf(context, which, get(row)), 'i32')
  // Rounded up to whole vectors: what is packed beyond is zeros or other keys, and the strip has room.
  const whole = i32.and(plus(get(steps), i32.const(blockColumns - 1)), i32.const(-blockColumns))
  overKeys(context, get(limit), () =>
    multiply(e, {
      rows: get(height),
      columns: whole,
      depth: i32.const(width),
      left: [left, strideOf(context, which, 0), strideOf(context, which, 1)],
      right: sideHere(context, side),
      into: plus(scratch(layout.strips[strip] as number), times(get(block), 4)),
      stride: i32.const(layout.stride),
      adds: i32.const(0),
    }),
  )
}
