import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BuiltKernel } from '../../../kernels/gpujs/cache.ts'
import { kernelCache } from '../../../kernels/gpujs/cache.ts'
import { gpuJsEngine } from '../../../kernels/gpujs/index.ts'
import type { GpuJs } from '../../../kernels/gpujs/library.ts'
import { gpuJs } from '../../../kernels/gpujs/library.ts'
import type { HostArray, Launch, Operand, Program } from '../../../kernels/index.ts'
import { contiguous, sizeOf } from '../../../kernels/index.ts'
import { makeCollect } from '../../../kernels/wasm/collect.ts'
import { agreesOn } from '../../law/engine.ts'

const test = suite('gpujs engine')
const engine = gpuJsEngine({ mode: 'webasm' })

/** A program of one launch over float32 inputs of the given sizes and one float32 result. */
const single = (sizes: readonly number[], result: number, launch: Launch): Program => ({
  buffers: [...sizes, result].map((size) => ({ dtype: 'float32', size })),
  inputs: sizes.map((_, index) => index),
  outputs: [sizes.length],
  donated: [],
  launches: [launch],
})

const plain = (buffer: number, shape: readonly number[]): Operand & { readonly kind: 'buffer' } => ({
  kind: 'buffer',
  buffer,
  strides: contiguous(shape),
  offset: 0,
})

const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => (i % 7) - 3)

const agrees = (program: Program, inputs: readonly HostArray[], tolerance = 0): Promise<void> =>
  agreesOn(engine, { program, inputs, tolerances: program.outputs.map(() => tolerance) })

const custom = (source: string): Program =>
  single([4, 4], 4, { kind: 'custom', source, inputs: [0, 1], target: 2, size: 4 })

const runCustom = (program: Program): HostArray | undefined => {
  const { run } = engine.compile(program)
  const [result] = run([
    engine.upload(Float32Array.of(1, 2, 3, 4)),
    engine.upload(Float32Array.of(5, 6, 7, 8)),
  ])
  return result && engine.readSync?.(result)
}

test('runs a kernel of the user', () => {
  const program = custom('function (a, b) { return a[this.thread.x] * b[3 - this.thread.x]; }')
  assert.equal(engine.compile(program).plan.onHost, [])
  assert.equal(runCustom(program), Float32Array.of(8, 14, 18, 20))
})

test('runs on the host what gpu.js refuses to compile, and says so', () => {
  const program = custom(
    'function (a, b) { return [a, b].map((x) => x[this.thread.x]).reduce((x, y) => x + y); }',
  )
  const [reason, ...more] = engine.compile(program).plan.onHost
  assert.match(reason ?? '', /^launch 0 \(custom\): gpu\.js refused the kernel: /)
  assert.equal(more, [])
  assert.equal(runCustom(program), Float32Array.of(6, 8, 10, 12))
})

test('tells what runs on the host and why', () => {
  const scatter: Launch = {
    kind: 'scatter',
    op: 'add',
    shape: [3],
    operands: [plain(0, [3])],
    body: [{ op: 'read', index: 0, dtype: 'float32' }],
    value: 0,
    target: { buffer: 1, strides: [1], offset: 0 },
    at: [],
  }
  assert.equal(engine.compile({ ...single([3], 3, scatter), inputs: [0, 1], donated: [1] }).plan.onHost, [
    'launch 0 (scatter): gpu.js kernels cannot scatter',
  ])
})

test('refuses float64 by name', () => {
  assert.not(engine.supports('float64'))
  const fill: Launch = {
    kind: 'map',
    shape: [2],
    operands: [],
    body: [{ op: 'constant', value: 1, dtype: 'float64' }],
    outputs: [{ target: { buffer: 0, strides: [1], offset: 0 }, value: 0 }],
  }
  const program: Program = {
    buffers: [{ dtype: 'float64', size: 2 }],
    inputs: [],
    outputs: [0],
    donated: [],
    launches: [fill],
  }
  assert.throws(() => engine.compile(program), 'gpujs: float64 is not supported, but buffer 0 holds it')
})

test('reads more buffers than a GPU binds', async () => {
  const count = 11
  const shape = [5]
  const body = Array.from({ length: count }, (_, index) => ({
    op: 'read' as const,
    index,
    dtype: 'float32' as const,
  }))
  const sums = Array.from({ length: count - 1 }, (_, i) => ({
    op: 'add' as const,
    args: [i === 0 ? 0 : count + i - 1, i + 1] as const,
    dtype: 'float32' as const,
  }))
  const program = single(new Array<number>(count).fill(5), 5, {
    kind: 'map',
    shape,
    operands: Array.from({ length: count }, (_, buffer) => plain(buffer, shape)),
    body: [...body, ...sums],
    outputs: [{ target: { buffer: count, strides: [1], offset: 0 }, value: 2 * count - 2 }],
  })
  assert.equal(engine.compile(program).plan.onHost, [])
  await agrees(
    program,
    Array.from({ length: count }, (_, index) => numbers(5).map((x) => x * (index + 1))),
  )
})

test('numbers more axes than gpu.js has threads for', async () => {
  const shape = [2, 3, 2, 5, 3, 2]
  const size = sizeOf(shape)
  const turned = [...shape].reverse()
  const program = single([size], size, {
    kind: 'map',
    shape: turned,
    operands: [{ ...plain(0, shape), strides: contiguous(shape).reverse() }],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'neg', args: [0], dtype: 'float32' },
    ],
    outputs: [{ target: { buffer: 1, strides: contiguous(turned), offset: 0 }, value: 1 }],
  })
  assert.equal(engine.compile(program).plan.onHost, [])
  await agrees(program, [Float32Array.from({ length: size }, (_, i) => i)])
})

/** The sums over `inner` of two rows, the second reversed. */
const rowSums = (inner: readonly number[]): Program => {
  const size = sizeOf(inner)
  return single([2 * size], 2, {
    kind: 'reduce',
    outer: [2],
    inner,
    operands: [plain(0, [2, ...inner])],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'fold', index: 0, dtype: 'float32' },
    ],
    folds: [{ op: 'sum', value: 0 }],
    outputs: [{ over: 'outer', value: 1, target: { buffer: 1, strides: [-1], offset: 1 } }],
  })
}

test('sums long rows in blocks that miss and repeat nothing', async () => {
  for (const inner of [[129], [300], [64, 3], [3, 100], [5, 7, 130]])
    await agrees(rowSums(inner), [numbers(2 * sizeOf(inner))])
})

test('sums long rows without adding up rounding errors', () =>
  // One after the other in float32, the sum of 300001 tenths is off by hundreds.
  agrees(rowSums([300_001]), [new Float32Array(600_002).fill(0.1)], 0.02))

test('kernels are shared between programs and go when no program uses them', () => {
  const gpu = new (gpuJs() as GpuJs).GPU({ mode: 'webasm' })
  const cache = kernelCache(gpu, 'webasm')
  const source = { source: 'function (a0) { return a0[this.thread.x]; }', output: [3], inputs: [] }
  const [first, second] = [cache.build(source, [3]), cache.build(source, [3])]
  assert.is(first, second)
  if (typeof first === 'string') assert.unreachable(first)
  else {
    const [one, other] = [{}, {}]
    cache.keep(one, [first])
    cache.keep(other, [first])
    cache.drop([first.key])
    assert.is(cache.count(), 1)
    cache.drop([first.key])
    assert.is(cache.count(), 0)
    assert.is(gpu.kernels.length, 0)
  }
})

test('kernels that were built for a launch which then runs on the host go, too', () => {
  const gpu = new (gpuJs() as GpuJs).GPU({ mode: 'webasm' })
  const cache = kernelCache(gpu, 'webasm')
  const built = [1, 2].map((factor) =>
    cache.build({ source: `function (a0) { return ${factor} * a0[0]; }`, output: [3], inputs: [] }, [3]),
  )
  cache.keep({}, [built[1] as BuiltKernel])
  assert.is(cache.count(), 1)
  assert.is(gpu.kernels.length, 1)
})

test('kernels of a program that is gone wait until what was started is done', async () => {
  const gpu = new (gpuJs() as GpuJs).GPU({ mode: 'webasm' })
  const waiting: (() => void)[] = []
  const cache = kernelCache(gpu, 'webasm', (then) => waiting.push(then))
  const built = cache.build({ source: 'function (a0) { return a0[0]; }', output: [3], inputs: [] }, [3])
  cache.keep({}, [built as BuiltKernel])
  const collect = makeCollect() as () => void
  for (let turn = 0; waiting.length === 0 && turn < 50; turn++) {
    collect()
    await new Promise((done) => setTimeout(done, 10))
  }
  assert.is(waiting.length, 1)
  cache.sweep()
  assert.is(cache.count(), 1)
  waiting[0]?.()
  assert.is(cache.count(), 0)
})

test.run()
