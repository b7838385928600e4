/**
 * uvu as the runner hands it to spec files: the same functions, which keep a ledger. uvu itself forgets a suite
 * that was never run, swallows what `before` and `after.each` throw, and knows no reasons for skips.
 */
import { suite as uvuSuite } from 'uvu'
import type { Callback, Context, Test } from 'uvu'
import { describe, ledger } from './record.ts'
import type { SuiteRecord } from './record.ts'
import { reasonOf } from './skip.ts'

export { exec } from 'uvu'
export type { Callback, Context, Test } from 'uvu'

type Hook<T> = Test<T>['before']

const title = (record: SuiteRecord, name: string): string =>
  record.name === '' ? name : `${record.name}: ${name}`

const watched = <T>(kind: string, handler: Callback<T>): Callback<T> =>
  async function (context) {
    try {
      await handler(context)
    } catch (error) {
      ledger.hooks.push(`${kind}: ${describe(error)}`)
      // tests that lack their preparation must not run; those that ran keep their results
      if (kind === 'before') throw error
    }
  }

const watchedHook = <T>(kind: string, hook: Hook<T>): Hook<T> =>
  Object.assign((handler: Callback<T>) => hook(watched(kind, handler)), {
    each: (handler: Callback<T>) => hook.each(kind === 'after' ? watched('after each', handler) : handler),
  })

export const suite = <T = Context>(name = '', context?: T): Test<T> => {
  const record: SuiteRecord = { name, unrun: 0, focused: 0 }
  ledger.suites.push(record)
  const inner = uvuSuite<T>(name, context)
  const add = (test: string, handler: Callback<T>): void => {
    record.unrun += 1
    inner(test, handler)
  }
  return Object.assign(add, {
    only: (test: string, handler: Callback<T>): void => {
      record.unrun += 1
      record.focused += 1
      inner.only(test, handler)
    },
    skip: (test?: string, handler?: Callback<T>): void => {
      ledger.skips.push({ name: title(record, test ?? 'a test'), reason: reasonOf(handler) })
    },
    before: watchedHook('before', inner.before),
    after: watchedHook('after', inner.after),
    run: (): void => {
      record.unrun = 0
      inner.run()
    },
  })
}

export const test: Test = suite()
