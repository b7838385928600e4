/** Which engine runs: the one named by the caller, else by PULLBACK_ENGINE, else the best that works here. */
import { either as E } from 'fp-ts'
import type { Engine } from './engine.ts'
import type { EngineRow } from './registry.ts'
import { engines } from './registry.ts'

/** An engine that was thought of. */
export interface Candidate {
  readonly name: string
  readonly outcome: 'chosen' | 'unavailable' | 'not tried'
  /** What runs, why it cannot run here, or why it was not tried. */
  readonly reason: string
}

export interface EngineChoice {
  readonly engine: Engine
  /** As it could be named, like `gpujs:cpu`. */
  readonly name: string
  readonly why: string
  readonly candidates: readonly Candidate[]
}

/** An engine asked for by name, and by whom. */
interface Request {
  readonly row: EngineRow
  readonly variant: string | undefined
  readonly name: string
  readonly why: string
}

/**
 * The value of PULLBACK_ENGINE, where there is an environment.
 *
 * @example
 * ```ts
 * import { engineFromEnvironment } from 'pullback/kernels'
 * console.log(typeof engineFromEnvironment()) // => undefined
 * ```
 */
export const engineFromEnvironment = (): string | undefined => {
  const { process } = globalThis as { readonly process?: NodeJS.Process }
  return process?.env?.['PULLBACK_ENGINE'] || undefined
}

const parse = (name: string, why: string, rows: readonly EngineRow[]): E.Either<string, Request> => {
  const [base = '', variant, ...more] = name.split(':')
  const row = rows.find((one) => one.name === base)
  const known = rows.map((one) => one.name).join(', ')
  if (row === undefined) return E.left(`engine: there is no engine ${name} (${why}), there are ${known}`)
  if (variant === undefined) return E.right({ row, variant, name, why })
  if (more.length === 0 && row.variants.includes(variant)) return E.right({ row, variant, name, why })
  const variants = row.variants.length === 0 ? 'none' : row.variants.join(', ')
  return E.left(`engine: ${base} has no variant ${[variant, ...more].join(':')} (${why}), it has ${variants}`)
}

const requestOf = (
  named: string | undefined,
  rows: readonly EngineRow[],
): E.Either<string, Request> | undefined => {
  if (named !== undefined) return parse(named, 'named by the caller', rows)
  const variable = engineFromEnvironment()
  return variable === undefined ? undefined : parse(variable, 'named by PULLBACK_ENGINE', rows)
}

const isTried = (row: EngineRow, request: Request | undefined): boolean =>
  request === undefined ? row.automatic : row === request.row

const notTried = (row: EngineRow, request: Request | undefined): Candidate => ({
  name: row.name,
  outcome: 'not tried',
  reason:
    request !== undefined
      ? `${request.name} was ${request.why}`
      : row.automatic
        ? 'one before it works'
        : 'taken only by name',
})

/** What the tries so far come to; `undefined` while there is another to make. */
const settle = (
  opened: ReadonlyMap<EngineRow, E.Either<string, Engine>>,
  request: Request | undefined,
  rows: readonly EngineRow[],
): E.Either<string, EngineChoice> | undefined => {
  const found = [...opened].find(([, engine]) => E.isRight(engine))
  const left = rows.some((row) => isTried(row, request) && !opened.has(row))
  if (found === undefined && left) return undefined
  if (found === undefined) {
    const reasons = [...opened].map(([, engine]) => (E.isLeft(engine) ? engine.left : '')).join('; ')
    return E.left(
      request === undefined ? `engine: none works here: ${reasons}` : `${reasons} (${request.why})`,
    )
  }
  const [chosen, right] = found as [EngineRow, E.Right<Engine>]
  const candidates = rows.map((row): Candidate => {
    const tried = opened.get(row)
    if (tried === undefined) return notTried(row, request)
    return E.isLeft(tried)
      ? { name: row.name, outcome: 'unavailable', reason: tried.left }
      : { name: request?.name ?? row.name, outcome: 'chosen', reason: tried.right.detail }
  })
  return E.right({
    engine: right.right,
    name: request?.name ?? chosen.name,
    why: request?.why ?? 'the best that works here',
    candidates,
  })
}

const none = (): E.Either<string, EngineChoice> => E.left('engine: there are no engines to choose from')

/**
 * Opens an engine: `named` (a name like `wasm` or `gpujs:cpu`), else the one that the environment variable
 * PULLBACK_ENGINE names, else the first of `rows` that works here. Left with a sentence when the named engine
 * is unknown or not available: nothing falls back to another one. The choice tells what was tried and why.
 *
 * @example
 * const choice = chooseEngine('gpujs:cpu')
 * console.log(choice._tag === 'Right' && choice.right.why) // named by the caller
 */
export const chooseEngine = (
  named?: string,
  rows: readonly EngineRow[] = engines,
): E.Either<string, EngineChoice> => {
  const requested = requestOf(named, rows)
  if (requested !== undefined && E.isLeft(requested)) return requested
  const request = requested?.right
  const opened = new Map<EngineRow, E.Either<string, Engine>>()
  for (const row of rows) {
    if (!isTried(row, request)) continue
    opened.set(row, row.open(request?.variant))
    const settled = settle(opened, request, rows)
    if (settled !== undefined) return settled
  }
  return none()
}

/**
 * `chooseEngine` where engines have to be loaded first, as gpu.js has in a browser.
 *
 * @example
 * ```ts
 * import { chooseEngineAsync } from 'pullback/kernels'
 * const choice = await chooseEngineAsync('gpujs:cpu')
 * console.log(choice._tag === 'Right' && choice.right.engine.name) // => gpujs
 * ```
 */
export const chooseEngineAsync = async (
  named?: string,
  rows: readonly EngineRow[] = engines,
): Promise<E.Either<string, EngineChoice>> => {
  const requested = requestOf(named, rows)
  if (requested !== undefined && E.isLeft(requested)) return requested
  const request = requested?.right
  const opened = new Map<EngineRow, E.Either<string, Engine>>()
  for (const row of rows) {
    if (!isTried(row, request)) continue
    opened.set(row, await openPrepared(row, request?.variant))
    const settled = settle(opened, request, rows)
    if (settled !== undefined) return settled
  }
  return none()
}

/** Opens the engine of a row after what it has to await. */
export const openPrepared = async (
  row: EngineRow,
  variant: string | undefined,
): Promise<E.Either<string, Engine>> => {
  try {
    await row.prepare?.()
  } catch (error) {
    return E.left(`${row.name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
  return row.open(variant)
}
