// @jax-js/jax on its backend for wasm or for WebGPU: the same steps, products, rows and operations as ours, one JSON line a figure.
import { performance } from 'node:perf_hooks'
import { loads } from '../size.ts'
import { nameOf, paceOf, shapesOf } from '../shape.ts'
import { compileTimeOf, shortTimeOf, median, timeOf } from '../clock.ts'
import { workersForBlobs } from './worker.js'

const [what, argument, threads = '1', seconds = '4', backend = 'wasm'] = process.argv.slice(2)
// Its worker threads need a browser's Worker, which Node has not.
if (threads !== '1') await workersForBlobs()
if (backend === 'webgpu') {
  // It looks for a browser's WebGPU, which Dawn is in Node.
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  globalThis.dawn = create([])
  Object.defineProperty(globalThis.navigator, 'gpu', { value: globalThis.dawn, configurable: true })
}
const { init, defaultDevice, numpy: np, jit, grad, nn, tree, valueAndGrad } = await import('@jax-js/jax')
await init(backend)
defaultDevice(backend)
const engine = backend === 'wasm' ? 'jax-js' : `jax-js-${backend}`

const print = (line) => console.log(JSON.stringify({ engine, threads: Number(threads), ...line }))
const drawn = (shape, scale = 0.07) => {
  const size = shape.reduce((n, m) => n * m, 1)
  return np.array(new Float32Array(size).map(() => (Math.random() - 0.5) * scale)).reshape(shape)
}
const filled = (size, value) => np.array(new Float32Array(size).fill(value))

const step = async ({ vocabulary, width, layers, heads, hidden, time, batch }) => {
  const block = () => ({
    gain1: filled(width, 1),
    bias1: filled(width, 0),
    qkv: drawn([width, 3 * width]),
    qkvBias: filled(3 * width, 0),
    out: drawn([width, width]),
    outBias: filled(width, 0),
    gain2: filled(width, 1),
    bias2: filled(width, 0),
    up: drawn([width, hidden]),
    upBias: filled(hidden, 0),
    down: drawn([hidden, width]),
    downBias: filled(width, 0),
  })
  let params = {
    word: drawn([vocabulary, width]),
    position: drawn([time, width]),
    head: drawn([width, vocabulary]),
    gain: filled(width, 1),
    bias: filled(width, 0),
    blocks: Array.from({ length: layers }, block),
  }
  const norm = (x, gain, bias) => nn.standardize(x, -1).mul(gain).add(bias)
  // A gather has no gradient under its jit, so the embedding is a product with one-hot rows.
  const loss = (p, ids, labels) => {
    let x = np.matmul(nn.oneHot(ids, vocabulary), p.word).reshape([batch, time, width]).add(p.position)
    for (const w of p.blocks) {
      const h = np
        .matmul(norm(x.ref, w.gain1, w.bias1), w.qkv)
        .add(w.qkvBias)
        .reshape([batch, time, 3, heads, width / heads])
      const [q, k, v] = [0, 1, 2].map((j) => (j < 2 ? h.ref : h).slice([], [], j))
      const y = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, time, width])
      x = x.add(np.matmul(y, w.out).add(w.outBias))
      const z = nn.gelu(np.matmul(norm(x.ref, w.gain2, w.bias2), w.up).add(w.upBias), { approximate: true })
      x = x.add(np.matmul(z, w.down).add(w.downBias))
    }
    const logits = np.matmul(norm(x, p.gain, p.bias), p.head).reshape([batch * time, vocabulary])
    return nn
      .logSoftmax(logits, -1)
      .mul(nn.oneHot(labels, vocabulary))
      .sum()
      .mul(-1 / (batch * time))
  }
  const zeros = () => tree.map((x) => np.zerosLike(x.ref), params)
  let [m, v] = [zeros(), zeros()]
  const update = jit((p, m, v, c1, c2, ids, labels) => {
    const [value, g] = valueAndGrad(loss)(tree.ref(p), ids, labels)
    const m2 = tree.map((a, b) => a.mul(0.9).add(b.ref.mul(0.1)), m, g)
    const v2 = tree.map((a, b) => a.mul(0.999).add(b.ref.mul(b).mul(0.001)), v, g)
    const p2 = tree.map(
      (x, a, b) =>
        x.ref.sub(
          a.ref
            .mul(c1.ref)
            .div(np.sqrt(b.ref.mul(c2.ref)).add(1e-8))
            .add(x.mul(0.01))
            .mul(1e-3),
        ),
      p,
      m2,
      v2,
    )
    return [p2, m2, v2, value]
  })
  const ids = () =>
    np.array(Int32Array.from({ length: batch * time }, () => Math.floor(Math.random() * vocabulary)))
  const [inputs, labels] = [ids(), ids()]
  let count = 0
  const turn = async () => {
    const before = performance.now()
    count++
    const correction = [0.9, 0.999].map((beta) => np.array(1 / (1 - beta ** count)))
    const [p2, m2, v2, value] = update(params, m, v, ...correction, inputs.ref, labels.ref)
    ;[params, m, v] = [p2, m2, v2]
    await value.data()
    return performance.now() - before
  }
  const first = await turn()
  const times = []
  const start = performance.now()
  await turn()
  const passed = () => (performance.now() - start) / 1e3
  // Three turns and the seconds there are, but no more than three times those: the slow take long for each.
  while (times.length < 1 || passed() < (times.length < 3 ? 3 : 1) * Number(seconds)) times.push(await turn())
  const msPerStep = median(times)
  print({
    load: argument,
    msPerStep,
    tokensPerSecond: ((batch * time) / msPerStep) * 1e3,
    compileMs: compileTimeOf(first, times),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })
}

const matmul = async () => {
  const { queued, turns } = paceOf(argument, backend === 'webgpu')
  for (const shape of shapesOf(argument)) {
    const { batch, rows, inner, columns } = shape
    const lead = batch === 1 ? [] : [batch]
    const [a, b] = [drawn([...lead, rows, inner], 1), drawn([...lead, inner, columns], 1)]
    const product = jit((x, y) => np.matmul(x, y))
    const total = await timeOf(async () => {
      // Nothing runs before it is asked for, and what is disposed of unasked never does: taking the buffer asks.
      for (let n = 1; n < queued; n++) await product(a.ref, b.ref).gpuBuffer()
      const last = product(a.ref, b.ref)
      await last.blockUntilReady()
      last.dispose()
    }, turns)
    const ms = total / queued
    print({ shape: nameOf(shape), ms, gflops: (2 * batch * rows * inner * columns) / ms / 1e6 })
  }
}

const rows = async () => {
  const size = 2 ** 20
  const [flat, other] = [drawn([size], 6), drawn([size], 1)]
  const matrix = drawn([4096, 256], 6)
  const [gain, bias] = [drawn([256], 1), drawn([256], 1)]
  const cases = [
    ['add', jit((a, b) => a.add(b)), [flat, other]],
    [
      'gelu backward',
      jit((x, g) => grad((y) => nn.gelu(y, { approximate: true }).mul(g).sum())(x)),
      [flat, other],
    ],
    ['softmax [4096, 256]', jit((x) => nn.softmax(x, -1)), [matrix]],
    ['layer norm [4096, 256]', jit((x, g, b) => nn.standardize(x, -1).mul(g).add(b)), [matrix, gain, bias]],
  ]
  for (const [name, f, args] of cases) {
    const ms = await timeOf(async () => {
      const y = f(...args.map((x) => x.ref))
      await y.blockUntilReady()
      y.dispose()
    })
    print({ case: name, nsPerElement: (ms * 1e6) / size })
  }
}

// Its eager operations are queued: each figure includes the read that waits for it.
const eager = async () => {
  const [a, b] = [drawn([8, 8], 1), drawn([8, 8], 1)]
  const gradient = grad((w, x) => np.matmul(x, w).sum())
  const cases = [
    ['add', () => a.ref.add(b.ref).dataSync(), 300],
    ['matmul', () => np.matmul(a.ref, b.ref).dataSync(), 300],
    ['matmul, sum and gradient', () => gradient(a.ref, b.ref).dataSync(), 100],
  ]
  for (const [name, f, calls] of cases) print({ case: name, microseconds: shortTimeOf(f, calls) })
}

await { step: () => step(loads[argument]), matmul, rows, eager }[what]()
process.exit(0)
