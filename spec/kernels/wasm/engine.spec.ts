import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import type { Kernel } from '../../../kernels/wasm/kernel.ts'
import { mapKernel } from '../../../kernels/wasm/map.ts'
import { runtime } from '../../../kernels/wasm/runtime.ts'
import type { Launch, MapLaunch, MatmulLaunch, Memory, Program, View } from '../../../kernels/index.ts'
import { fromArray, jit, matmul, toArraySync, withEngine } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { uniform } from '../../arbitrary/tape.ts'
import { agreesOn, engineAgrees } from '../../law/engine.ts'
import { product } from '../../support/product.ts'

const engines = [wasmEngine(), wasmEngine({ strict: true })]
const kinds: readonly Launch['kind'][] = [
  'map',
  'reduce',
  'matmul',
  'scatter',
  'scan',
  'sort',
  'custom',
  'attention',
  'attentionGradient',
]

for (const engine of engines) {
  for (const kind of kinds)
    test(`${engine.detail}: agrees with the reference on ${kind} launches`, () =>
      fc.assert(engineAgrees(engine, { kinds: [kind] }), { numRuns: 80 }))

  test(`${engine.detail}: agrees with the reference on whole programs`, () =>
    fc.assert(engineAgrees(engine, { maxLaunches: 8 }), { numRuns: 100 }))
}

const fusable: Program = {
  buffers: Array.from({ length: 4 }, () => ({ dtype: 'float32', size: 1000 })),
  inputs: [0, 1, 2],
  outputs: [3],
  donated: [],
  launches: [
    {
      kind: 'map',
      shape: [1000],
      operands: [0, 1, 2].map((buffer) => ({ kind: 'buffer', buffer, strides: [1], offset: 0 })),
      body: [
        ...[0, 1, 2].map((index) => ({ op: 'read' as const, index, dtype: 'float32' as const })),
        { op: 'mul', args: [0, 1], dtype: 'float32' },
        { op: 'add', args: [3, 2], dtype: 'float32' },
      ],
      outputs: [{ value: 4, target: { buffer: 3, strides: [1], offset: 0 } }],
    },
  ],
}

test('strict: a product and a sum are rounded one after the other', () => {
  const engine = wasmEngine({ strict: true, threads: 1 })
  const draw = (): Float32Array<ArrayBuffer> => new Float32Array(1000).map(() => Math.random() - 0.5)
  const [a, b, c] = [draw(), draw(), draw()]
  const [out] = engine.compile(fusable).run([a, b, c].map(engine.upload))
  const expected = a.map((x, i) => Math.fround(Math.fround(x * (b[i] as number)) + (c[i] as number)))
  assert.equal(engine.readSync?.(out as Memory), expected)
})

test('strict: a large product is what plain sums of rounded products are, on every machine', async () => {
  const [rows, inner, columns] = [70, 300, 50]
  const random = uniform(11)
  const draw = (size: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: size }, () => random() - 0.5)
  const [a, b] = [draw(rows * inner), draw(inner * columns)]
  /** Sums of 150 products each, in order: the depth is cut in halves of 256 at most. */
  const expected = Float32Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns]
    const part = (from: number): number => {
      let sum = 0
      for (let k = from; k < from + inner / 2; k++)
        sum = Math.fround(sum + Math.fround((a[i * inner + k] as number) * (b[k * columns + j] as number)))
      return sum
    }
    return Math.fround(part(0) + part(inner / 2))
  })
  for (const threads of [1, 2]) {
    const engine = wasmEngine({ strict: true, threads, shareFrom: 0 })
    withEngine(engine, () => {
      const product = jit((x: Tensor, y: Tensor): Tensor => matmul(x, y))
      const found = product(fromArray(a, [rows, inner]), fromArray(b, [inner, columns]))
      assert.equal(toArraySync(found), expected)
    })
    await engine.close()
  }
})

test('a product of empty rows reads nothing, wherever they would stand', async () => {
  const empty = (strides: readonly number[]): View => ({ buffer: 0, strides, offset: 0 })
  const program: Program = {
    buffers: [
      { dtype: 'float32', size: 0 },
      { dtype: 'float32', size: 8 },
    ],
    inputs: [0],
    outputs: [1],
    donated: [],
    launches: [
      {
        kind: 'matmul',
        batch: [2],
        rows: 2,
        inner: 0,
        columns: 2,
        a: empty([-(2 ** 24), 1, 1]),
        b: empty([2, 0, 1]),
        operands: [],
        body: [{ op: 'fold', index: 0, dtype: 'float32' }],
        outputs: [{ value: 0, target: { buffer: 1, strides: [4, 2, 1], offset: 0 } }],
      },
    ],
  }
  for (const engine of engines)
    await agreesOn(engine, { program, inputs: [new Float32Array(0)], tolerances: [0] })
})

for (const [form, a] of Object.entries({
  'rows that are far apart': { strides: [4100, 1], offset: 0 },
  'columns that are far apart': { strides: [1, 4100], offset: 0 },
  'rows and columns that are far apart': { strides: [-4100, 3], offset: 52 * 4100 },
  'rows that are neighbours': { strides: [41, 1], offset: 5 },
}))
  test(`a product agrees with the reference on ${form}`, async () => {
    const [rows, inner, columns] = [53, 41, 21]
    const { buffers, launches, ...rest } = product('float32', rows, inner, columns)
    const size = 4100 * 53
    const program: Program = {
      ...rest,
      buffers: [{ dtype: 'float32', size }, ...buffers.slice(1)],
      launches: [{ ...(launches[0] as MatmulLaunch), a: { buffer: 0, ...a } }],
    }
    const whole = (count: number): Float32Array<ArrayBuffer> =>
      Float32Array.from({ length: count }, (_, at) => ((at * 7919) % 17) - 8)
    const inputs = [whole(size), whole(inner * columns)]
    for (const engine of engines) await agreesOn(engine, { program, inputs, tolerances: [0] })
  })

test('a product of so many rows that their number times that of the tiles is no 32-bit number', async () => {
  const rows = 1_200_001
  const engine = wasmEngine({ threads: 2 })
  const a = Float32Array.from({ length: rows * 4 }, (_, at) => (at >> 2) % 1021)
  const b = Float32Array.from({ length: 16 }, (_, at) => at % 4)
  const [out] = engine.compile(product('float32', rows, 4, 4)).run([a, b].map(engine.upload))
  const found = engine.readSync?.(out as Memory) as Float32Array
  assert.is(
    found.findIndex((value, at) => value !== 4 * ((at >> 2) % 1021) * (at % 4)),
    -1,
  )
  await engine.close()
})

test('where memory cannot be shared there is one thread, and it says so', async () => {
  const script = `
    globalThis.crossOriginIsolated = false
    const { wasmEngine } = await import('${new URL('../../../kernels/wasm/index.ts', import.meta.url).href}')
    const engine = wasmEngine({ threads: 4, shareFrom: 0 })
    const [out] = engine.compile(${JSON.stringify(fusable)}).run([1, 2, 3].map((x) => engine.upload(new Float32Array(1000).fill(x))))
    console.log(JSON.stringify([engine.detail, engine.readSync(out)[999]]))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const [detail, value] = JSON.parse(printed) as [string, number]
  assert.match(detail, /1 thread \(memory cannot be shared here\)$/)
  assert.is(value, 5)
})

test('the same launch is compiled once, whatever program it is in', () => {
  const own = runtime({ strict: false, shared: false })
  const kernel = (): Kernel => mapKernel(fusable.launches[0] as MapLaunch, () => 'float32')
  const [first] = own.compile([kernel()])
  const modules = own.modules.length
  const [second] = own.compile([kernel()])
  assert.is(second, first)
  assert.is(own.modules.length, modules)
})

test.run()
