/**
 * Which tile is fastest for which products on which device, measured when asked for. Tiles change the order of sums, so
 * results by rounding alone.
 */
import { either as E } from 'fp-ts'
import type { MatmulLaunch, Program, View } from '../program/index.ts'
import { contiguous, sizeOf } from '../program/index.ts'
import type { WebGpuOptions } from './engine.ts'
import { factorsOf, openWebGpu } from './engine.ts'
import type { Tile, TileTable } from './matmul/tile.ts'
import { tileKey, tilesWithin } from './matmul/tile.ts'

/** A product as large as those that are meant. */
export interface ProductShape {
  readonly batch?: number
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

const launchOf = ({ batch = 1, rows, inner, columns }: ProductShape): MatmulLaunch => {
  const view = (buffer: number, shape: readonly number[]): View => ({
    buffer,
    strides: contiguous(shape),
    offset: 0,
  })
  return {
    kind: 'matmul',
    batch: [batch],
    rows,
    inner,
    columns,
    a: view(0, [batch, rows, inner]),
    b: view(1, [batch, inner, columns]),
    operands: [],
    body: [{ op: 'fold', index: 0, dtype: 'float32' }],
    outputs: [{ target: view(2, [batch, rows, columns]), value: 0 }],
  }
}

const programOf = (launch: MatmulLaunch): Program => ({
  buffers: [
    [...launch.batch, launch.rows, launch.inner],
    [...launch.batch, launch.inner, launch.columns],
    [...launch.batch, launch.rows, launch.columns],
  ].map((shape) => ({ dtype: 'float32', size: sizeOf(shape) })),
  inputs: [0, 1],
  outputs: [2],
  donated: [],
  launches: [launch],
})

/** Milliseconds of each tile, the best of so many runs. */
const runs = 5

/** What is multiplied in: tiles of float16 are half as large, and others may be the fastest. */
export type TuneOptions = Pick<WebGpuOptions, 'matmulPrecision'>

const timeOf = async (launch: MatmulLaunch, options: WebGpuOptions): Promise<number> => {
  const opened = openWebGpu({ software: true, ...options })
  if (E.isLeft(opened)) throw new Error(opened.left)
  const engine = opened.right
  const program = programOf(launch)
  const { profile } = engine.compile(program)
  const given = program.inputs.map((id) => engine.upload(new Float32Array(program.buffers[id]?.size ?? 0)))
  let best = Infinity
  for (let n = 0; profile !== undefined && n < runs; n++) {
    const { outputs, spans } = profile(given)
    for (const { milliseconds } of await spans) best = Math.min(best, milliseconds)
    outputs.forEach(engine.release)
  }
  await engine.close()
  return best
}

/**
 * Measures every tile for these products on the device that is open (`prepareWebGpu`), and gives the fastest by key. A
 * key stands for all products of about that size and precision. What `rememberTiles` is given, engines that are opened
 * on this machine later take by themselves; without it tiles are chosen by size alone, the same everywhere. Rejects
 * with a sentence where there is no device, or none with float16 if that is the precision.
 *
 * @example
 * ```ts no-run
 * import { prepareWebGpu, rememberTiles, tuneTiles, webGpuEngine } from 'pullback/kernels'
 * await prepareWebGpu()
 * rememberTiles(await tuneTiles([{ rows: 1024, inner: 256, columns: 1024 }]))
 * const engine = await webGpuEngine() // takes what was remembered
 * ```
 */
export const tuneTiles = async (
  shapes: readonly ProductShape[],
  { matmulPrecision = 'float32' }: TuneOptions = {},
): Promise<TileTable> => {
  const opened = openWebGpu({ software: true, matmulPrecision })
  if (E.isLeft(opened)) throw new Error(opened.left)
  const { adapter } = opened.right
  const found: Record<string, Tile> = {}
  for (const shape of shapes) {
    const launch = launchOf(shape)
    let best = Infinity
    for (const tile of tilesWithin(adapter.limits.threadsPerGroup)) {
      const milliseconds = await timeOf(launch, { tile, matmulPrecision })
      if (milliseconds < best) found[tileKey(adapter.name, launch, factorsOf(matmulPrecision))] = tile
      best = Math.min(best, milliseconds)
    }
  }
  await opened.right.close()
  return found
}
