/** What every job is given: somewhere to speak, and word of Ctrl-C. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { setDefaultEngine } from '../core/index.ts'
import { chooseEngineAsync } from '../kernels/index.ts'
import { outputs, terminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface Context {
  readonly terminal: Terminal
  /** Aborted at the first Ctrl-C, or when nobody listens: finish what you are at, keep what there is, and end. */
  readonly signal: AbortSignal
  /** Stops listening for these. */
  readonly end: () => void
}

/**
 * Listens for Ctrl-C: the first one ends the job in order, the second one at once. A terminal that is closed, and a pipe
 * that nobody reads any more (`| head`), end it in order, too.
 */
export const context = (): Context => {
  const controller = new AbortController()
  const own = terminal()
  const abort = (): void => controller.abort()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130)
    own.say('\nstopping after this step; once more to stop at once')
    abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, interrupt)
  process.on('SIGHUP', abort)
  for (const stream of outputs) stream.on('error', abort)
  const end = (): void => {
    for (const name of signals) process.off(name, interrupt)
    process.off('SIGHUP', abort)
    for (const stream of outputs) stream.off('error', abort)
  }
  return { terminal: own, signal: controller.signal, end }
}

/** Opens the engine that is named, or the best that works here, as the one on which all is computed, and tells which. */
export const useEngine = (
  { terminal: { note } }: Context,
  name: string | undefined,
): TE.TaskEither<string, string> =>
  F.pipe(
    () => chooseEngineAsync(name),
    TE.map(({ engine }) => {
      setDefaultEngine(engine)
      const text = `${engine.name} (${engine.detail})`
      note(`pullback computes on ${text}`)
      return text
    }),
  )

/** Runs a task; a left stays a left. For code that reads better as steps than as a pipe. */
export const steps =
  <A>(
    body: (take: <B>(task: TE.TaskEither<string, B> | E.Either<string, B>) => Promise<B>) => Promise<A>,
  ): TE.TaskEither<string, A> =>
  async () => {
    const take = async <B>(task: TE.TaskEither<string, B> | E.Either<string, B>): Promise<B> => {
      const result = typeof task === 'function' ? await task() : task
      if (E.isLeft(result)) throw new Refusal(result.left)
      return result.right
    }
    try {
      return E.right(await body(take))
    } catch (error) {
      if (error instanceof Refusal) return E.left(error.reason)
      throw error
    }
  }

class Refusal extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}
