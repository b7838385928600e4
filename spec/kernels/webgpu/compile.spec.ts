/** Kernels that the devices at hand cannot run, before the compiler: float16, and subgroups of any size. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadGpuJs } from '../../../kernels/index.ts'
import type { Dtype, Launch, Program, ScalarOp } from '../../../kernels/index.ts'
import { tiles } from '../../../kernels/webgpu/index.ts'
import type { Limits } from '../../../kernels/webgpu/record.ts'
import { tileKey } from '../../../kernels/webgpu/matmul/tile.ts'
import type { Tile } from '../../../kernels/webgpu/index.ts'
import { dispatchesIn, recorded } from '../../../kernels/webgpu/record.ts'
import type { Ticker } from '../../../kernels/webgpu/tick.ts'
import { tickerFor } from '../../../kernels/webgpu/tick.ts'
import { product, view } from '../../support/product.ts'
import { skip } from '../../support/skip.ts'

const test = suite('webgpu compile')

const limits: Limits = {
  threadsPerGroup: 256,
  bytesPerGroup: 16384,
  buffersPerKernel: 8,
  factors: 'f16',
  subgroups: { least: 4, most: 128 },
  plain: false,
}

/** Rows of every length that takes another kernel. */
const rows = (length: number): Program => {
  const launch: Launch = {
    kind: 'reduce',
    outer: [3],
    inner: [length],
    operands: [{ kind: 'buffer', ...view(0, [3, length]) }],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'fold', index: 0, dtype: 'float32' },
      { op: 'fold', index: 1, dtype: 'int32' },
    ] satisfies readonly ScalarOp[],
    folds: [
      { op: 'sum', value: 0 },
      { op: 'argmax', value: 0 },
    ],
    outputs: [1, 2].map((index) => ({ over: 'outer', value: index, target: view(index, [3]) })),
  }
  return {
    buffers: [
      { dtype: 'float32', size: 3 * length },
      { dtype: 'float32', size: 3 },
      { dtype: 'int32', size: 3 },
    ],
    inputs: [0],
    outputs: [1, 2],
    donated: [],
    launches: [launch],
  }
}

const codesOf = (program: Program, own: Limits = limits): readonly string[] =>
  dispatchesIn(recorded(program, { tile: undefined }, own).steps.flat()).map(({ code }) => code)

test('tiles of float32 products alone are float16, and only where it is asked for', () => {
  const whole = (dtype: Dtype, factors: 'f32' | 'f16'): string =>
    codesOf(product(dtype, 64, 64, 64), { ...limits, factors }).join()
  assert.match(whole('float32', 'f16'), /^enable f16;/)
  assert.match(whole('float32', 'f16'), 'var<workgroup> tileA: array<vec4<f16>')
  assert.not.match(whole('float32', 'f32'), 'f16')
  assert.not.match(whole('int32', 'f16'), 'f16')
})

test('the same kernel on other buffers is the same text', () => {
  const one = product('float32', 64, 64, 64)
  const [launch] = one.launches as readonly [Extract<Launch, { readonly kind: 'matmul' }>]
  // y = a b, z = a y: other numbers, and one operand twice.
  const two: Program = {
    ...one,
    buffers: [...one.buffers, { dtype: 'float32', size: 64 * 64 }],
    outputs: [3],
    launches: [
      launch,
      {
        ...launch,
        b: { ...launch.b, buffer: 2 },
        outputs: [{ target: view(3, [64, 64]), value: 0 }],
      },
    ],
  }
  for (const plain of [false, true]) {
    const codes = codesOf(two, { ...limits, plain })
    assert.is(codes.length, 2)
    assert.is(codes[0], codes[1])
  }
})

test('a tile that was measured is taken at the precision that it was measured with', () => {
  const program = product('float32', 64, 64, 64)
  const [launch] = program.launches as readonly [Extract<Launch, { readonly kind: 'matmul' }>]
  const [large, , small] = tiles as readonly [Tile, Tile, Tile]
  const table = { [tileKey('one', launch, 'f32')]: small, [tileKey('one', launch, 'f16')]: large }
  const sizeOn = (device: string, factors: 'f32' | 'f16'): string | undefined => {
    const own = { ...limits, factors }
    const [dispatch] = dispatchesIn(
      recorded(program, { tile: undefined, tiles: table, device }, own).steps.flat(),
    )
    return /tileA: array<[^,]+, (\d+)>/.exec(dispatch?.code ?? '')?.[1]
  }
  const vectors = ({ rows: tall, depth }: Tile): string => String((tall * depth) / 4)
  assert.is(sizeOn('one', 'f32'), vectors(small))
  assert.is(sizeOn('one', 'f16'), vectors(large))
  assert.is(sizeOn('two', 'f16'), vectors(tiles[2] as Tile), 'as its size says')
})

/** Kept, because what it gives dies with it. */
let door: GPU | undefined

/** Dawn's compiler with a device that computes nothing and has every feature. */
const compiler = async (): Promise<{ readonly device: GPUDevice; readonly ticker: Ticker } | string> => {
  const name = 'webgpu'
  const dawn = (await import(name).catch(() => undefined)) as
    { readonly create: (options: readonly string[]) => GPU } | undefined
  if (dawn === undefined) return "npm's package webgpu does not load on this system"
  const ticker = tickerFor(true)
  const gpu = (door ??= ticker.called(() => dawn.create(['backend=null'])))
  const adapter = await ticker.awaited(() => gpu.requestAdapter())
  if (adapter === null) return 'Dawn has no device that computes nothing'
  const wanted = ['shader-f16', 'subgroups'] as const
  const missing = wanted.find((feature) => !adapter.features.has(feature))
  if (missing !== undefined) return `Dawn's device that computes nothing has no ${missing}`
  return {
    ticker,
    device: await ticker.awaited(() => adapter.requestDevice({ requiredFeatures: [...wanted] })),
  }
}

await loadGpuJs()
const found = await compiler()
if (typeof found === 'string') skip(test, 'kernels accepted by the compiler', found)
else {
  const { device, ticker } = found
  test('kernels in float16 and with subgroups of any size are accepted by the compiler', async () => {
    const codes = [
      ...tiles.map(({ rows: size }) => product('float32', 16 * size, 64, 16 * size)),
      ...[40, 300, 1500, 40000].map(rows),
    ].flatMap((program) => codesOf(program))
    assert.ok(codes.some((code) => code.startsWith('enable f16;')))
    assert.ok(codes.some((code) => code.startsWith('enable subgroups;')))
    for (const code of codes) {
      device.pushErrorScope('validation')
      const module = device.createShaderModule({ code })
      device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
      const error = await ticker.awaited(() => device.popErrorScope())
      assert.is(error, null, `${error?.message}\n${code}`)
    }
  })
  test.after(() => device.destroy())
}

test.run()
