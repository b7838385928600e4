/**
 * Which tile is fastest for which products on which device: measured when asked for, remembered in a file of the user's
 * cache folder, or in the browser's localStorage. Tiles change the order of sums, so results by rounding alone.
 */
import { either as E } from 'fp-ts'
import type { MatmulLaunch, Program, View } from '../program/index.ts'
import { contiguous, sizeOf } from '../program/index.ts'
import { openWebGpu } from './engine.ts'
import type { TileTable } from './matmul.ts'
import { tileKey, tiles, tilesWithin } from './matmul.ts'

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

const timeOf = async (launch: MatmulLaunch, tile: (typeof tiles)[number]): Promise<number> => {
  const opened = openWebGpu({ software: true, tile })
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
 * Measures every tile for these products on the device that is open (`prepareWebGpu`), and gives the fastest by key:
 * for `webGpuEngine({ tiles })`. A key stands for all products of about that size. Without a table tiles are chosen by
 * size alone, the same everywhere.
 *
 * @example
 * ```ts no-run
 * import { prepareWebGpu, rememberTiles, tuneTiles, webGpuEngine } from 'pullback/kernels'
 * await prepareWebGpu()
 * const tiles = await tuneTiles([{ rows: 1024, inner: 256, columns: 1024 }])
 * rememberTiles(tiles)
 * const engine = await webGpuEngine({ tiles })
 * ```
 */
export const tuneTiles = async (shapes: readonly ProductShape[]): Promise<TileTable> => {
  const opened = openWebGpu({ software: true })
  if (E.isLeft(opened)) throw new Error(opened.left)
  const { adapter } = opened.right
  const found: Record<string, (typeof tiles)[number]> = {}
  for (const shape of shapes) {
    const launch = launchOf(shape)
    let best = Infinity
    for (const tile of tilesWithin(adapter.limits.threadsPerGroup)) {
      const milliseconds = await timeOf(launch, tile)
      if (milliseconds < best) found[tileKey(adapter.name, launch)] = tile
      best = Math.min(best, milliseconds)
    }
  }
  await opened.right.close()
  return found
}

/** The table that a text holds; what is no known tile is left out. */
const tableOf = (text: string): TileTable => {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return {}
  }
  if (typeof content !== 'object' || content === null) return {}
  return Object.fromEntries(
    Object.entries(content).flatMap(([key, value]) => {
      const tile = tiles.find((one) => JSON.stringify(one) === JSON.stringify(value))
      return tile === undefined ? [] : [[key, tile]]
    }),
  )
}

const surroundings = globalThis as {
  readonly process?: NodeJS.Process
  readonly localStorage?: {
    getItem: (key: string) => string | null
    setItem: (key: string, value: string) => void
  }
}

const inNode = () => {
  const { process } = surroundings
  const [fs, os, path] = [
    process?.getBuiltinModule?.('node:fs'),
    process?.getBuiltinModule?.('node:os'),
    process?.getBuiltinModule?.('node:path'),
  ]
  if (process === undefined || fs === undefined || os === undefined || path === undefined) return undefined
  const folder = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'pullback')
  return { fs, folder, file: path.join(folder, 'tiles.json') }
}

const storedUnder = 'pullback/tiles'

/**
 * What `rememberTiles` kept; nothing where there is no such file, or one that cannot be read.
 *
 * @example
 * ```ts no-run
 * import { webGpuEngine } from 'pullback/kernels'
 * const engine = await webGpuEngine({ tiles: rememberedTiles() })
 * ```
 */
export const rememberedTiles = (): TileTable => {
  const node = inNode()
  try {
    if (node !== undefined) return tableOf(node.fs.readFileSync(node.file, 'utf8'))
    return tableOf(surroundings.localStorage?.getItem(storedUnder) ?? '')
  } catch {
    return {}
  }
}

/**
 * Adds to what is remembered and gives all of it. Left with a sentence where it cannot be written.
 *
 * @example
 * ```ts no-run
 * import { tuneTiles } from 'pullback/kernels'
 * rememberTiles(await tuneTiles([{ rows: 1024, inner: 1024, columns: 1024 }]))
 * ```
 */
export const rememberTiles = (table: TileTable): E.Either<string, TileTable> => {
  const whole = { ...rememberedTiles(), ...table }
  const node = inNode()
  return E.tryCatch(
    () => {
      if (node === undefined) surroundings.localStorage?.setItem(storedUnder, JSON.stringify(whole))
      else {
        node.fs.mkdirSync(node.folder, { recursive: true })
        // Whole or not at all: another process may be reading.
        const next = `${node.file}.${Date.now()}`
        node.fs.writeFileSync(next, JSON.stringify(whole))
        node.fs.renameSync(next, node.file)
      }
      return whole
    },
    (error) =>
      `webgpu: tiles cannot be remembered: ${error instanceof Error ? error.message : String(error)}`,
  )
}
