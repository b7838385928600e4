import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostArray, Launch, Memory, Operand, Program, ScalarOp } from '../../../kernels/index.ts'
import { chooseEngineAsync, contiguous, openWebGpu, prepareWebGpu, sizeOf } from '../../../kernels/index.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import { tiles } from '../../../kernels/webgpu/index.ts'
import { agreesOn } from '../../law/engine.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu engine')

const plain = (buffer: number, shape: readonly number[]): Operand & { readonly kind: 'buffer' } => ({
  kind: 'buffer',
  buffer,
  strides: contiguous(shape),
  offset: 0,
})

/** Whole numbers, so that sums are exact in any order. */
const whole = (size: number, most = 3): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => (((i * 2654435761) >>> 9) % (2 * most + 1)) - most)

const single = (sizes: readonly number[], result: number, launch: Launch): Program => ({
  buffers: [...sizes, result].map((size) => ({ dtype: 'float32', size })),
  inputs: sizes.map((_, index) => index),
  outputs: [sizes.length],
  donated: [],
  launches: [launch],
})

const added = (size: number): Launch => ({
  kind: 'map',
  shape: [size],
  operands: [plain(0, [size]), plain(1, [size])],
  body: [
    { op: 'read', index: 0, dtype: 'float32' },
    { op: 'read', index: 1, dtype: 'float32' },
    { op: 'add', args: [0, 1], dtype: 'float32' },
  ],
  outputs: [{ target: plain(2, [size]), value: 2 }],
})

interface Product {
  readonly batch: number
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly transposed: boolean
}

/** a · b + c, c along the columns. */
const product = ({ batch, rows, inner, columns, transposed }: Product): Program =>
  single([batch * rows * inner, batch * inner * columns, columns], batch * rows * columns, {
    kind: 'matmul',
    batch: [batch],
    rows,
    inner,
    columns,
    a: { buffer: 0, offset: 0, strides: transposed ? [rows * inner, 1, rows] : [rows * inner, inner, 1] },
    b: {
      buffer: 1,
      offset: 0,
      strides: transposed ? [inner * columns, 1, inner] : [inner * columns, columns, 1],
    },
    operands: [{ kind: 'buffer', buffer: 2, strides: [0, 0, 1], offset: 0 }],
    body: [
      { op: 'fold', index: 0, dtype: 'float32' },
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'add', args: [0, 1], dtype: 'float32' },
    ],
    outputs: [{ target: plain(3, [batch, rows, columns]), value: 2 }],
  })

const wholeInputs = ({ buffers, inputs }: Program): readonly HostArray[] =>
  inputs.map((id) => whole(buffers[id]?.size ?? 0))

const folds = ['sum', 'max', 'min', 'argmax', 'argmin'] as const

/** Every kind of fold over the inner axes of an operand. */
const folded = (outer: readonly number[], inner: readonly number[], strides: readonly number[]): Program => {
  const dtype = (op: string) => (op.startsWith('arg') ? ('int32' as const) : ('float32' as const))
  return {
    buffers: [
      { dtype: 'float32', size: sizeOf([...outer, ...inner]) },
      ...folds.map((op) => ({ dtype: dtype(op), size: sizeOf(outer) })),
    ],
    inputs: [0],
    outputs: folds.map((_, index) => index + 1),
    donated: [],
    launches: [
      {
        kind: 'reduce',
        outer,
        inner,
        operands: [{ kind: 'buffer', buffer: 0, strides, offset: 0 }],
        body: [
          { op: 'read', index: 0, dtype: 'float32' },
          ...folds.map((op, index) => ({ op: 'fold' as const, index, dtype: dtype(op) })),
        ],
        folds: folds.map((op) => ({ op, value: 0 })),
        outputs: folds.map((_, index) => ({
          over: 'outer',
          value: index + 1,
          target: plain(index + 1, outer),
        })),
      },
    ],
  }
}

const agrees = (
  engine: WebGpuEngine,
  program: Program,
  inputs: readonly HostArray[] = wholeInputs(program),
): Promise<void> => agreesOn(engine, { program, inputs, tolerances: program.outputs.map(() => 0) })

const onGpu = (engine: WebGpuEngine): void => {
  test('names the adapter, its limits and features', () => {
    assert.is(engine.name, 'webgpu')
    assert.match(engine.detail, engine.adapter.name)
    assert.match(engine.detail, /\d+ buffers of up to \d+ MiB a kernel; groups of \d+ threads/)
  })

  test('float64 is refused by name', () => {
    assert.not(engine.supports('float64'))
    assert.throws(() => engine.upload(Float64Array.of(1)), 'webgpu: float64 is not supported')
  })

  for (const [name, options, rows, columns] of [
    ...tiles.map(
      (tile) => [`tiles of ${tile.rows} × ${tile.columns}`, { tile }, tile.rows, tile.columns] as const,
    ),
    // Blocks of every kind.
    ...([60, 24] as const).flatMap((tall) =>
      ([60, 24] as const).map(
        (broad) => [`registers alone, ${tall} × ${broad}`, { plain: true }, tall, broad] as const,
      ),
    ),
  ])
    test(`products in ${name}, edges and transposed operands included`, async () => {
      const own = openWebGpu({ software: true, ...options })
      if (E.isLeft(own)) return assert.unreachable(own.left)
      for (const [transposed, more, inner] of [
        [false, 5, 19],
        [true, -3, 40],
        // Whole vectors, from both sides of both operands.
        [false, 4, 20],
        [true, 4, 20],
      ] as const)
        await agrees(
          own.right,
          product({ batch: 2, rows: rows + more, inner, columns: columns + more, transposed }),
        )
      await own.right.close()
    })

  test('folds of long rows, in two steps', () => agrees(engine, folded([2], [40000], [40000, 1])))

  test('folds of rows, a thread each', async () => {
    const own = openWebGpu({ software: true, plain: true })
    if (E.isLeft(own)) return assert.unreachable(own.left)
    await agrees(own.right, folded([70], [300], [300, 1]))
    await agrees(own.right, folded([70], [300], [1, 70]))
    await agrees(own.right, folded([2], [40000], [40000, 1]))
    await own.right.close()
  })

  test('folds of columns', () => agrees(engine, folded([70], [3000], [1, 70])))

  test('folds of many short rows', () => agrees(engine, folded([70000], [3], [3, 1])))

  test('folds over axes that are not neighbours', () =>
    agrees(engine, folded([5, 7], [11, 13], [143, 715, 13, 1])))

  const rows = (kind: 'sort' | 'scan', count: number, length: number): Program => ({
    ...single([count * length], count * length, {
      ...(kind === 'sort'
        ? { kind, descending: true, outer: [count], length }
        : { kind, op: 'sum', reverse: true, outer: [count], length }),
      input: plain(0, [count, length]),
      target: plain(1, [count, length]),
    } as Launch),
    buffers: [
      { dtype: 'float32', size: count * length },
      { dtype: kind === 'sort' ? 'int32' : 'float32', size: count * length },
    ],
  })

  test('sorts rows longer than a group, ties in order', () => agrees(engine, rows('sort', 3, 1500)))

  test('scans rows longer than a group', () => agrees(engine, rows('scan', 3, 1500)))

  test('a scatter adds in order, to the last bit, whatever meets', async () => {
    const [count, width, held] = [700, 9, 13]
    const program: Program = {
      buffers: [
        { dtype: 'float32', size: count * width },
        { dtype: 'int32', size: count },
        { dtype: 'float32', size: held * width },
      ],
      inputs: [0, 1, 2],
      outputs: [2],
      donated: [2],
      launches: [
        {
          kind: 'scatter',
          op: 'add',
          shape: [count, width],
          operands: [plain(0, [count, width])],
          body: [{ op: 'read', index: 0, dtype: 'float32' }],
          value: 0,
          target: { buffer: 2, strides: [0, 1], offset: 0 },
          at: [{ index: { buffer: 1, strides: [1, 0], offset: 0 }, stride: width, size: held }],
        },
      ],
    }
    const values = Float32Array.from({ length: count * width }, (_, i) => Math.sin(i) * 10 ** (i % 5))
    const places = Int32Array.from({ length: count }, (_, i) => ((i * 7919) % 17) - 2)
    await agrees(engine, program, [values, places, new Float32Array(held * width)])
  })

  test('one memory may be several arguments, also a donated one', async () => {
    const program = { ...single([4, 4], 4, added(4)), donated: [0] }
    const { run } = engine.compile(program)
    const memory = engine.upload(Float32Array.of(1, 2, 3, 4))
    const [result] = run([memory, memory]) as [Memory]
    assert.equal(await engine.read(result), Float32Array.of(2, 4, 6, 8))
    engine.release(result)
    engine.release(memory)
  })

  test("a user's kernel reads integers and truth values, and writes them", async () => {
    const source = 'function (a, b) { return a[this.thread.x] * 2 + b[3 - this.thread.x]; }'
    const program: Program = {
      buffers: [
        { dtype: 'int32', size: 4 },
        { dtype: 'bool', size: 4 },
        { dtype: 'int32', size: 4 },
      ],
      inputs: [0, 1],
      outputs: [2],
      donated: [],
      launches: [{ kind: 'custom', source, inputs: [0, 1], target: 2, size: 4 }],
    }
    await agrees(engine, program, [Int32Array.of(-3, 0, 5, 7), Uint8Array.of(1, 0, 0, 1)])
  })

  test("a user's kernel that gpu.js cannot compile is refused when it is compiled", () => {
    const source = 'function (a) { return [...a].reduce((x, y) => x + y); }'
    const program = single([4], 4, { kind: 'custom', source, inputs: [0], target: 1, size: 4 })
    assert.throws(() => engine.compile(program))
  })

  test('buffers do not grow over 500 steps', async () => {
    const size = 4096
    const launches = [added(size)]
    const step = engine.compile({ ...single([size, size], size, launches[0] as Launch), donated: [0] })
    const delta = engine.upload(new Float32Array(size).fill(1))
    let state = engine.upload(new Float32Array(size))
    let held = 0
    for (let count = 0; count < 500; count++) {
      const batch = engine.upload(new Float32Array(size).fill(1))
      state = step.run([state, batch])[0] as Memory
      engine.release(batch)
      if (count === 20) held = engine.held().bytes
    }
    assert.is(engine.held().bytes, held)
    assert.equal((await engine.read(state)).at(-1), 500)
    engine.release(state)
    engine.release(delta)
  })

  test('a dispatch takes little JavaScript', async () => {
    const size = 256
    const launch = added(size) as Extract<Launch, { readonly kind: 'map' }>
    const count = 200
    const many: Program = {
      buffers: Array.from({ length: count + 2 }, () => ({ dtype: 'float32', size })),
      inputs: [0, 1],
      outputs: [count + 1],
      donated: [],
      launches: Array.from({ length: count }, (_, index) => ({
        ...launch,
        operands: [plain(index === 0 ? 0 : index + 1, [size]), plain(1, [size])],
        outputs: [{ target: plain(index + 2, [size]), value: 2 }],
      })),
    }
    const { run, plan } = engine.compile(many)
    assert.ok(plan.temporaryBytes <= 3 * 4 * size, 'temporaries share buffers')
    const inputs = [engine.upload(whole(size)), engine.upload(whole(size))]
    let best = Infinity
    for (let round = 0; round < 10; round++) {
      const start = performance.now()
      const [result] = run(inputs) as [Memory]
      best = Math.min(best, performance.now() - start)
      await engine.read(result)
      engine.release(result)
    }
    inputs.forEach(engine.release)
    console.log(`${((best / count) * 1000).toFixed(1)} µs of JavaScript a dispatch`)
  })

  test('an expression of more buffers than the device binds is computed in parts', async () => {
    const count = engine.adapter.limits.buffersPerKernel + 1
    const operands = Array.from({ length: count }, (_, buffer) => plain(buffer, [2]))
    const read = (index: number): ScalarOp => ({ op: 'read', index, dtype: 'float32' })
    const program = single(
      operands.map(() => 2),
      2,
      {
        kind: 'map',
        shape: [2],
        operands,
        body: [
          read(0),
          ...operands
            .slice(1)
            .flatMap((_, index): readonly ScalarOp[] => [
              read(index + 1),
              { op: 'add', args: [2 * index, 2 * index + 1], dtype: 'float32' },
            ]),
        ],
        outputs: [{ target: plain(count, [2]), value: 2 * count - 2 }],
      },
    )
    await agrees(engine, program)
  })

  test("a user's kernel of more buffers than the device binds is refused by name", () => {
    const count = engine.adapter.limits.buffersPerKernel
    const names = Array.from({ length: count }, (_, index) => `a${index}`)
    const source = `function (${names.join(', ')}) { return ${names.map((name) => `${name}[this.thread.x]`).join(' + ')}; }`
    const program = single(
      names.map(() => 4),
      4,
      { kind: 'custom', source, inputs: names.map((_, index) => index), target: count, size: 4 },
    )
    assert.throws(() => engine.compile(program), `needs ${count + 1} buffers, but`)
  })

  test('more groups than a dispatch may have along one axis', async () => {
    const size = 64 * 65535 + 77
    const inputs = [whole(size), whole(size)] as const
    const { run } = engine.compile(single([size, size], size, added(size)))
    const memories = inputs.map((data) => engine.upload(data))
    const [result] = run(memories) as [Memory]
    const found = await engine.read(result)
    const wrong = found.findIndex((x, i) => x !== (inputs[0][i] as number) + (inputs[1][i] as number))
    assert.is(wrong, -1)
    for (const memory of [...memories, result]) engine.release(memory)
  })

  test('a buffer larger than the device allows is refused with both numbers, before anything is begun', () => {
    const size = engine.adapter.limits.bytesPerBuffer / 4 + 1
    const program = single([1], size, {
      kind: 'map',
      shape: [size],
      operands: [{ kind: 'buffer', buffer: 0, strides: [0], offset: 0 }],
      body: [{ op: 'read', index: 0, dtype: 'float32' }],
      outputs: [{ target: plain(1, [size]), value: 0 }],
    })
    const most = engine.adapter.limits.bytesPerBuffer
    assert.throws(
      () => engine.compile(program),
      `not begun: buffer 1 needs one buffer of ${most + 4} bytes, but ${engine.adapter.name} allows ${most}`,
    )
  })

  test('a software adapter is taken only by its own name, and the choice says why', async () => {
    if (!engine.adapter.software) return
    const refused = openWebGpu()
    assert.match(E.isLeft(refused) ? refused.left : '', 'taken only by the name webgpu:software')
    const choice = await chooseEngineAsync('webgpu:software')
    assert.is(E.isRight(choice) && choice.right.name, 'webgpu:software')
    if (E.isRight(choice)) await choice.right.engine.close()
  })

  test('once closed, it says so; opened again, it works', async () => {
    const memory = engine.upload(Float32Array.of(1))
    await engine.close()
    assert.throws(() => engine.upload(Float32Array.of(1)), 'webgpu: the engine was closed')
    await engine.read(memory).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, 'webgpu: the engine was closed'),
    )
    await prepareWebGpu()
    const again = openWebGpu({ software: true })
    if (E.isLeft(again)) return assert.unreachable(again.left)
    assert.equal(await again.right.read(again.right.upload(Float32Array.of(7))), Float32Array.of(7))
    await again.right.close()
  })
}

const opened = await gpuForTests({ plain: false })
if (E.isLeft(opened)) skip(test, 'the engine on a device', opened.left)
else onGpu(opened.right)

test.run()
