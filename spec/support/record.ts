/** What the process of one spec file has to tell the runner. */

export type Skip = { readonly name: string; readonly reason: string }

export type FileResult = {
  readonly passed: number
  readonly failed: number
  /** The failures in words, as they are to be printed. */
  readonly texts: readonly string[]
  readonly skips: readonly Skip[]
}

/** A suite's life as far as the runner must know it. */
export type SuiteRecord = { readonly name: string; unrun: number; focused: number }

/** Everything a spec file does with uvu, gathered while it loads and runs. One per process. */
export const ledger: { readonly suites: SuiteRecord[]; readonly skips: Skip[]; readonly hooks: string[] } = {
  suites: [],
  skips: [],
  hooks: [],
}

export const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
