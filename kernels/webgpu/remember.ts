/**
 * Tiles that were measured, in a file of the user's cache folder, or in the browser's localStorage: engines that are
 * opened later take them.
 */
import { either as E } from 'fp-ts'
import type { TileTable } from './matmul/tile.ts'
import { tiles } from './matmul/tile.ts'

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
 * What `rememberTiles` kept, by device, size and precision: what an engine takes that is given no other `tiles`.
 * Nothing where there is no such file, or one that cannot be read.
 *
 * @example
 * ```ts no-run
 * console.log(Object.keys(rememberedTiles())) // ['NVIDIA H100|1|1024|256|1024', …]
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
