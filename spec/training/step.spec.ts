/** The step: one compiled function of state and batch, whatever it is made of. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  grad,
  item,
  matmul,
  mean,
  mul,
  ones,
  random,
  square,
  sub,
  sum,
  tanh,
  tensor,
  toArraySync,
  tree,
  zeros,
} from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import {
  adamW,
  clipByGlobalNorm,
  chain,
  globalNorm,
  initState,
  makeAccumulatingStep,
  makeStep,
  sgd,
} from '../../training/index.ts'
import type { Metrics, TrainState } from '../../training/index.ts'
import { batchNorm, initialStatistics, training } from '../../nn/index.ts'
import type { BatchStatistics } from '../../nn/index.ts'
import { leakFreeAt } from '../law/leak.ts'
import { assertClose } from './fixture.ts'

const step = suite('step')

interface Params {
  readonly body: { readonly weight: Tensor; readonly bias: Tensor }
  readonly head: Tensor
}

interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

const params = (): Params => {
  const [a, b, c] = random.split(random.key(1), 3)
  return {
    body: { weight: random.normal(a, [3, 4]), bias: random.normal(b, [4]) },
    head: random.normal(c, [4, 2]),
  }
}

const batchOf = (size: number, seed: number): Batch => {
  const [a, b] = random.split(random.key(seed))
  return { x: random.normal(a, [size, 3]), y: random.normal(b, [size, 2]) }
}

const predict = ({ body, head }: Params, x: Tensor): Tensor =>
  matmul(tanh(add(matmul(x, body.weight), body.bias)), head)

const loss = (p: Params, { x, y }: Batch): Tensor => mean(square(sub(predict(p, x), y)))

const bits = (x: unknown): readonly number[] =>
  tree.leaves(x).flatMap((leaf) => Array.from(toArraySync(leaf)))

const key = random.key(5)

step('is the optimizer on the gradient of the loss', async () => {
  const state = initState(params(), sgd({ learningRate: 0.1 }), key)
  const [next, metrics] = makeStep({ objective: loss, optimizer: sgd({ learningRate: 0.1 }) })(
    state,
    batchOf(5, 2),
  )
  const gradients = grad((p: Params) => loss(p, batchOf(5, 2)))(params())
  const expected = tree.map((p, g) => sub(p, mul(0.1, g as Tensor)), params(), gradients)
  tree
    .leaves(next.params)
    .forEach((leaf, i) => assertClose(leaf, tree.leaves(expected)[i] as Tensor, `parameter ${i}`))
  assertClose(metrics.loss, loss(params(), batchOf(5, 2)), 'loss')
  assertClose(metrics.gradientNorm, globalNorm(gradients), 'norm')
  assert.is(await item(next.step), 1)
  assert.equal(bits(next.key), bits(key))
})

step('tells the norm before clipping, and metrics of the objective beside it', async () => {
  const optimizer = chain(clipByGlobalNorm(1e-3), sgd({ learningRate: 1 }))
  const train = makeStep({
    objective: (p: Params, batch: Batch) => [loss(p, batch), { largest: sum(batch.x) }] as const,
    optimizer,
  })
  const [next, metrics] = train(initState(params(), optimizer, key), batchOf(5, 2))
  assert.ok((await item(metrics.gradientNorm)) > 0.1)
  assert.equal(Object.keys(metrics), ['loss', 'gradientNorm', 'largest'])
  assertClose(metrics.largest, sum(batchOf(5, 2).x), 'metric')
  const moved = globalNorm(tree.map((a, b) => sub(a, b as Tensor), next.params, params()))
  assertClose(moved, [1e-3], 'distance', { relative: 1e-3 })
})

step('the key of step i is the run’s key folded by i', () => {
  const train = makeStep({
    objective: (w: Tensor, _: Tensor, k: Key) => [sum(w), { drawn: random.uniform(k, [3]) }] as const,
    optimizer: sgd({ learningRate: 1 }),
  })
  let state: TrainState<Tensor> = initState<Tensor>(zeros([1]), sgd({ learningRate: 1 }), key)
  for (let i = 0; i < 3; i++) {
    const [next, metrics] = train(state, zeros([]))
    assert.equal(bits(metrics.drawn), bits(random.uniform(random.foldIn(key, i), [3])))
    state = next
  }
})

step('what is not trained stays bit for bit, and nothing is remembered of it', () => {
  const isHead = (path: string): boolean => path === 'head'
  const optimizer = adamW({ learningRate: 0.1, weightDecay: 0.5 })
  const state = initState(params(), optimizer, key, isHead)
  assert.equal(tree.pathsOf(state.optimizer), ['0/count', '0/firstMoment/head', '0/secondMoment/head'])
  const train = makeStep({ objective: loss, optimizer, trainable: isHead })
  const [next, metrics] = train(state, batchOf(5, 2))
  assert.equal(bits(next.params.body), bits(params().body))
  assert.not.equal(bits(next.params.head), bits(params().head))
  const own = grad((head: Tensor) => loss({ ...params(), head }, batchOf(5, 2)))(params().head)
  assertClose(metrics.gradientNorm, globalNorm(own), 'norm of what is trained')
  // the same structure again, so that it goes on
  const [after] = train(next, batchOf(5, 3))
  assert.equal(bits(after.params.body), bits(params().body))
})

step('the state before the first step shares nothing with what it was made of', () => {
  const own = params()
  const optimizer = adamW({ learningRate: 0.1 })
  const state = initState(own, optimizer, key)
  makeStep({ objective: loss, optimizer })(state, batchOf(5, 2))
  assert.equal(bits(own), bits(params()))
  assert.throws(() => toArraySync(state.params.head), /donated|taken over/)
})

step('micro-batches of any sizes, weighed by them, are one batch', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (sizes, seed) => {
        const total = sizes.reduce((a, b) => a + b, 0)
        const whole = batchOf(total, seed)
        const rows = (x: Tensor, from: number, size: number): Tensor =>
          tensor(
            Array.from({ length: size }, (_, i) => {
              const width = x.shape[1] as number
              return Array.from(toArraySync(x)).slice((from + i) * width, (from + i + 1) * width)
            }),
          )
        let from = 0
        const parts = sizes.map((size) => {
          const part = { x: rows(whole.x, from, size), y: rows(whole.y, from, size) }
          from += size
          return part
        })
        const optimizer = chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1 }))
        const objective = (p: Params, batch: Batch): readonly [Tensor, { readonly first: Tensor }] => [
          loss(p, batch),
          { first: mean(batch.x) },
        ]
        const [one, single] = makeStep({ objective, optimizer })(initState(params(), optimizer, key), whole)
        const accumulating = makeAccumulatingStep({
          objective,
          optimizer,
          weight: ({ x }: Batch) => add(zeros([]), x.shape[0] as number),
        })
        const [many, several] = accumulating(initState(params(), optimizer, key), parts)
        const close = { relative: 1e-4, absolute: 1e-6 }
        tree
          .leaves(many.params)
          .forEach((leaf, i) =>
            assertClose(leaf, tree.leaves(one.params)[i] as Tensor, `parameter ${i}`, close),
          )
        for (const name of ['loss', 'gradientNorm', 'first'] as const)
          assertClose(several[name], single[name], name, close)
      },
    ),
    { numRuns: 12 },
  )
})

step('micro-batch j of step i draws on the key folded by i and by j', () => {
  const optimizer = sgd({ learningRate: 1 })
  const drawn: Tensor[] = []
  const train = makeAccumulatingStep({
    objective: (w: Tensor, _: Tensor, k: Key) => [sum(mul(w, 0)), { drawn: random.uniform(k, []) }] as const,
    optimizer,
  })
  let state: TrainState<Tensor> = initState<Tensor>(zeros([1]), optimizer, key)
  for (let i = 0; i < 2; i++) {
    const [next, metrics] = train(state, [zeros([]), zeros([]), zeros([])])
    drawn.push(metrics.drawn)
    state = next
  }
  drawn.forEach((x, i) => {
    const each = [0, 1, 2].map((j) =>
      Array.from(toArraySync(random.uniform(random.foldIn(random.foldIn(key, i), j), []))),
    )
    assertClose(x, [each.flat().reduce((a, b) => a + b, 0) / 3], `step ${i}`)
  })
  assert.throws(() => train(state, []), /at least one micro-batch/)
})

step('steps leave nothing behind but the state and the metrics', async () => {
  const optimizer = adamW({ learningRate: 0.1 })
  const train = makeStep({ objective: loss, optimizer })
  const several = makeAccumulatingStep({ objective: loss, optimizer })
  const batch = batchOf(4, 1)
  const from = params()
  await leakFreeAt(() => {
    let state = initState(from, optimizer, key)
    for (let i = 0; i < 3; i++) {
      state = train(state, batch)[0]
      state = several(state, [batch, batch])[0]
    }
    return state
  }, [])
})

interface Normalised {
  readonly weight: Tensor
  readonly statistics: BatchStatistics
}

const norm = batchNorm(3, { momentum: 0.5 })
const normalised = (p: Normalised, { x, y }: Batch): readonly [Tensor, Metrics, Partial<Normalised>] => {
  const parts = norm.init(key)
  const { x: even, statistics } = norm.apply(parts, training(key))({ x, statistics: p.statistics })
  return [mean(square(sub(matmul(even, p.weight), y))), {}, { statistics }]
}
const before = (): Normalised => ({ weight: ones([3, 2]), statistics: initialStatistics(3) })
const afterOne = ({ x }: Batch): Tensor => mul(0.5, mean(x, { axis: 0 })) // half of the mean, half of the zeros before
const decaying = adamW({ learningRate: 0.1, weightDecay: 0.5 })

step('what the objective keeps stands in the parameters, untouched by the optimizer', async () => {
  const train = makeStep({ objective: normalised, optimizer: decaying })
  const [one] = train(initState(before(), decaying, key), batchOf(5, 2))
  assertClose(one.params.statistics.mean, afterOne(batchOf(5, 2)), 'mean')
  assert.not.equal(bits(one.params.weight), bits(before().weight))
  const [two] = train(one, batchOf(5, 3))
  const expected = add(mul(0.5, afterOne(batchOf(5, 2))), afterOne(batchOf(5, 3)))
  assertClose(two.params.statistics.mean, expected, 'mean of two')
  assert.is(await item(two.step), 2)
})

step('it costs no moments where it is not trained', () => {
  const trainable = (path: string): boolean => !path.startsWith('statistics/')
  const train = makeStep({ objective: normalised, optimizer: decaying, trainable })
  const state = initState(before(), decaying, key, trainable)
  assert.equal(tree.pathsOf(state.optimizer), ['0/count', '0/firstMoment/weight', '0/secondMoment/weight'])
  assertClose(train(state, batchOf(5, 2))[0].params.statistics.mean, afterOne(batchOf(5, 2)), 'mean')
})

step('micro-batches keep the mean of what each keeps', () => {
  const train = makeAccumulatingStep({ objective: normalised, optimizer: decaying })
  const [next] = train(initState(before(), decaying, key), [batchOf(5, 2), batchOf(5, 3)])
  const expected = mul(0.5, add(afterOne(batchOf(5, 2)), afterOne(batchOf(5, 3))))
  assertClose(next.params.statistics.mean, expected, 'mean')
})

step('what is kept must have a place and its form', () => {
  const run = (kept: unknown) => (): unknown =>
    makeStep({
      objective: (p: Normalised) => [sum(p.weight), {}, kept as Partial<Normalised>] as const,
      optimizer: decaying,
    })(initState(before(), decaying, key), batchOf(5, 2))
  assert.throws(run({ statistic: initialStatistics(3) }), /keeps 'statistic', .* weight, statistics/)
  assert.throws(run({ statistics: initialStatistics(2) }), /float32\[3\] became float32\[2\]/)
  assert.throws(run({ statistics: { mean: zeros([3]) } }), /different structures/)
})

step.run()
