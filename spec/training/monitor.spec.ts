import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { initMonitor, monitor } from '../../training/monitor.ts'
import type { MonitorState } from '../../training/monitor.ts'

const watch = suite('monitor')

const after = (values: readonly number[], config: Parameters<typeof monitor>[0] = {}): MonitorState => {
  const next = monitor(config)
  return values.reduce((state, value, i) => next(state, 10 * i, value), initMonitor)
}

const values = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constant(NaN)), { maxLength: 12 })

watch('the best is the first of the least, and it waits since then', () => {
  fc.assert(
    fc.property(values, (some) => {
      const numbers = some.filter((value) => !Number.isNaN(value))
      const state = after(some)
      if (numbers.length === 0) {
        assert.equal(state, { waited: some.length, improved: false, stopped: false })
        return
      }
      const least = Math.min(...numbers)
      const at = some.indexOf(least)
      assert.equal(state, {
        waited: some.length - 1 - at,
        improved: at === some.length - 1,
        stopped: false,
        best: { value: least, step: 10 * at },
      })
    }),
  )
})

watch('rising is falling of what is negated', () => {
  fc.assert(
    fc.property(values, fc.nat({ max: 3 }), (some, minimumChange) => {
      const falling = after(some, { minimumChange })
      const rising = after(
        some.map((value) => -value),
        { minimumChange, mode: 'max' },
      )
      assert.equal(rising.best?.step, falling.best?.step)
      assert.is(rising.waited, falling.waited)
    }),
  )
})

watch('patience runs out after so many evaluations that are not better', () => {
  const stopped = (some: readonly number[]): boolean =>
    after(some, { patience: 3, minimumChange: 0.5 }).stopped
  assert.not(stopped([2, 3, 3]))
  assert.ok(stopped([2, 3, 3, 3]))
  assert.ok(stopped([2, 1.9, 1.8, 1.6]))
  assert.not(stopped([2, 1.9, 1.8, 1.4]))
  assert.ok(stopped([NaN, NaN, NaN]))
})

watch('it may stand in a checkpoint', () => {
  const state = after([3, 1, 2])
  assert.equal(JSON.parse(JSON.stringify(state)), state)
  assert.equal(JSON.parse(JSON.stringify(initMonitor)), initMonitor)
})

watch.run()
