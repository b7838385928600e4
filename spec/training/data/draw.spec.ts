import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, toArraySync } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { drawsOf, foldHostKey, hostKey, shuffledIndices } from '../../../training/data/draw.ts'
import { epochPlaces, stepsPerEpoch } from '../../../training/data/epoch.ts'

const draw = suite('draw')

const numbers = (x: Tensor): readonly number[] => Array.from(toArraySync(x))
const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const words = fc.nat({ max: 2 ** 32 - 1 })

draw('keys and bits are those of tensors', () => {
  fc.assert(
    fc.property(seeds, words, (seed, data) => {
      assert.equal(hostKey(seed), numbers(random.key(seed)))
      const folded = foldHostKey(hostKey(seed), data)
      const key = random.foldIn(random.key(seed), data)
      assert.equal(folded, numbers(key))
      const { bits } = drawsOf(folded)
      assert.equal(Array.from({ length: 5 }, bits), numbers(random.bits(key, [5])))
    }),
  )
  assert.equal(hostKey(-1), numbers(random.key(-1)))
  assert.throws(() => hostKey(0.5), /integer/)
})

draw('numbers below n are below n, and even', () => {
  const { below, chance } = drawsOf(hostKey(0))
  const counts = new Array<number>(7).fill(0)
  for (let i = 0; i < 7000; i++) {
    const drawn = below(7)
    counts[drawn] = (counts[drawn] as number) + 1
  }
  const chiSquared = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
  assert.ok(chiSquared < 25, counts.join())
  assert.is(below(1), 0)
  // of these, a quarter of the words are drawn again
  const large = Array.from({ length: 4000 }, () => below(3 * 2 ** 30))
  const upper = large.filter((x) => x >= 2 ** 31).length
  assert.ok(Math.abs(upper - 4000 / 3) < 4.5 * Math.sqrt((4000 * 2) / 9), `${upper} of 4000`)
  assert.ok(large.every((x) => x < 3 * 2 ** 30))
  assert.not(chance(0))
  assert.ok(chance(1))
})

draw('an order is a permutation, and all are equally likely', () => {
  fc.assert(
    fc.property(seeds, fc.nat({ max: 50 }), (seed, n) => {
      const order = Array.from(shuffledIndices(hostKey(seed), n))
      assert.equal(
        order.sort((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i),
      )
    }),
  )
  const counts = new Map<string, number>()
  for (let i = 0; i < 6000; i++) {
    const order = shuffledIndices(hostKey(i), 3).join()
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  assert.is(counts.size, 6)
  for (const n of counts.values()) assert.ok(Math.abs(n - 1000) < 4.5 * Math.sqrt(833), `${n} of 6000`)
})

draw(
  'every epoch has every example once, every batch is full, and steps may be asked for in any order',
  () => {
    const sizes = fc.integer({ min: 1, max: 12 })
    fc.assert(
      fc.property(sizes, sizes, seeds, fc.boolean(), (examples, batchSize, seed, shuffle) => {
        const config = { examples, batchSize, key: hostKey(seed), shuffle }
        const places = epochPlaces(config)
        const steps = stepsPerEpoch(examples, batchSize) * 3
        const all = Array.from({ length: steps }, (_, step) => places(step))
        for (const [step, batch] of all.entries()) {
          assert.is(batch.length, batchSize)
          assert.equal(epochPlaces(config)(step), batch)
        }
        for (const epoch of [0, 1, 2]) {
          const seen = all.flat().filter((place) => place.epoch === epoch)
          const indices = seen.map(({ index }) => index)
          const sorted = Array.from({ length: examples }, (_, i) => i)
          if (!shuffle) assert.equal(indices, sorted)
          assert.equal(
            indices.sort((a, b) => a - b),
            sorted,
          )
        }
      }),
    )
  },
)

draw('epochs differ in order', () => {
  const places = epochPlaces({ examples: 100, batchSize: 100, key: hostKey(0) })
  assert.not.equal(
    places(0).map(({ index }) => index),
    places(1).map(({ index }) => index),
  )
  assert.throws(() => epochPlaces({ examples: 0, batchSize: 1, key: hostKey(0) }), /at least one example/)
  assert.throws(() => epochPlaces({ examples: 1, batchSize: 0, key: hostKey(0) }), /batch size/)
})

draw.run()
