import * as assert from 'uvu/assert'
import { PullbackError } from '../../core/index.ts'

/** What a promise is refused with, which is a mistake of the program's and no other error. */
export const refusal = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt
  } catch (error) {
    assert.instance(error, PullbackError)
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}
