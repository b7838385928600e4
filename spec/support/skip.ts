/**
 * Skips that say why. A test that cannot run on this machine is told and counted, never left out silently:
 *
 *   skip(test, 'matmul on the device', 'no WebGPU adapter')
 *   given(test, adapter !== null, 'no WebGPU adapter')('matmul on the device', async () => { … })
 */
import type { Callback, Test } from 'uvu'

const reasons = new WeakMap<object, string>()

/** The reason that `skip` attached to a skipped test's handler. */
export const reasonOf = (handler: object | undefined): string =>
  (handler && reasons.get(handler)) ?? 'no reason given'

/** Skips a test, for a reason that the runner prints and counts. */
export const skip = <T>(test: Test<T>, name: string, reason: string): void => {
  const never = (): void => {}
  reasons.set(never, reason)
  console.log(`skipped: ${name} (${reason})`)
  test.skip(name, never)
}

/** `test` where the condition holds, and a skip with the reason where it does not. */
export const given =
  <T>(test: Test<T>, condition: boolean, reason: string): ((name: string, handler: Callback<T>) => void) =>
  (name, handler) =>
    condition ? test(name, handler) : skip(test, name, reason)
