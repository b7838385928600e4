import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execFileSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { jit, matmul, random, toArraySync, withEngine } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { contiguous } from '../../../kernels/index.ts'
import type { Engine, HostArray, Launch, Program } from '../../../kernels/index.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import { mostParts, words } from '../../../kernels/wasm/control.ts'
import { mapKernel } from '../../../kernels/wasm/map.ts'
import { pool } from '../../../kernels/wasm/pool.ts'
import { runtime } from '../../../kernels/wasm/runtime.ts'
import type { ProgramCase } from '../../arbitrary/program.ts'
import { uniform } from '../../arbitrary/tape.ts'
import { agreesOn, bitsOf, engineAgrees, outputsOf, sameBits } from '../../law/engine.ts'

const alone = wasmEngine({ threads: 1 })
const shared = [2, 3].map((threads) => wasmEngine({ threads, shareFrom: 0 }))

test('every launch shared by 2 or 3 threads agrees with the reference', async () => {
  for (const engine of shared) await fc.assert(engineAgrees(engine, { maxLaunches: 6 }), { numRuns: 150 })
})

test('1, 2 and 3 threads give the same bits', () =>
  fc.assert(sameBits([alone, ...shared], { maxLaunches: 6 }), { numRuns: 150 }))

/** Row sums of exp(a · b), a column sum, and a sum of everything. */
const large = (): ProgramCase => {
  const [m, k, n] = [517, 130, 301]
  const random = uniform(3)
  const data = (size: number): HostArray => Float32Array.from({ length: size }, () => random() - 0.5)
  const view = (buffer: number, strides: readonly number[]) => ({
    kind: 'buffer' as const,
    buffer,
    strides,
    offset: 0,
  })
  const fold = (outer: number[], inner: number[], strides: number[], into: number): Launch => ({
    kind: 'reduce',
    outer,
    inner,
    operands: [view(2, strides)],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'fold', index: 0, dtype: 'float32' },
    ],
    folds: [{ op: 'sum', value: 0 }],
    outputs: [{ over: 'outer', value: 1, target: view(into, contiguous(outer)) }],
  })
  const program: Program = {
    buffers: [m * k, k * n, m * n, m, n, 1].map((size) => ({ dtype: 'float32', size })),
    inputs: [0, 1],
    outputs: [2, 3, 4, 5],
    donated: [],
    launches: [
      {
        kind: 'matmul',
        batch: [],
        rows: m,
        inner: k,
        columns: n,
        a: view(0, [k, 1]),
        b: view(1, [n, 1]),
        operands: [],
        body: [
          { op: 'fold', index: 0, dtype: 'float32' },
          { op: 'exp', args: [0], dtype: 'float32' },
        ],
        outputs: [{ value: 1, target: view(2, [n, 1]) }],
      },
      fold([m], [n], [n, 1], 3),
      fold([n], [m], [1, n], 4),
      fold([], [m, n], [n, 1], 5),
    ],
  }
  return { program, inputs: [data(m * k), data(k * n)], tolerances: [0, 0, 0, 0] }
}

test('large products and sums have the same bits for any number of threads, again and again', async () => {
  const example = large()
  const expected = (await outputsOf(alone, example)).map(bitsOf)
  for (let turn = 0; turn < 20; turn++)
    for (const engine of shared) assert.equal((await outputsOf(engine, example)).map(bitsOf), expected)
})

/** Rows of 3000 numbers that are set into one line of 4096, each some places behind the one before. */
const overlapping = (step: number): ProgramCase => ({
  program: {
    buffers: [
      { dtype: 'float32', size: 12000 },
      { dtype: 'int32', size: 4 },
      { dtype: 'float32', size: 4096 },
    ],
    inputs: [0, 1, 2],
    outputs: [2],
    donated: [2],
    launches: [
      {
        kind: 'scatter',
        op: 'set',
        shape: [4, 3000],
        operands: [{ kind: 'buffer', buffer: 0, strides: [3000, 1], offset: 0 }],
        body: [{ op: 'read', index: 0, dtype: 'float32' }],
        value: 0,
        target: { buffer: 2, strides: [0, 1], offset: 0 },
        at: [{ index: { buffer: 1, strides: [1, 0], offset: 0 }, size: 3, stride: step }],
      },
    ],
  },
  inputs: [
    Float32Array.from({ length: 12000 }, (_, at) => at),
    Int32Array.of(1, 0, 2, 1),
    new Float32Array(4096),
  ],
  tolerances: [0],
})

test('rows of a scatter that meet in different columns are written in their order', async () => {
  for (const engine of shared)
    for (const step of [1, 7, 500])
      for (let turn = 0; turn < 10; turn++) await agreesOn(engine, overlapping(step))
})

test('columns that a thread keeps packed from part to part are those of the run', () => {
  const f = jit((a: Tensor, b: Tensor): Tensor => matmul(a, b))
  const run = (engine: Engine): string[] =>
    withEngine(engine, () => {
      const draw = (shape: readonly number[], seed: number): Tensor => random.normal(random.key(seed), shape)
      const left = draw([600, 40], 0)
      return Array.from({ length: 30 }, (_, seed) => bitsOf(toArraySync(f(left, draw([40, 50], seed)))))
    })
  const expected = run(alone)
  for (const engine of shared) assert.ok(run(engine).every((found, seed) => found === expected[seed]))
})

test('a worker that ends while idle is reported, and the others go on', async () => {
  const workers: Worker[] = []
  const catchWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', catchWorker)
  const engine = wasmEngine({ threads: 2, shareFrom: 0 })
  await new Promise((resolve) => setTimeout(resolve, 0))
  process.off('worker', catchWorker)
  assert.match(engine.detail, /2 threads$/)
  const example = large()
  const expected = (await outputsOf(engine, example)).map(bitsOf)
  await workers.at(-1)?.terminate()
  assert.match(engine.detail, /1 thread \(a worker thread was lost/)
  assert.equal((await outputsOf(engine, example)).map(bitsOf), expected)
})

test('a part that nobody finishes is reported, not waited for', async () => {
  const own = runtime({ strict: false, shared: true })
  const { threads, dispatch, close, trouble } = pool(own, 2, { shareFrom: 0, lostAfter: 100 })
  const control = new Int32Array(own.memory.buffer, 0, 1024)
  const thief = new Worker(
    `const { control, words, mostParts } = require('node:worker_threads').workerData
     Atomics.store(control, 1000, 1)
     for (;;) {
       const taken = Atomics.load(control, words.claim)
       if (taken >= 0 && (taken & mostParts) < Atomics.load(control, words.parts) &&
         Atomics.compareExchange(control, words.claim, taken, taken + 1) === taken) break
     }`,
    { eval: true, workerData: { control, words, mostParts } },
  )
  while (Atomics.load(control, 1000) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const size = 1 << 20
  const kernel = mapKernel(
    {
      kind: 'map',
      shape: [size],
      operands: [],
      body: [{ op: 'constant', value: 1, dtype: 'float32' }],
      outputs: [{ value: 0, target: { buffer: 0, strides: [1], offset: 0 } }],
    },
    () => 'float32',
  )
  const [compiled] = own.compile([kernel])
  const block = own.heap.allocate(4)
  new Int32Array(own.memory.buffer, block, 1)[0] = own.heap.allocate(4 * size)
  const { run } = dispatch([
    { kernel: compiled as NonNullable<typeof compiled>, block, units: size, grain: kernel.grain, cost: 1e6 },
  ])
  // On a busy machine it takes a while until the thief gets a turn.
  const end = performance.now() + 60_000
  assert.throws(() => {
    while (performance.now() < end) run()
  }, /lost in the middle/)
  assert.is(threads(), 1)
  assert.match(trouble() ?? '', 'lost')
  await Promise.all([close(), thief.terminate()])
})

test('the process ends by itself while workers sleep, and they use no processor time', () => {
  const engine = new URL('../../../kernels/wasm/index.ts', import.meta.url).href
  const script = `
    import { wasmEngine } from '${engine}'
    const engine = wasmEngine({ threads: 3, shareFrom: 0 })
    const [out] = engine.compile({
      buffers: [{ dtype: 'float32', size: 100000 }], inputs: [], outputs: [0], donated: [],
      launches: [{ kind: 'map', shape: [100000], operands: [], body: [{ op: 'constant', value: 1, dtype: 'float32' }],
        outputs: [{ value: 0, target: { buffer: 0, strides: [1], offset: 0 } }] }] }).run([])
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 400))
    const { user, system } = process.cpuUsage(before)
    console.log(JSON.stringify({ idle: (user + system) / 1000, first: engine.readSync(out)[99999] }))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 120_000 })
  const { idle, first } = JSON.parse(printed.toString()) as { idle: number; first: number }
  assert.is(first, 1)
  assert.ok(idle < 100, `${idle} ms of processor time in 400 ms of doing nothing`)
})

test.after(async () => {
  await Promise.all([alone, ...shared].map((engine) => engine.close()))
})

test.run()
