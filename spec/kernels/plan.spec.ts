import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import type { Launch, Program } from '../../kernels/index.ts'
import { bytesOf, planMemory, readsOf, writesOf } from '../../kernels/index.ts'
import { isIdle } from '../../kernels/plan/index.ts'
import { programCase } from '../arbitrary/program.ts'

/** The first and the last launch that touches a buffer. */
const lifeOf = ({ launches }: Program, id: number): readonly [number, number] => {
  const touches = launches.flatMap((launch, time) =>
    [...readsOf(launch), ...writesOf(launch)].includes(id) ? [time] : [],
  )
  return [touches[0] ?? Infinity, touches.at(-1) ?? -1]
}

test('buffers that share memory are never needed at once, but where one is written as the other is read', () =>
  fc.assert(
    fc.property(programCase({ maxLaunches: 8 }), ({ program }) => {
      const { placements, arenaBytes } = planMemory(program)
      const held = program.buffers.flatMap(({ dtype, size }, id) => {
        const place = placements[id]
        if (place?.kind !== 'arena') return []
        assert.ok(place.byteOffset + size * bytesOf(dtype) <= arenaBytes)
        return [{ id, from: place.byteOffset, to: place.byteOffset + size * bytesOf(dtype) }]
      })
      for (const a of held)
        for (const b of held) {
          if (a.id >= b.id || a.from >= b.to || b.from >= a.to) continue
          const [one, two] = [lifeOf(program, a.id), lifeOf(program, b.id)]
          const [before, after] = one[0] <= two[0] ? [one, two] : [two, one]
          if (before[1] < after[0]) continue
          assert.is(before[1], after[0], `buffers ${a.id} and ${b.id} share memory and overlap in time`)
          assert.is(program.launches[after[0]]?.kind, 'map')
          assert.is(a.from, b.from)
        }
    }),
    { numRuns: 500 },
  ))

test('copies of donated arguments that are changed stand in their own memory, so that nothing is copied', () => {
  const view = (buffer: number) => ({ buffer, strides: [1], offset: 0 })
  const copy = (from: number, to: number): Launch => ({
    kind: 'map',
    shape: [9],
    operands: [{ kind: 'buffer', ...view(from) }],
    body: [{ op: 'read', index: 0, dtype: 'float32' }],
    outputs: [{ value: 0, target: view(to) }],
  })
  // Two caches, the second copied first: each result could stand in either's memory.
  const launches = [copy(1, 3), copy(0, 2)]
  const program: Program = {
    buffers: Array.from({ length: 4 }, () => ({ dtype: 'float32' as const, size: 9 })),
    inputs: [0, 1],
    outputs: [2, 3],
    donated: [0, 1],
    launches,
  }
  const plan = planMemory(program)
  assert.equal(plan.placements.slice(2), [
    { kind: 'donated', position: 0 },
    { kind: 'donated', position: 1 },
  ])
  assert.equal(
    launches.map((launch) => isIdle(launch, plan)),
    [true, true],
  )
  const kept = planMemory({ ...program, donated: [] })
  assert.equal(
    launches.map((launch) => isIdle(launch, kept)),
    [false, false],
  )
})

/** out = exp(exp(… input)), `count` times, each through a temporary of its own. */
const chain = (count: number, size: number): Program => ({
  buffers: Array.from({ length: count + 1 }, () => ({ dtype: 'float32', size })),
  inputs: [0],
  outputs: [count],
  donated: [],
  launches: Array.from({ length: count }, (_, from): Launch => ({
    kind: 'map',
    shape: [size],
    operands: [{ kind: 'buffer', buffer: from, strides: [1], offset: 0 }],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'exp', args: [0], dtype: 'float32' },
    ],
    outputs: [{ value: 1, target: { buffer: from + 1, strides: [1], offset: 0 } }],
  })),
})

test('a chain of maps stands in the memory of one', () => {
  assert.is(planMemory(chain(6, 1000)).arenaBytes, 4032)
})

test.run()
