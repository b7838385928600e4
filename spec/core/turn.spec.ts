/** Loops that await their results do not keep timers and signals waiting. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, item, jit, tensor } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

const test = suite('turns')

test('a timer goes off while results are read', async () => {
  let over = false
  setTimeout(() => (over = true), 20)
  const step = jit((x: Tensor) => add(x, 1))
  let x: Tensor = tensor(0)
  const end = performance.now() + 5000
  while (!over && performance.now() < end) await item((x = step(x)))
  assert.ok(over)
})

test.run()
