/** What works but is hardly meant: told in a sentence, once, to whoever wants to know. */

/** Something worth telling; `text` is written for people. */
export interface Notice {
  readonly tag: 'recompilation'
  readonly operation: string
  readonly text: string
}

export type Reporter = (notice: Notice) => void

let reporter: Reporter = ({ text }) => {
  console.warn(`pullback: ${text}`)
}

/**
 * Directs what the library has to tell beside its results and errors: to a log, or nowhere (`() => {}`). By default it
 * goes to `console.warn`. Gives the reporter before.
 *
 * @example
 * ```ts
 * import { jit, mul, ones } from 'pullback'
 * const told: string[] = []
 * const before = setReporter(({ text }) => told.push(text))
 * const double = jit((x: ReturnType<typeof ones>) => mul(x, 2), { limit: 2 })
 * for (const length of [3, 4, 5]) double(ones([length]))
 * console.log(told[0]?.split('\n')[1]) // => argument 0 is float32[5], before float32[4], float32[3]
 * setReporter(before)
 * ```
 */
export const setReporter = (next: Reporter): Reporter => {
  const before = reporter
  reporter = next
  return before
}

export const report: Reporter = (notice) => {
  reporter(notice)
}
