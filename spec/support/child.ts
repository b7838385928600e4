/**
 * Runs one spec file in a process of its own and sends a FileResult to the runner: node child.ts FILE.
 * The file's `uvu` is spec/support/uvu.ts, by a resolve hook, so that specs import uvu as anyone would.
 */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { describe, ledger } from './record.ts'
import type { FileResult } from './record.ts'

type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>
type UvuQueue = [file: string | null, ...suites: SuiteRun[]][]

const queue: UvuQueue = [[null]]
const texts: string[] = []
let passed = 0
let failed = 0

const fail = (text: string): void => {
  failed += 1
  texts.push(text)
}

const complain = (): void => {
  const unrun = ledger.suites.filter((suite) => suite.unrun > 0)
  for (const { name, unrun: count } of unrun) {
    fail(`${count} tests of ${name === '' ? '`test`' : `suite('${name}')`} never ran: .run() is missing`)
  }
  const focused = ledger.suites.reduce((sum, suite) => sum + suite.focused, 0)
  if (focused > 0) fail(`.only hides the other tests: only ${focused} ran`)
}

const main = async (file: string): Promise<void> => {
  const door = new URL('uvu.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'uvu' && context.parentURL !== door ? next(door, context) : next(specifier, context),
  })
  // uvu looks for these before it decides to run by itself
  Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: queue })
  process.on('uncaughtException', (error) => fail(`outside a test: ${describe(error)}`))
  process.on('unhandledRejection', (error) => fail(`outside a test, rejected: ${describe(error)}`))

  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    fail(`the file did not load: ${describe(error)}`)
  }
  complain()
  for (const run of queue.flatMap(([, ...suites]) => suites)) {
    const hooks = ledger.hooks.length
    const [errors, ran, , total] = await run().catch((): Awaited<ReturnType<SuiteRun>> => [true, 0, 0, 0])
    passed += ran
    failed += total - ran
    if (typeof errors === 'string') texts.push(errors)
    const thrown = ledger.hooks.slice(hooks)
    if (thrown.length > 0) {
      texts.push(...thrown)
      if (total === ran) failed += 1
    }
  }
  if (passed + failed + ledger.skips.length === 0) fail('no tests: the file registers none')
  // a rejection that nobody awaits shows itself one turn later
  await new Promise((resolve) => setTimeout(resolve, 0))

  const result: FileResult = { passed, failed, texts, skips: ledger.skips }
  // without a runner (node spec/support/child.ts FILE) the result is for the eyes
  if (process.send) process.send(result, () => process.exit(0))
  else console.log(texts.join('\n'), `\n${passed} passed, ${failed} failed`)
}

const [file] = process.argv.slice(2)
if (file !== undefined) await main(file)
