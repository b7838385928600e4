import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { mergeMaps } from '../../core/lower/merge.ts'
import { jit, random, setDefaultEngine } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  planMemory,
  problemsOf,
  readsOf,
  referenceEngine,
  wasmEngine,
  writesOf,
} from '../../kernels/index.ts'
import { adamW, applyUpdates } from '../../training/index.ts'
import { programCase } from '../arbitrary/program.ts'

test('maps made one compute the same, and touch no more buffers than they may', () => {
  let fewer = 0
  const engine = referenceEngine()
  fc.assert(
    fc.property(
      programCase({ kinds: ['map', 'map', 'map', 'reduce', 'scatter'], maxLaunches: 8 }),
      fc.integer({ min: 3, max: 12 }),
      ({ program, inputs }, limit) => {
        const merged = mergeMaps(program, limit)
        if (merged.launches.length < program.launches.length) fewer++
        assert.equal(problemsOf(merged), [])
        const run = (one: typeof program): unknown =>
          engine
            .compile(one)
            .run(inputs.map(engine.upload))
            .map((memory) => engine.readSync?.(memory))
        assert.equal(run(merged), run(program))
        for (const launch of merged.launches)
          if (!program.launches.includes(launch))
            assert.ok(new Set([...readsOf(launch), ...writesOf(launch)]).size <= limit)
      },
    ),
    { numRuns: 600 },
  )
  assert.ok(fewer > 60, `only ${fewer} programs had anything to merge`)
})

test('AdamW is one launch for each parameter, in the memory of the old state', () => {
  setDefaultEngine(wasmEngine({ threads: 1 }))
  const optimizer = adamW({ learningRate: 1e-3 })
  const draw = (seed: number): Tensor => random.normal(random.key(seed), [30, 40])
  const params = { a: draw(0), b: draw(1), c: draw(2) }
  const gradients = { a: draw(3), b: draw(4), c: draw(5) }
  const step = jit(
    (p: typeof params, s: unknown, g: typeof params) => {
      const [updates, next] = optimizer.update(g, s as never, p)
      return [applyUpdates(p, updates), next] as const
    },
    { donate: [0, 1] },
  )
  const program = step.program(params, optimizer.init(params), gradients)
  const large = program.launches.filter((launch) => launch.kind === 'map' && launch.shape.length === 2)
  assert.equal(
    large.map((launch) => writesOf(launch).length),
    [3, 3, 3],
  )
  const { placements, arenaBytes } = planMemory(program)
  assert.is(program.outputs.filter((id) => placements[id]?.kind === 'donated').length, 9)
  assert.ok(arenaBytes < 1000)
})

test.run()
