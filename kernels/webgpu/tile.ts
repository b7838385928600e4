/**
 * Tiles: blocks of a view in the memory of a group of threads, from which each thread takes vectors for a block of
 * products that it holds in registers. Matmul and attention are made of them.
 */
import type { BufferId, View } from '../program/index.ts'
import type { Binder, WgslType } from './shader.ts'

/** A block of a view: `size` places across in each of `depth` steps along, the sum's axis. */
export interface Load {
  /** The vectors in the group's memory: those of one step stand side by side. */
  readonly into: string
  readonly view: View
  /** What is added to the address for the batch, like ` + i0 * 12`, and the strides in it. */
  readonly batch: string
  readonly batchStrides: readonly number[]
  readonly across: number
  readonly along: number
  readonly size: number
  readonly depth: number
  /** The first place across, a multiple of four, and the number of places there are. */
  readonly from: string
  readonly limit: number
  /** The first step, a multiple of four, and the number of steps there are. Beyond it the block holds zeros. */
  readonly step: string
  readonly end: number
  readonly type: WgslType
  /** The type of the vectors' numbers in the group's memory. */
  readonly kept: WgslType | 'f16'
}

const whole = (numbers: readonly number[]): boolean => numbers.every((number) => number % 4 === 0)

/** How four neighbours of a view are one vector of the buffer: across, along the sum, or not at all. */
export const vectorsOf = ({
  view,
  batchStrides,
  across,
  along,
  end,
}: Pick<Load, 'view' | 'batchStrides' | 'across' | 'along' | 'end'>): 'across' | 'along' | undefined => {
  if (!whole([view.offset, ...batchStrides])) return undefined
  if (across === 1 && along % 4 === 0) return 'across'
  return along === 1 && across % 4 === 0 && end % 4 === 0 ? 'along' : undefined
}

/** `count` items of work for `threads` threads, `at` being the number of the item. */
const shared = (count: number, threads: number, code: readonly string[]): readonly string[] =>
  Array.from({ length: Math.ceil(count / threads) }, (_, round) => [
    (round + 1) * threads <= count ? '{' : `if (local + ${round * threads}u < ${count}u) {`,
    `let at = local + ${round * threads}u;`,
    ...code,
    '}',
  ]).flat()

/**
 * Loads a block with all threads of the group; whole vectors at once where the view lets us and `written`, the
 * buffers that the kernel writes, leave the buffer alone. Neighbouring threads take what is neighbouring in memory.
 */
export const loadTile = (
  bind: Binder,
  load: Load,
  threads: number,
  isWritten: (id: BufferId) => boolean,
): readonly string[] => {
  const { into, view, batch, across, along, size, depth, from, limit, step, end, type, kept } = load
  const quads = size / 4
  const vectors = isWritten(view.buffer) ? undefined : vectorsOf(load)
  const asKept = (vector: string): string => (kept === type ? vector : `vec4<${kept}>(${vector})`)
  if (vectors === 'along') {
    const source = bind.quads(view.buffer, 'read')
    const row = (n: number): string =>
      `let r${n} = select(vec4<${type}>(), ${source}[(base + ${n * across}) >> 2u], inside);`
    return shared((quads * depth) / 4, threads, [
      `let k = i32(at % ${depth / 4}u) * 4;`,
      `let q = i32(at / ${depth / 4}u);`,
      `let inside = ${step} + k < ${end};`,
      `let base = ${view.offset}${batch} + (${from} + q * 4) * ${across} + ${step} + k;`,
      ...[0, 1, 2, 3].map(row),
      ...['x', 'y', 'z', 'w'].map(
        (part, n) =>
          `${into}[(k + ${n}) * ${quads} + q] = ${asKept(`vec4<${type}>(r0.${part}, r1.${part}, r2.${part}, r3.${part})`)};`,
      ),
    ])
  }
  const alongFirst = vectors === undefined && Math.abs(along) < Math.abs(across)
  const [q, k] = alongFirst ? [`at / ${depth}u`, `at % ${depth}u`] : [`at % ${quads}u`, `at / ${quads}u`]
  const position = [
    `let q = i32(${q});`,
    `let k = i32(${k});`,
    `let first = ${from} + q * 4;`,
    `let inside = ${step} + k < ${end};`,
    `let base = ${view.offset}${batch} + first * ${across} + (${step} + k) * ${along};`,
  ]
  const target = `${into}[k * ${quads} + q]`
  if (vectors === 'across')
    return shared(quads * depth, threads, [
      ...position,
      `${target} = ${asKept(`select(vec4<${type}>(), ${bind.quads(view.buffer, 'read')}[base >> 2u], inside)`)};`,
    ])
  const name = bind.name(view.buffer, 'read')
  const part = (n: number): string =>
    `select(${type}(0), ${name}[base + ${n * across}], inside && first + ${n} < ${limit})`
  return shared(quads * depth, threads, [
    ...position,
    `${target} = ${asKept(`vec4<${type}>(${[0, 1, 2, 3].map(part).join(', ')})`)};`,
  ])
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

/** Registers of one thread: `high` rows of `broad` vectors, named `<name><row>_<vector>`. */
export interface Block {
  readonly name: string
  readonly high: number
  readonly broad: number
  readonly type: WgslType
}

export const zeros = ({ name, high, broad, type }: Block): readonly string[] =>
  upTo(high).flatMap((r) => upTo(broad).map((q) => `var ${name}${r}_${q} = vec4<${type}>();`))

export interface Product {
  readonly block: Block
  /** Two tiles: the array, the vectors of one step, and the first step. */
  readonly left: { readonly tile: string; readonly quads: number; readonly from?: string }
  readonly right: { readonly tile: string; readonly quads: number }
  readonly depth: number
  /** Threads side by side. Those of a row take vectors side by side, so that no two want the same bank at once. */
  readonly across: number
  /** The type of the tiles' numbers in the group's memory. */
  readonly kept: WgslType | 'f16'
}

/** block += left · right over all steps, for the thread at `x`, `y`. */
export const multiplyTiles = ({
  block: { name, high, broad, type },
  left,
  right,
  depth,
  across,
  kept,
}: Product): readonly string[] => {
  const tall = high / 4
  const wide = (vector: string): string => (kept === type ? vector : `vec4<${type}>(${vector})`)
  const first = left.from === undefined ? 'k' : `(k + ${left.from})`
  return [
    `for (var k = 0u; k < ${depth}u; k++) {`,
    ...upTo(tall).map(
      (q) => `let a${q} = ${wide(`${left.tile}[${first} * ${left.quads}u + y * ${tall}u + ${q}u]`)};`,
    ),
    ...upTo(broad).map(
      (q) => `let b${q} = ${wide(`${right.tile}[k * ${right.quads}u + x + ${q * across}u]`)};`,
    ),
    ...upTo(high).flatMap((r) =>
      upTo(broad).map((q) => `${name}${r}_${q} += a${Math.floor(r / 4)}[${r % 4}] * b${q};`),
    ),
    '}',
  ]
}
