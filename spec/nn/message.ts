import * as assert from 'uvu/assert'
import { PullbackError } from '../../core/index.ts'

/** The message of what `f` throws. */
export const messageOf = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    assert.instance(error, PullbackError)
    return (error as PullbackError).message
  }
  return 'nothing was thrown'
}
