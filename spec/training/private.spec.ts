/** Private training: what each example can do is bounded, the noise is what it says, and the bound is a bound. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  fromArray,
  grad,
  matmul,
  mean,
  mul,
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
import type { Tensor } from '../../core/index.ts'
import { bertConfig, bertForSequenceClassification } from '../../models/index.ts'
import {
  classification,
  classificationBatch,
  globalNorm,
  initState,
  makePrivateStep,
  noiseFor,
  privacySpent,
  renyiDivergence,
  sampledBatches,
  sgd,
} from '../../training/index.ts'
import type { PrivateConfig, SampledBatch } from '../../training/index.ts'
import { assertClose } from './fixture.ts'

const privacy = suite('private')

interface Params {
  readonly weight: Tensor
  readonly bias: Tensor
}

interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

const params = (): Params => ({ weight: random.normal(random.key(1), [3, 2]), bias: tensor([0.1, -0.2]) })

const loss = ({ weight, bias }: Params, { x, y }: Batch): Tensor =>
  mean(square(sub(tanh(add(matmul(x, weight), bias)), y)))

const rows = (n: number, seed: number): { readonly x: Float32Array; readonly y: Float32Array } => {
  const [a, b] = random.split(random.key(seed))
  return {
    x: toArraySync(random.normal(a, [n, 3])) as Float32Array,
    y: toArraySync(mul(random.normal(b, [n, 2]), 2)) as Float32Array,
  }
}

const optimizer = sgd({ learningRate: 1 })

const config: PrivateConfig<Params, Batch> = {
  objective: loss,
  optimizer,
  clipNorm: 1,
  noiseMultiplier: 0,
  expectedBatchSize: 4,
}

const numbers = (x: unknown): readonly number[] =>
  tree.leaves(x).flatMap((leaf) => Array.from(toArraySync(leaf)))

/** What a step of rate 1 moves the parameters by, downhill: the gradient that it went by. */
const gradientOf = (changed: Partial<PrivateConfig<Params, Batch>>, batch: SampledBatch<Batch>): Params => {
  const step = makePrivateStep({ ...config, ...changed })
  const [state] = step(initState(params(), optimizer, random.key(3), changed.trainable), batch)
  return tree.map((after, before) => sub(before as Tensor, after), state.params, params())
}

privacy('without noise it is the mean of clipped gradients, each clipped on its own', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0.05, 0.5, 100),
      fc.nat({ max: 1000 }),
      (present, clipNorm, seed) => {
        const n = present.length
        const { x, y } = rows(n, seed)
        const expected = present.flatMap((is, i) => {
          if (!is) return []
          const one = {
            x: fromArray(x.slice(3 * i, 3 * i + 3), [1, 3]),
            y: fromArray(y.slice(2 * i, 2 * i + 2), [1, 2]),
          }
          const gradient = grad((p: Params) => loss(p, one))(params())
          const norm = numbers(globalNorm(gradient))[0] as number
          return [numbers(gradient).map((g) => (g * Math.min(1, clipNorm / norm)) / 4)]
        })
        const total = numbers(params()).map((_, i) => expected.reduce((s, g) => s + (g[i] as number), 0))
        const found = gradientOf(
          { clipNorm },
          {
            examples: { x: fromArray(x, [n, 3]), y: fromArray(y, [n, 2]) },
            present: fromArray(Uint8Array.from(present, Number), [n]),
          },
        )
        // gradients come in the order of the tree's paths
        assertClose(numbers(found), total, 'gradient', { relative: 1e-3, absolute: 1e-5 })
        const bound = (present.filter(Boolean).length * clipNorm) / 4
        assert.ok((numbers(globalNorm(found))[0] as number) <= bound * 1.001 + 1e-6)
      },
    ),
    { numRuns: 30 },
  )
})

privacy('reports the loss and the share that was clipped', () => {
  const { x, y } = rows(4, 1)
  const examples = { x: fromArray(x, [4, 3]), y: fromArray(y, [4, 2]) }
  const present = fromArray(Uint8Array.of(1, 1, 0, 1), [4])
  const report = (clipNorm: number): readonly number[] => {
    const step = makePrivateStep({ ...config, clipNorm })
    const [, metrics] = step(initState(params(), optimizer, random.key(3)), { examples, present })
    return [metrics.loss, metrics.clippedShare].flatMap(numbers)
  }
  const each = [0, 1, 3].map(
    (i) =>
      numbers(
        loss(params(), {
          x: fromArray(x.slice(3 * i, 3 * i + 3), [1, 3]),
          y: fromArray(y.slice(2 * i, 2 * i + 2), [1, 2]),
        }),
      )[0] as number,
  )
  assertClose(report(1e-3), [each.reduce((a, b) => a + b, 0) / 3, 1], 'all clipped', { relative: 1e-4 })
  assert.is(report(1e3)[1], 0)
})

privacy('the noise is normal with the deviation that was asked for, and fresh at each step', () => {
  const still = (_: Tensor, x: Tensor): Tensor => mul(sum(x), 0)
  const step = makePrivateStep({
    objective: (w: Tensor, x: Tensor) => add(still(w, x), mul(sum(w), 0)),
    optimizer,
    clipNorm: 0.5,
    noiseMultiplier: 3,
    expectedBatchSize: 10,
  })
  const batch = { examples: zeros([2, 1]), present: fromArray(Uint8Array.of(1, 0), [2]) }
  const start = initState<Tensor>(zeros([20_000]), optimizer, random.key(8))
  const [first] = step(start, batch)
  const noise = numbers(first.params)
  const deviation = Math.sqrt(noise.reduce((s, x) => s + x * x, 0) / noise.length)
  assert.ok(Math.abs(deviation / 0.15 - 1) < 0.03, `${deviation}`)
  const [second] = step(first, batch)
  const both = numbers(second.params)
  const correlation =
    both.reduce((s, x, i) => s + (x - (noise[i] as number)) * (noise[i] as number), 0) / (20_000 * 0.15 ** 2)
  assert.ok(Math.abs(correlation) < 0.04, `${correlation}`)
  const [again] = step(initState<Tensor>(zeros([20_000]), optimizer, random.key(8)), batch)
  assert.equal(numbers(again.params), noise)
})

privacy('what is not trained has neither gradient nor noise', () => {
  const { x, y } = rows(2, 1)
  const batch = {
    examples: { x: fromArray(x, [2, 3]), y: fromArray(y, [2, 2]) },
    present: fromArray(Uint8Array.of(1, 1), [2]),
  }
  const moved = gradientOf({ noiseMultiplier: 1, trainable: (path) => path === 'bias' }, batch)
  assert.ok(numbers(moved.weight).every((g) => g === 0))
  assert.ok(numbers(moved.bias).every((g) => g !== 0))
})

privacy('a Transformer is trained so as anything else is', () => {
  const model = bertForSequenceClassification(
    bertConfig({ vocabularySize: 20, width: 8, layers: 1, heads: 2, maxLength: 6, labels: ['a', 'b'] }),
  )
  type BertParams = ReturnType<typeof model.init>
  const collate = classificationBatch({ paddingId: 0, length: 6 })
  const examples = collate([
    { ids: [2, 5, 6, 3], label: 0 },
    { ids: [2, 7, 3], label: 1 },
  ])
  const step = makePrivateStep({
    objective: (p: BertParams, batch: typeof examples, key) =>
      classification(model.apply(p, { mode: 'train', key })(batch).logits, batch.labels),
    optimizer,
    clipNorm: 1e-2,
    noiseMultiplier: 0,
    expectedBatchSize: 1,
  })
  const start = model.init(random.key(0))
  const [state, metrics] = step(initState(start, optimizer, random.key(1)), {
    examples,
    present: fromArray(Uint8Array.of(1, 1), [2]),
  })
  assert.ok(Math.abs((numbers(metrics.loss)[0] as number) - Math.log(2)) < 0.2)
  const distance = numbers(
    globalNorm(tree.map((a, b) => sub(a, b as Tensor), state.params, start)),
  )[0] as number
  assert.ok(distance > 1e-3 && distance < 2.001e-2, `${distance}`)
})

privacy('examples are drawn by their own chance, in one shape, whenever a step is asked for', async () => {
  const examples = Array.from({ length: 50 }, (_, i) => i + 1)
  const collate = (some: readonly number[]): Tensor => tensor([...some])
  const draws = 3000
  for (const sampleRate of [0.02, 0.3, 1]) {
    const batches = sampledBatches(examples, collate, { sampleRate, seed: 4 })
    const counts = new Array<number>(51).fill(0)
    const sizes: number[] = []
    let together = 0
    for (let step = 0; step < draws; step++) {
      const { examples: ids, present } = await batches(step)
      const there = numbers(present)
      const own = numbers(ids).filter((_, i) => there[i] === 1)
      assert.is(new Set(own).size, own.length)
      sizes.push(own.length)
      for (const id of own) counts[id] = (counts[id] as number) + 1
      if (own.includes(1) && own.includes(2)) together++
    }
    const deviation = (p: number): number => 5 * Math.sqrt(draws * p * (1 - p)) + 1e-9
    for (const count of counts.slice(1))
      assert.ok(Math.abs(count - draws * sampleRate) <= deviation(sampleRate), `${count}`)
    assert.ok(Math.abs(together - draws * sampleRate ** 2) <= deviation(sampleRate ** 2), `${together}`)
    const average = sizes.reduce((a, b) => a + b, 0) / draws
    const variance = sizes.reduce((a, b) => a + (b - average) ** 2, 0) / draws
    const binomial = 50 * sampleRate * (1 - sampleRate)
    assert.ok(Math.abs(variance - binomial) <= 0.15 * binomial, `${variance} is not ${binomial}`)
    const again = await sampledBatches(examples, collate, { sampleRate, seed: 4 })(7)
    assert.equal(numbers(again), numbers(await batches(7)))
  }
  const small = await sampledBatches(examples, collate, { sampleRate: 1, seed: 0, capacity: 3 })(0)
  assert.equal(numbers(small.examples), [1, 2, 3])
  assert.throws(() => sampledBatches([], collate, { sampleRate: 0.5, seed: 0 }), /at least one example/)
  assert.throws(() => sampledBatches(examples, collate, { sampleRate: 0, seed: 0 }), /sample rate/)
})

/** The Rényi divergence by its definition: the mean of (mixture / normal)^α under the normal, by Simpson's rule. */
const integrated = (q: number, sigma: number, order: number): number => {
  const density = (x: number, at: number): number =>
    Math.exp(-((x - at) ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI))
  const at = (x: number): number => density(x, 0) * (1 - q + (q * density(x, 1)) / density(x, 0)) ** order
  const [from, to, n] = [-12 * sigma, 12 * sigma + 2 * order, 20_000]
  const width = (to - from) / n
  let total = 0
  for (let i = 0; i <= n; i++) {
    const value = at(from + i * width)
    total += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * (Number.isFinite(value) ? value : 0)
  }
  return Math.log((total * width) / 3) / (order - 1)
}

privacy('the divergence is the integral that defines it', () => {
  for (const q of [0.01, 0.2, 0.9, 1])
    for (const sigma of [0.8, 2])
      for (const order of [2, 3, 8]) {
        const found = renyiDivergence({ sampleRate: q, noiseMultiplier: sigma }, order)
        const expected = integrated(q, sigma, order)
        assert.ok(Math.abs(found / expected - 1) < 1e-5, `${found} is not ${expected}`)
      }
})

privacy('known runs cost what was published', () => {
  // TensorFlow Privacy's tutorial on MNIST, whose conversion to epsilon was Mironov's of 2017
  const known = [
    [1.3, 15, 1.19],
    [1.1, 60, 3.01],
  ] as const
  for (const [noiseMultiplier, epochs, epsilon] of known) {
    const run = { sampleRate: 256 / 60_000, noiseMultiplier, steps: Math.floor((epochs * 60_000) / 256) }
    const orders = Array.from({ length: 63 }, (_, i) => i + 2)
    const old = orders.map((a) => run.steps * renyiDivergence(run, a) - Math.log(1e-5) / (a - 1))
    assert.ok(Math.abs(Math.min(...old) - epsilon) < 0.01)
    assert.ok(privacySpent([run], 1e-5).epsilon < epsilon)
  }
})

/** The probability of a standard normal number below x (Abramowitz and Stegun 7.1.26 would be too coarse). */
const normalBelow = (x: number): number => {
  const n = 4000
  const width = (x + 12) / n
  let total = 0
  for (let i = 0; i <= n; i++)
    total += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((-12 + i * width) ** 2) / 2)
  return (total * width) / 3 / Math.sqrt(2 * Math.PI)
}

privacy('the bound is above the truth, where that is known, and not far', () => {
  // one step on all examples is the Gaussian mechanism, of which delta is known exactly (Balle and Wang 2018)
  for (const sigma of [1, 3, 8]) {
    const { epsilon, delta } = privacySpent([{ sampleRate: 1, noiseMultiplier: sigma, steps: 1 }], 1e-5)
    const truly = (e: number): number =>
      normalBelow(1 / (2 * sigma) - e * sigma) - Math.exp(e) * normalBelow(-1 / (2 * sigma) - e * sigma)
    assert.ok(truly(epsilon) <= delta, 'not a bound')
    assert.ok(truly(epsilon * 0.8) > delta, 'far above the truth')
  }
})

privacy('more steps, more examples and less noise cost more; runs add up', () => {
  const spent = (sampleRate: number, noiseMultiplier: number, steps: number): number =>
    privacySpent([{ sampleRate, noiseMultiplier, steps }], 1e-5).epsilon
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      fc.double({ min: 0.6, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 5000 }),
      (q, sigma, steps) => {
        const base = spent(q, sigma, steps)
        assert.ok(base >= 0 && spent(q, sigma, steps * 2) >= base)
        assert.ok(spent(q * 1.5, sigma, steps) >= base && spent(q, sigma * 1.5, steps) <= base)
        const halves = [1, 1].map(() => ({ sampleRate: q, noiseMultiplier: sigma, steps }))
        const both = privacySpent(halves, 1e-5).epsilon
        assert.ok(Math.abs(both - spent(q, sigma, 2 * steps)) <= 1e-9 * (1 + both))
      },
    ),
    { numRuns: 40 },
  )
})

privacy('noise is found for a budget', () => {
  for (const epsilon of [0.5, 3, 20]) {
    const run = { sampleRate: 0.02, steps: 2000 }
    const noise = noiseFor(epsilon, 1e-5, run)
    const at = (noiseMultiplier: number): number => privacySpent([{ ...run, noiseMultiplier }], 1e-5).epsilon
    assert.ok(at(noise) <= epsilon && at(noise * 0.998) > epsilon, `${noise}`)
  }
  assert.throws(
    () => noiseFor(0, 1e-5, { sampleRate: 1, steps: 10 }),
    /no noise keeps 10 steps within epsilon 0/,
  )
  assert.throws(() => privacySpent([], 0), /delta/)
  assert.throws(() => renyiDivergence({ sampleRate: 0.1, noiseMultiplier: 0 }, 2), /noise multiplier/)
  assert.throws(() => makePrivateStep({ ...config, clipNorm: 0 }), /clipNorm must be positive/)
})

privacy.run()
