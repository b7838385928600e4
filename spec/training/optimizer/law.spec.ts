/** What every optimizer holds to, and what those do that no reference library has. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  cast,
  full,
  fromArray,
  jit,
  matmul,
  mul,
  random,
  square,
  sub,
  sum,
  swapAxes,
  tensor,
  toArraySync,
  transfer,
  tree,
  withEngine,
  zerosLike,
} from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import { initState, makeStep } from '../../../training/step.ts'
import type { TrainState } from '../../../training/step.ts'
import { schedule } from '../../../training/index.ts'
import * as o from '../../../training/optimizer/index.ts'
import type { Transform } from '../../../training/optimizer/index.ts'
import { assertClose } from '../fixture.ts'

const law = suite('optimizer laws')

type Make = (options: { readonly learningRate: number; readonly weightDecay: number }) => Transform

const all: Readonly<Record<string, Make>> = {
  sgd: o.sgd,
  momentum: (options) => o.sgd({ ...options, momentum: 0.9, nesterov: true }),
  adam: o.adam,
  adamW: o.adamW,
  amsgrad: (options) => o.adamW({ ...options, amsgrad: true }),
  rmsProp: o.rmsProp,
  centered: (options) => o.rmsProp({ ...options, centered: true, momentum: 0.5 }),
  adagrad: o.adagrad,
  adadelta: o.adadelta,
  adamax: o.adamax,
  nAdam: o.nAdam,
  rAdam: o.rAdam,
  adafactor: o.adafactor,
  adafactorT5: o.adafactorT5,
  adafactorMomentum: (options) => o.adafactorT5({ ...options, beta1: 0.9 }),
  lion: o.lion,
  lamb: o.lamb,
  lars: (options) => o.lars({ ...options, coefficient: 0.1 }),
  muon: (options) =>
    o.grouped((_, { shape }) => (shape.length === 2 ? 'matrix' : 'other'), {
      matrix: o.muon(options),
      other: o.adamW(options),
    }),
}

interface Params {
  readonly matrix: Tensor
  readonly parts: readonly Tensor[]
}

const params = (): Params => {
  const [a, b] = random.split(random.key(2))
  return { matrix: random.normal(a, [4, 3]), parts: [random.normal(b, [5]), tensor(0.5)] }
}

const objective = ({ matrix, parts }: Params, target: Params): Tensor => {
  const distance = (a: Tensor, b: Tensor): Tensor => sum(square(sub(a, b)))
  return parts.reduce(
    (total, part, i) => add(total, distance(part, target.parts[i] as Tensor)),
    distance(matrix, target.matrix),
  )
}

const target: Params = {
  matrix: full([4, 3], 0.7),
  parts: [full([5], -0.4), tensor(1.5)],
}

const numbers = (x: unknown): readonly number[] =>
  tree.leaves(x).flatMap((leaf) => Array.from(toArraySync(leaf)))

for (const [name, make] of Object.entries(all)) {
  law(`${name}: goes downhill, in a compiled step whose state keeps its structure`, () => {
    const learningRate = name === 'adadelta' ? 20 : name === 'lars' ? 1 : name === 'adagrad' ? 0.3 : 0.05
    const optimizer = make({ learningRate, weightDecay: 0 })
    const step = makeStep({ objective, optimizer })
    let state: TrainState<Params> = initState(params(), optimizer, random.key(0))
    const [structure] = [tree.flatten(state)[1].key]
    const losses: number[] = []
    for (let i = 0; i < 150; i++) {
      const [next, { loss }] = step(state, target)
      losses.push(numbers(loss)[0] as number)
      state = next
      assert.is(tree.flatten(state)[1].key, structure)
    }
    const [first, last] = [losses[0] as number, losses.at(-1) as number]
    assert.ok(last < 0.2 * first, `from ${first} to ${last}`)
  })

  law(`${name}: no gradient, no motion but decay, and nothing breaks`, () => {
    const still = make({ learningRate: 0.1, weightDecay: 0 })
    const zero = { ...params(), parts: [zerosLike(params().parts[0] as Tensor), tensor(0)] }
    const gradients = tree.map(zerosLike, zero)
    let state = still.init(zero)
    for (let i = 0; i < 3; i++) {
      const [updates, next] = still.update(gradients, state, zero)
      assert.ok(
        numbers(updates).every((x) => x === 0),
        `${numbers(updates).join()}`,
      )
      state = next
    }
  })

  law(`${name}: parameters that are not trained are holes that it steps over`, () => {
    const optimizer = make({ learningRate: 0.1, weightDecay: 0.1 })
    const [trained] = tree.partition((path) => path === 'matrix', params())
    const gradients = tree.map((x) => mul(x, 0.5), trained)
    const [updates] = optimizer.update(gradients, optimizer.init(trained), trained)
    assert.equal(tree.pathsOf(updates), ['matrix'])
    const only = { matrix: params().matrix }
    const [alone] = optimizer.update({ matrix: mul(only.matrix, 0.5) }, optimizer.init(only) as never, only)
    assertClose(updates.matrix, alone.matrix, 'update', { relative: 1e-6 })
  })

  law(`${name}: float64 parameters keep their dtype, and move as float32 ones do`, async () => {
    const engine = referenceEngine()
    const optimizer = make({ learningRate: 0.1, weightDecay: 0.1 })
    const single = params()
    const run = <P>(p: P, gradients: P): P => {
      let [now, state] = [p, optimizer.init(p)]
      for (let i = 0; i < 3; i++) {
        const [updates, next] = optimizer.update(gradients, state, now)
        now = o.applyUpdates(now, updates)
        state = next
      }
      return now
    }
    const moved = async (x: Tensor): Promise<Tensor> => cast(await transfer(x, engine), 'float64')
    const leaves = await Promise.all(tree.leaves(single).map(moved))
    const expected = tree.leaves(
      run(
        single,
        tree.map((x) => mul(x, 0.3), single),
      ),
    )
    withEngine(engine, () => {
      const double = tree.flatten(single)[1].unflatten(leaves) as Params
      const result = tree.leaves(
        run(
          double,
          tree.map((x) => mul(x, 0.3), double),
        ),
      )
      const close = { relative: 2e-3, absolute: 2e-4 }
      result.forEach((leaf, i) => {
        assert.is(leaf.dtype, 'float64')
        assertClose(expected[i] as Tensor, leaf, `parameter ${i}`, close)
      })
    })
  })
}

const vectors = fc
  .array(fc.integer({ min: -48, max: 48 }), { minLength: 3, maxLength: 3 })
  .map((some) => some.map((x) => x / 16))
  .filter((some) => Math.hypot(...some) > 0.1)
const runs = fc.record({ start: vectors, gradients: fc.array(vectors, { minLength: 1, maxLength: 5 }) })

/** The parameters after updates on given gradients. */
const trajectory = (
  optimizer: Transform,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
): readonly number[] => {
  let now: { w: Tensor } = { w: tensor(start) }
  let state = optimizer.init(now)
  for (const g of gradients) {
    const [updates, next] = optimizer.update({ w: tensor(g) }, state, now)
    now = o.applyUpdates(now, updates)
    state = next
  }
  return numbers(now)
}

const norm = (x: readonly number[]): number => Math.hypot(...x)

const near = (actual: readonly number[], expected: readonly number[]): void =>
  assertClose(actual, expected, 'parameters', { relative: 1e-4, absolute: 1e-5 })

law('lion is what its paper says', () => {
  fc.assert(
    fc.property(runs, ({ start, gradients }) => {
      let w = start.map(Math.fround)
      let m = [0, 0, 0]
      for (const raw of gradients) {
        const g = raw.map(Math.fround)
        // a sum near 0 has the sign that rounding gives it
        const mixed = m.map((x, i) => 0.9 * x + 0.1 * (g[i] as number))
        fc.pre(mixed.every((x) => x === 0 || Math.abs(x) > 1e-5))
        w = w.map((x, i) => x - 0.01 * (Math.sign(mixed[i] as number) + 0.1 * x))
        m = m.map((x, i) => 0.99 * x + 0.01 * (g[i] as number))
      }
      near(trajectory(o.lion({ learningRate: 0.01, weightDecay: 0.1 }), start, gradients), w)
    }),
    { numRuns: 40 },
  )
})

law('lamb is what its paper says', () => {
  fc.assert(
    fc.property(runs, ({ start, gradients }) => {
      let w = [...start]
      let [m, v] = [
        [0, 0, 0],
        [0, 0, 0],
      ]
      gradients.forEach((g, t) => {
        m = m.map((x, i) => 0.9 * x + 0.1 * (g[i] as number))
        v = v.map((x, i) => 0.999 * x + 0.001 * (g[i] as number) ** 2)
        const direction = w.map((x, i) => {
          const [mean, square] = [
            (m[i] as number) / (1 - 0.9 ** (t + 1)),
            (v[i] as number) / (1 - 0.999 ** (t + 1)),
          ]
          return mean / (Math.sqrt(square) + 1e-6) + 0.1 * x
        })
        const ratio = norm(w) / norm(direction)
        w = w.map((x, i) => x - 0.01 * ratio * (direction[i] as number))
      })
      near(trajectory(o.lamb({ learningRate: 0.01, weightDecay: 0.1 }), start, gradients), w)
    }),
    { numRuns: 40 },
  )
})

law('lars is what its paper says', () => {
  fc.assert(
    fc.property(runs, ({ start, gradients }) => {
      let w = [...start]
      let velocity = [0, 0, 0]
      for (const g of gradients) {
        const direction = w.map((x, i) => (g[i] as number) + 0.1 * x)
        const rate = (0.5 * 0.01 * norm(w)) / norm(direction)
        velocity = velocity.map((x, i) => 0.9 * x + rate * (direction[i] as number))
        w = w.map((x, i) => x - (velocity[i] as number))
      }
      const optimizer = o.lars({ learningRate: 0.5, coefficient: 0.01, weightDecay: 0.1 })
      near(trajectory(optimizer, start, gradients), w)
    }),
    { numRuns: 40 },
  )
})

law('parameters outside of the mask have no rate of their own', () => {
  const own = { a: tensor([3, 4]), bias: tensor([3, 4]) }
  const updates = { a: tensor([0, 1]), bias: tensor([0, 1]) }
  const transform = o.scaleByTrustRatio({ mask: o.exceptBiasAndNorm })
  const [scaled] = transform.update(updates, {}, own)
  assert.equal(numbers(scaled), [0, 5, 0, 1])
  const [still] = transform.update({ ...updates, a: tensor([0, 0]) }, {}, own)
  assert.equal(numbers(still), [0, 0, 0, 1])
})

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }), seed: fc.nat() })
  .map(({ rows, columns, seed }): Tensor => random.normal(random.key(seed), [rows, columns]))

law('orthogonal updates move every direction alike', () => {
  fc.assert(
    fc.property(matrices, fc.constantFrom(1e-4, 1, 1e4), (x, size) => {
      const [rows, columns] = x.shape as [number, number]
      const more = o.orthogonalise(mul(x, size), { iterations: 15 })
      const short = Math.min(rows, columns)
      // all singular values of U Vᵀ are 1, those here between 0.7 and 1.2: so is the length of each short side,
      // and what is left of any two sides is less than a third in common
      const wide = rows > columns ? swapAxes(more, 0, 1) : more
      const gram = numbers(matmul(wide, swapAxes(wide, 0, 1)))
      for (let i = 0; i < short; i++)
        for (let j = 0; j < short; j++) {
          const entry = gram[i * short + j] as number
          if (i === j) assert.ok(entry > 0.45 && entry < 1.5, `${entry} on the diagonal`)
          else assert.ok(Math.abs(entry) < 0.5, `${entry} beside it`)
        }
      const turned = numbers(swapAxes(o.orthogonalise(swapAxes(x, 0, 1)), 0, 1))
      assertClose(turned, numbers(o.orthogonalise(x)), 'transposed', { relative: 1e-3, absolute: 1e-4 })
    }),
  )
})

law('stacked matrices are made orthogonal one by one', () => {
  const x = random.normal(random.key(3), [2, 3, 4])
  const each = [0, 1].flatMap((i) =>
    numbers(o.orthogonalise(fromArray(toArraySync(x).slice(12 * i, 12 * i + 12) as Float32Array, [3, 4]))),
  )
  assertClose(numbers(o.orthogonalise(x)), each, 'stack', { relative: 1e-4, absolute: 1e-5 })
  assert.throws(() => o.orthogonalise(tensor([1, 2])), /matrices/)
})

law('muon looks at which side of a weight is which', () => {
  const g = { w: random.normal(random.key(1), [2, 8]) }
  const sizeOf = (layout: 'inOut' | 'outIn'): number => {
    const optimizer = o.muon({ learningRate: 1, weightDecay: 0, layout })
    return norm(numbers(optimizer.update(g, optimizer.init(g) as never, g)[0]))
  }
  assert.ok(Math.abs(sizeOf('inOut') / sizeOf('outIn') - 2) < 1e-4)
})

law('the average of parameters is their decayed mean, corrected for its start', () => {
  fc.assert(
    fc.property(runs, ({ start, gradients }) => {
      const optimizer = o.withAverage(o.sgd({ learningRate: 0.1 }), 0.9)
      let now: { w: Tensor } = { w: tensor(start) }
      let state = optimizer.init(now)
      let [mean, weight] = [[0, 0, 0], 0]
      for (const g of gradients) {
        const [updates, next] = optimizer.update({ w: tensor(g) }, state, now)
        now = o.applyUpdates(now, updates)
        state = next
        const w = numbers(now)
        mean = mean.map((x, i) => 0.9 * x + 0.1 * (w[i] as number))
        weight = 0.9 * weight + 0.1
      }
      near(
        numbers(o.averagedParams(now, state, 0.9)),
        mean.map((x) => x / weight),
      )
      near(numbers(now), trajectory(o.sgd({ learningRate: 0.1 }), start, gradients))
    }),
    { numRuns: 40 },
  )
})

law('frozen parameters are their own average', () => {
  const optimizer = o.withAverage(o.sgd({ learningRate: 0.1 }), 0.5)
  const trainable = (path: string): boolean => path === 'matrix'
  const step = makeStep({ objective, optimizer, trainable })
  const [state] = step(initState(params(), optimizer, random.key(0), trainable), target)
  const averaged = o.averagedParams(state.params, state.optimizer as o.AverageState<unknown>, 0.5)
  assert.equal(numbers(averaged.parts), numbers(params().parts))
  near(numbers(averaged.matrix), numbers(state.params.matrix))
})

law('a rate in the state is the rate, and changes without compiling anew', () => {
  const make = (rate: number): Transform<o.RateState<unknown>> =>
    o.withRate((learningRate) => o.adamW({ learningRate }), rate)
  const optimizer = make(0.1)
  let compiled = 0
  const step = jit((now: { w: Tensor }, state: o.RateState<unknown>, g: { w: Tensor }) => {
    compiled++
    const [updates, next] = optimizer.update(g, state, now)
    return [o.applyUpdates(now, updates), next] as const
  })
  const gradients = [
    [1, -2, 0.5],
    [0.1, 2, -3],
  ]
  const start = { w: tensor([1, 2, 3]) }
  const [first, second] = gradients.map((g): { w: Tensor } => ({ w: tensor(g) })) as [
    { w: Tensor },
    { w: Tensor },
  ]
  const [after, state] = step(start, optimizer.init(start), first)
  near(numbers(after), trajectory(o.adamW({ learningRate: 0.1 }), [1, 2, 3], gradients.slice(0, 1)))
  const [last] = step(after, o.setRate(state, 0.01), second)
  const falling = schedule.join(schedule.asSchedule(0.1), 1, schedule.asSchedule(0.01))
  near(numbers(last), trajectory(o.adamW({ learningRate: falling }), [1, 2, 3], gradients))
  assert.is(compiled, 1)
})

law('a masked transform leaves the others alone, and remembers nothing of them', () => {
  const transform = o.masked(o.chain(o.scaleByAdam(), o.scaleBy(2)), o.isMatrix)
  const gradients = tree.map((x) => mul(x, 0.5), params())
  const state = transform.init(params())
  assert.equal(
    tree.pathsOf(state).filter((path) => path.includes('parts')),
    [],
  )
  const [updates] = transform.update(gradients, state, params())
  assert.equal(numbers(updates.parts), numbers(gradients.parts))
  assertClose(
    numbers(updates.matrix),
    numbers(gradients.matrix).map((g) => 2 * Math.sign(g)),
    'matrix',
    { relative: 1e-4 },
  )
})

law('the norm of no gradients is 0', () => {
  assert.equal(numbers(o.globalNorm({})), [0])
})

law.run()
