import { either as E } from 'fp-ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { add, jit, matmul, random, setDefaultEngine, tanh, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  chromeTrace,
  joinProfiles,
  kernelTable,
  launchFacts,
  referenceEngine,
  renderProfile,
  wasmEngine,
} from '../../kernels/index.ts'
import { gpuForTests } from '../support/webgpu.ts'
import { skip } from '../support/skip.ts'
import { programCase } from '../arbitrary/program.ts'

const f = jit((x: Tensor, w: Tensor): Tensor => tanh(add(matmul(x, w), 1)))

const gpu = await gpuForTests()
if (E.isLeft(gpu)) skip(test, 'a profile on a device', gpu.left)
const engines = [wasmEngine({ threads: 1 }), referenceEngine(), ...(E.isLeft(gpu) ? [] : [gpu.right])]

for (const engine of engines)
  test(`${engine.name}: a profile gives the result, and every launch with what it does`, async () => {
    setDefaultEngine(engine)
    const [x, w] = [random.normal(random.key(0), [64, 32]), random.normal(random.key(1), [32, 48])]
    const [result, first] = await f.profile(x, w)
    assert.equal(await toArray(result), await toArray(f(x, w)))
    const [, second] = await f.profile(x, w)
    const profile = joinProfiles(first, second)
    assert.is(profile.engine, engine.name)
    assert.is(profile.runs.length, 2)
    for (const { start, milliseconds } of profile.runs.flat()) assert.ok(start >= 0 && milliseconds > 0)
    const [row, ...others] = kernelTable(profile)
    assert.equal(others, [])
    assert.equal(
      { ...row, milliseconds: 0, gflops: 0, gigabytesPerSecond: 0 },
      {
        name: 'matmul 64×32×48: add tanh',
        kind: 'matmul',
        calls: 1,
        milliseconds: 0,
        share: 1,
        flops: 64 * 48 * (2 * 32 + 2),
        gflops: 0,
        bytes: 4 * (64 * 32 + 32 * 48 + 64 * 48),
        gigabytesPerSecond: 0,
      },
    )
    assert.match(renderProfile(profile), /1 launches, medians of 2 runs\n +ms +share/)
    const { traceEvents } = chromeTrace(profile)
    assert.is(traceEvents.length, 2)
    const [one, two] = traceEvents
    assert.ok(one !== undefined && two !== undefined && two.ts >= one.ts + one.dur - 1e-6)
    assert.equal([one?.ph, one?.args['launch'], two?.args['run']], ['X', 0, 1])
  })

test('the bytes and operations of any launch are counts', () =>
  fc.assert(
    fc.property(programCase(), ({ program }) => {
      const facts = launchFacts(program)
      assert.is(facts.length, program.launches.length)
      for (const { flops, bytes } of facts)
        assert.ok(Number.isSafeInteger(flops) && flops >= 0 && Number.isSafeInteger(bytes) && bytes >= 0)
    }),
    { numRuns: 200 },
  ))

for (const engine of engines) test.after(() => engine.close())

test.run()
