/**
 * Runs programs one after the other in this process: node execute.ts FILE…
 * Sends an Execution for each to the parent; the process ends when the last is done.
 */
import { pathToFileURL } from 'node:url'
import { shower } from './promise.ts'
import type { Shown } from './promise.ts'

export type Execution = {
  readonly file: string
  readonly error: string | null
  readonly shown: readonly Shown[]
}

const run = async (file: string): Promise<Execution> => {
  const shown: Shown[] = []
  Object.assign(globalThis, { show__: shower(shown) })
  try {
    await import(pathToFileURL(file).href)
    return { file, error: null, shown }
  } catch (error) {
    return { file, error: error instanceof Error ? (error.stack ?? error.message) : String(error), shown }
  }
}

for (const file of process.argv.slice(2)) process.send?.(await run(file))
process.exit(0)
