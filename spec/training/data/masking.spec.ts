/** The masking recipe: who is chosen, what becomes of them, and that a key decides it on every engine. */
import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArray, jit, random, toArray, toArraySync, transfer, tree, vmap } from '../../../core/index.ts'
import type { Key, Tensor } from '../../../core/index.ts'
import { maskPredictions, maskTokens } from '../../../training/data/masking.ts'
import type { MaskingConfig, PredictionsConfig } from '../../../training/data/masking.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import type { Engine } from '../../../kernels/index.ts'
import { subjects } from '../../support/engine.ts'
import { given } from '../../support/skip.ts'

const masking = suite('masking')

const reference = referenceEngine()

const special = [0, 1, 2, 3, 4]
const config: MaskingConfig = { maskId: 4, vocabularySize: 200, specialIds: [0, 1, 2, 3] }

const idsOf = (rows: readonly (readonly number[])[]): Tensor =>
  fromArray(Int32Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0])

const numbers = (x: Tensor): readonly number[] => Array.from(toArraySync(x))

/** Rows of [CLS] tokens [SEP] padding. */
const row = (time: number): fc.Arbitrary<readonly number[]> =>
  fc
    .array(fc.integer({ min: 5, max: 199 }), { maxLength: time - 2 })
    .map((tokens) => [2, ...tokens, 3, ...new Array<number>(time - 2 - tokens.length).fill(0)])

const batches = fc
  .record({ time: fc.integer({ min: 2, max: 24 }), batch: fc.integer({ min: 1, max: 4 }) })
  .chain(({ time, batch }) => fc.array(row(time), { minLength: batch, maxLength: batch }))

const recipes = fc.record({
  probability: fc.double({ min: 0, max: 1, noNaN: true }),
  shares: fc.constantFrom([0.8, 0.1], [1, 0], [0, 1], [0, 0], [0.5, 0.5]),
})

const seeds = fc.integer({ min: 0, max: 2 ** 31 })

masking('what is not chosen stays, and labels hold the original of what is', () => {
  fc.assert(
    fc.property(batches, recipes, seeds, (rows, { probability, shares }, seed) => {
      const [maskShare, randomShare] = shares as [number, number]
      const all = { ...config, probability, maskShare, randomShare }
      const { ids, labels } = maskTokens(random.key(seed), idsOf(rows), all)
      const [before, after, label] = [rows.flat(), numbers(ids), numbers(labels)]
      before.forEach((id, i) => {
        const chosen = label[i] !== -100
        if (special.includes(id)) assert.not(chosen, `special ${id} was chosen`)
        if (chosen) assert.is(label[i], id)
        else assert.is(after[i], id)
        if (chosen && after[i] !== 4 && after[i] !== id)
          assert.ok((after[i] as number) > 4 && (after[i] as number) < 200 && randomShare > 0)
        if (chosen && maskShare === 1) assert.is(after[i], 4)
      })
    }),
  )
})

masking('a fixed number of predictions, without replacement, at least one where one is possible', () => {
  fc.assert(
    fc.property(
      batches,
      recipes,
      seeds,
      fc.integer({ min: 1, max: 30 }),
      (rows, { probability }, seed, most) => {
        const time = rows[0]?.length as number
        const predictions = Math.min(most, time)
        const masked = maskPredictions(random.key(seed), idsOf(rows), { ...config, probability, predictions })
        const [after, at, labels] = [masked.ids, masked.predictAt, masked.labels].map(numbers) as [
          readonly number[],
          readonly number[],
          readonly number[],
        ]
        rows.forEach((before, r) => {
          const slots = Array.from({ length: predictions }, (_, j) => r * predictions + j)
          const used = slots.filter((slot) => labels[slot] !== -100)
          const free = before.filter((id) => !special.includes(id)).length
          const share = Math.fround(free * Math.fround(probability))
          const least = Math.min(predictions, Math.max(Math.min(free, 1), Math.ceil(share - 0.5)))
          const largest = Math.min(predictions, Math.max(Math.min(free, 1), Math.floor(share + 0.5)))
          assert.ok(used.length >= least && used.length <= largest, `${used.length} of ${free} chosen`)
          const places = used.map((slot) => at[slot] as number)
          assert.is(new Set(places).size, places.length, 'a position was chosen twice')
          for (const slot of slots)
            if (!used.includes(slot)) assert.is(at[slot], 0, 'an unused slot points to 0')
          used.forEach((slot, j) => {
            assert.is(labels[slot], before[places[j] as number])
            assert.not(special.includes(labels[slot] as number))
          })
          before.forEach((id, t) => {
            if (!places.includes(t)) assert.is(after[r * time + t], id)
          })
        })
      },
    ),
  )
})

/** How many standard deviations a count of successes lies from its mean. */
const deviations = (count: number, n: number, p: number): number =>
  Math.abs(count - n * p) / Math.sqrt(n * p * (1 - p))

/** 40,000 ordinary ids: 5 … 199, over and over. */
const many = (): Tensor =>
  fromArray(
    Int32Array.from({ length: 40_000 }, (_, i) => 5 + (i % 195)),
    [100, 400],
  )

interface Counts {
  readonly chosen: number
  readonly masked: number
  readonly kept: number
  readonly random: readonly number[]
}

const count = (before: Tensor, after: Tensor, chosen: (i: number) => boolean): Counts => {
  const [was, is] = [numbers(before), numbers(after)]
  const places = was.map((_, i) => i).filter(chosen)
  const random = places
    .map((i) => is[i] as number)
    .filter((id, j) => id !== 4 && id !== was[places[j] as number])
  return {
    chosen: places.length,
    masked: places.filter((i) => is[i] === 4).length,
    kept: places.filter((i) => is[i] === was[i]).length,
    random,
  }
}

const checkShares = ({ chosen, masked, kept, random }: Counts): void => {
  assert.ok(deviations(masked, chosen, 0.8) < 4.5, `${masked} of ${chosen} became [MASK]`)
  // a random token is the original one once in 195 times
  assert.ok(deviations(kept, chosen, 0.1 + 0.1 / 195) < 4.5, `${kept} of ${chosen} were kept`)
  // the random tokens are spread evenly: chi squared with 194 degrees of freedom, mean 194 and deviation 19.7
  const expected = random.length / 195
  const each = Array.from({ length: 195 }, (_, i) => random.filter((id) => id === 5 + i).length)
  const chiSquared = each.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  assert.ok(Math.abs(chiSquared - 194) < 4.5 * 19.7, `chi squared ${chiSquared}`)
  assert.ok(random.every((id) => id > 4 && id < 200))
}

masking('15 % are chosen; of those 80 % become [MASK], 10 % random, 10 % stay', () => {
  for (const seed of [0, 1, 2]) {
    const { ids, labels } = maskTokens(random.key(seed), many(), config)
    const label = numbers(labels)
    const counts = count(many(), ids, (i) => label[i] !== -100)
    assert.ok(deviations(counts.chosen, 40_000, 0.15) < 4.5, `${counts.chosen} of 40,000 were chosen`)
    checkShares(counts)
  }
})

masking('with a fixed number, every position is as likely as another', () => {
  const masked = maskPredictions(random.key(3), many(), { ...config, predictions: 80 })
  const [at, labels] = [numbers(masked.predictAt), numbers(masked.labels)]
  assert.is(labels.filter((label) => label !== -100).length, 100 * 60, '60 of 400 in each of 100 rows')
  const chosen = new Set(at.flatMap((t, i) => (labels[i] === -100 ? [] : [Math.floor(i / 80) * 400 + t])))
  checkShares(count(many(), masked.ids, (i) => chosen.has(i)))
  const quarters = [0, 1, 2, 3].map(
    (q) => [...chosen].filter((i) => Math.floor((i % 400) / 100) === q).length,
  )
  for (const n of quarters) assert.ok(deviations(n, 6000, 0.25) < 4.5, quarters.join())
})

masking('the same key masks the same, another one afresh', () => {
  const maskedBy = (seed: number): readonly (readonly number[])[] => {
    const { ids, labels } = maskTokens(random.key(seed), many(), config)
    return [numbers(ids), numbers(labels)]
  }
  const [first, again, other] = [maskedBy(5), maskedBy(5), maskedBy(6)]
  assert.equal(first, again)
  const chosen = (masked: typeof first): readonly boolean[] =>
    (masked[1] ?? []).map((label) => label !== -100)
  const others = chosen(other)
  const differ = chosen(first).filter((is, i) => is !== others[i]).length
  // two independent choices of 15 % differ in 2 · 0.15 · 0.85 of the places
  assert.ok(deviations(differ, 40_000, 0.255) < 4.5, `${differ} differ`)
})

masking('random tokens may be special where that is asked for', () => {
  const all = { ...config, randomShare: 1, maskShare: 0, randomSpecial: true, probability: 1 }
  const found = new Set(numbers(maskTokens(random.key(0), many(), all).ids))
  assert.equal(
    [...found].sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  )
})

masking('special ids that are scattered are avoided too', () => {
  const scattered = { maskId: 9, vocabularySize: 12, specialIds: [11, 0, 5, 6, 2, 2, -1, 50] }
  const ids = fromArray(
    Int32Array.from({ length: 6000 }, (_, i) => i % 12),
    [60, 100],
  )
  const masked = maskTokens(random.key(0), ids, {
    ...scattered,
    probability: 1,
    maskShare: 0,
    randomShare: 1,
  })
  const [before, after] = [numbers(ids), numbers(masked.ids)]
  const ordinary = [1, 3, 4, 7, 8, 10]
  const drawn = after.filter((_, i) => ordinary.includes(before[i] as number))
  assert.is(drawn.length, 3000)
  for (const id of ordinary)
    assert.ok(deviations(drawn.filter((x) => x === id).length, 3000, 1 / 6) < 4.5, `${id}`)
  before.forEach((id, i) => ordinary.includes(id) || assert.is(after[i], id))
})

masking('tokens outside of `among` are never chosen', () => {
  const ids = idsOf([[7, 8, 9, 10]])
  const among = fromArray(Uint8Array.of(0, 1, 0, 1), [1, 4])
  const all = { ...config, probability: 1 }
  assert.equal(numbers(maskTokens(random.key(0), ids, all, among).labels), [-100, 8, -100, 10])
  const labels = numbers(maskPredictions(random.key(0), ids, { ...all, predictions: 4 }, among).labels)
  assert.equal(
    [...labels].sort((a, b) => a - b),
    [-100, -100, 8, 10],
  )
})

masking('compiled and batched it is the same', () => {
  const ids = many()
  const key = random.key(11)
  const compiled = jit((k: Key, x: Tensor) => maskTokens(k, x, config))(key, ids)
  assert.equal(numbers(compiled.ids), numbers(maskTokens(key, ids, config).ids))
  const all = { ...config, predictions: 80 }
  const predicted = jit((k: Key, x: Tensor) => maskPredictions(k, x, all))(key, ids)
  assert.equal(numbers(predicted.predictAt), numbers(maskPredictions(key, ids, all).predictAt))
  const each = vmap((k: Key, x: Tensor) => maskPredictions(k, x, { ...config, predictions: 4 }), {
    inAxes: 0,
  })
  const keys = random.splitMany(random.key(1), 2)
  const two = idsOf([
    [2, 9, 8, 7, 6, 3],
    [2, 5, 3, 0, 0, 0],
  ])
  const batched = each(keys, two)
  const rows = [
    [2, 9, 8, 7, 6, 3],
    [2, 5, 3, 0, 0, 0],
  ].map((one, i) =>
    numbers(
      maskPredictions(random.split(random.key(1))[i] as Key, fromArray(Int32Array.from(one), [6]), {
        ...config,
        predictions: 4,
      }).labels,
    ),
  )
  assert.equal(numbers(batched.labels), rows.flat())
})

masking('mistakes of the program are told', () => {
  const ids = idsOf([[5, 6, 7]])
  const wrong = (changed: Partial<PredictionsConfig>, words: RegExp): void => {
    assert.throws(() => maskPredictions(random.key(0), ids, { ...config, predictions: 2, ...changed }), words)
  }
  wrong({ predictions: 4 }, /predictions must be in 1 … 3, got 4/)
  wrong({ predictions: 0 }, /predictions/)
  wrong({ maskId: 200 }, /maskId must be an id below 200, got 200/)
  wrong({ probability: 1.5 }, /probability must be in \[0, 1\], got 1.5/)
  wrong({ maskShare: 0.8, randomShare: 0.3 }, /maskShare \+ randomShare/)
  wrong({ vocabularySize: 5 }, /all 5 ids are special/)
})

/** What both recipes make of the same batch on an engine. */
const onEngine = async (engine: Engine): Promise<readonly (readonly number[])[]> => {
  const rows = [
    [2, ...Array.from({ length: 60 }, (_, i) => 5 + ((i * 7) % 195)), 3],
    [2, 9, 8, 3, ...new Array<number>(58).fill(0)],
  ]
  const ids = await transfer(idsOf(rows), engine)
  const key = await transfer(random.key(5), engine)
  const masked = jit((k: Key, x: Tensor) => [
    maskTokens(k, x, config),
    maskPredictions(k, x, { ...config, predictions: 10 }),
  ])(key, ids)
  return Promise.all(tree.leaves(masked).map(async (leaf) => Array.from(await toArray(leaf))))
}

for (const { label, engine } of await subjects())
  given(
    masking,
    E.isRight(engine),
    E.isLeft(engine) ? engine.left : '',
  )(`the same bits on ${label}`, async () => {
    assert.equal(await onEngine(E.isRight(engine) ? engine.right : reference), await onEngine(reference))
  })

masking.run()
