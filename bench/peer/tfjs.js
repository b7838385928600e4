// TensorFlow.js on its wasm backend: the same steps, products, rows and operations as ours, one JSON line a figure.
import { performance } from 'node:perf_hooks'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { loads } from '../size.ts'
import { matmulShapes, nameOf } from '../shape.ts'
import { compileTimeOf, median, shortTimeOf, timeOf } from '../clock.ts'

const require = createRequire(import.meta.url)
const tf = require('@tensorflow/tfjs')
const wasm = require('@tensorflow/tfjs-backend-wasm')

const [what, argument, threads = '1', seconds = '4'] = process.argv.slice(2)
console.warn = () => undefined
wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + '/')
wasm.setThreadsCount(Number(threads))
await tf.setBackend('wasm')
await tf.ready()

const print = (line) =>
  console.log(JSON.stringify({ engine: 'tfjs-wasm', threads: Number(threads), ...line }))

const step = ({ vocabulary, width, layers, heads, hidden, time, batch }) => {
  const rows = batch * time
  const drawn = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.02))
  const filled = (size, value) => tf.variable(tf.fill([size], value))
  const top = {
    word: drawn(vocabulary, width),
    position: drawn(time, width),
    head: drawn(width, vocabulary),
    gain: filled(width, 1),
    bias: filled(width, 0),
  }
  const blocks = Array.from({ length: layers }, () => ({
    gain1: filled(width, 1),
    bias1: filled(width, 0),
    qkv: drawn(width, 3 * width),
    qkvBias: filled(3 * width, 0),
    out: drawn(width, width),
    outBias: filled(width, 0),
    gain2: filled(width, 1),
    bias2: filled(width, 0),
    up: drawn(width, hidden),
    upBias: filled(hidden, 0),
    down: drawn(hidden, width),
    downBias: filled(width, 0),
  }))
  const variables = [...Object.values(top), ...blocks.flatMap((block) => Object.values(block))]
  const norm = (x, gain, bias) => {
    const centred = x.sub(x.mean(-1, true))
    return centred.mul(centred.square().mean(-1, true).add(1e-5).rsqrt()).mul(gain).add(bias)
  }
  const gelu = (x) => x.mul(0.5).mul(x.add(x.square().mul(x).mul(0.044715)).mul(0.7978845608).tanh().add(1))
  const unseen = Float32Array.from({ length: time * time }, (_, i) =>
    i % time > Math.floor(i / time) ? -1e9 : 0,
  )
  const mask = tf.tensor2d(unseen, [time, time])
  const ids = () =>
    tf.tensor1d(
      Int32Array.from({ length: rows }, () => Math.floor(Math.random() * vocabulary)),
      'int32',
    )
  // A gather has no gradient on this backend, so the embedding is a product with one-hot rows.
  const inputs = tf.oneHot(ids(), vocabulary).toFloat()
  const labels = tf.oneHot(ids(), vocabulary).toFloat()
  const logits = () => {
    let x = tf.matMul(inputs, top.word).reshape([batch, time, width]).add(top.position).reshape([rows, width])
    for (const w of blocks) {
      const h = norm(x, w.gain1, w.bias1)
        .matMul(w.qkv)
        .add(w.qkvBias)
        .reshape([batch, time, 3, heads, width / heads])
        .transpose([2, 0, 3, 1, 4])
      const [q, k, v] = tf.unstack(h, 0)
      const scores = tf
        .matMul(q, k, false, true)
        .mul(1 / Math.sqrt(width / heads))
        .add(mask)
      const y = tf.matMul(tf.softmax(scores), v).transpose([0, 2, 1, 3]).reshape([rows, width])
      x = x.add(y.matMul(w.out).add(w.outBias))
      const z = gelu(norm(x, w.gain2, w.bias2).matMul(w.up).add(w.upBias))
      x = x.add(z.matMul(w.down).add(w.downBias))
    }
    return norm(x, top.gain, top.bias).matMul(top.head)
  }
  const loss = () =>
    tf
      .logSoftmax(logits(), -1)
      .mul(labels)
      .sum()
      .mul(-1 / rows)
  const first = variables.map((v) => tf.zerosLike(v))
  const second = variables.map((v) => tf.zerosLike(v))
  let count = 0
  const turn = () => {
    const before = performance.now()
    count++
    const value = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss, variables)
      variables.forEach((v, i) => {
        const g = grads[v.name]
        const m = first[i].mul(0.9).add(g.mul(0.1))
        const s = second[i].mul(0.999).add(g.square().mul(0.001))
        const root = s
          .mul(1 / (1 - 0.999 ** count))
          .sqrt()
          .add(1e-8)
        v.assign(
          v.sub(
            m
              .mul(1 / (1 - 0.9 ** count))
              .div(root)
              .add(v.mul(0.01))
              .mul(1e-3),
          ),
        )
        first[i].dispose()
        second[i].dispose()
        first[i] = tf.keep(m)
        second[i] = tf.keep(s)
      })
      return value
    })
    value.dataSync()
    value.dispose()
    return performance.now() - before
  }
  const opening = turn()
  const times = []
  const start = performance.now()
  const passed = () => (performance.now() - start) / 1e3
  // Two turns and the seconds there are, but no more than three times those: the slow take long for each.
  while (times.length < 1 || passed() < (times.length < 2 ? 3 : 1) * Number(seconds)) times.push(turn())
  const msPerStep = median(times)
  print({
    load: argument,
    msPerStep,
    tokensPerSecond: (rows / msPerStep) * 1e3,
    compileMs: compileTimeOf(opening, times),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })
}

const matmul = async () => {
  for (const shape of matmulShapes) {
    const { batch, rows, inner, columns } = shape
    const lead = batch === 1 ? [] : [batch]
    const [a, b] = [tf.randomUniform([...lead, rows, inner]), tf.randomUniform([...lead, inner, columns])]
    const ms = await timeOf(() => tf.matMul(a, b).dispose(), { warm: 2, turns: 5, milliseconds: 300 })
    print({ shape: nameOf(shape), ms, gflops: (2 * batch * rows * inner * columns) / ms / 1e6 })
  }
}

const rows = async () => {
  const size = 2 ** 20
  const [flat, other] = [tf.randomUniform([size], -3, 3), tf.randomUniform([size])]
  const matrix = tf.randomUniform([4096, 256])
  const [gain, bias] = [tf.randomUniform([256]), tf.randomUniform([256])]
  const gelu = (x) => x.mul(0.5).mul(x.add(x.square().mul(x).mul(0.044715)).mul(0.7978845608).tanh().add(1))
  const backward = tf.grad((x) => gelu(x))
  const norm = (x) => {
    const centred = x.sub(x.mean(-1, true))
    return centred.mul(centred.square().mean(-1, true).add(1e-5).rsqrt()).mul(gain).add(bias)
  }
  const cases = [
    ['add', () => tf.add(flat, other)],
    ['gelu backward', () => backward(flat, other)],
    ['softmax [4096, 256]', () => tf.softmax(matrix)],
    ['layer norm [4096, 256]', () => norm(matrix)],
  ]
  for (const [name, f] of cases) {
    const ms = await timeOf(() => void tf.tidy(() => void f()))
    print({ case: name, nsPerElement: (ms * 1e6) / size })
  }
}

const eager = () => {
  const [a, b] = [tf.randomUniform([8, 8]), tf.randomUniform([8, 8])]
  const w = tf.variable(b)
  const cases = [
    ['add', () => tf.add(a, b).dispose(), 2000],
    ['matmul', () => tf.matMul(a, b).dispose(), 2000],
    [
      'matmul, sum and gradient',
      () => tf.tidy(() => void tf.variableGrads(() => tf.matMul(a, w).sum(), [w])),
      500,
    ],
  ]
  for (const [name, f, calls] of cases) print({ case: name, microseconds: shortTimeOf(f, calls) })
}

await { step: () => step(loads[argument]), matmul, rows, eager }[what]()
process.exit(0)
