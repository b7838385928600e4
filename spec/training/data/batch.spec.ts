import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toArraySync, toNested } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import {
  batchesOf,
  classificationBatch,
  eachOnce,
  sequenceBatch,
  taggingBatch,
} from '../../../training/data/batch.ts'
import { padIds, padRows } from '../../../training/data/pad.ts'
import { causalBatches, causalBlocks, joinTexts } from '../../../training/data/stream.ts'
import type { CausalBatch, CausalConfig } from '../../../training/data/stream.ts'

const batch = suite('batch')

const numbers = (x: Tensor): number[] => Array.from(toArraySync(x))

batch('padded rows hold their ids, and the mask tells which', () => {
  const rows = fc.array(fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 9 }), {
    minLength: 1,
    maxLength: 5,
  })
  const lengths = fc.oneof(
    fc.constant(undefined),
    fc.integer({ min: 9, max: 20 }),
    fc.constant([9, 3, 20, 5]),
  )
  fc.assert(
    fc.property(rows, lengths, fc.constantFrom('left' as const, 'right' as const), (some, length, side) => {
      const { ids, keyMask } = padIds(some, 0, length === undefined ? { side } : { side, length })
      const time = ids.shape[1]
      const longest = Math.max(...some.map((row) => row.length))
      const expected =
        length === undefined ? longest : Math.min(...[length].flat().filter((one) => one >= longest))
      assert.is(time, expected)
      assert.equal(keyMask.shape, ids.shape)
      assert.is(keyMask.dtype, 'bool')
      some.forEach((row, i) => {
        const padding = new Array<number>(time - row.length).fill(0)
        const own = numbers(ids).slice(i * time, (i + 1) * time)
        assert.equal(own, side === 'right' ? [...row, ...padding] : [...padding, ...row])
        assert.equal(
          numbers(keyMask).slice(i * time, (i + 1) * time),
          own.map((id) => Number(id !== 0)),
        )
      })
    }),
  )
})

batch('a row that does not fit is a mistake', () => {
  assert.throws(() => padRows([[1], [1, 2, 3]], 0, { length: 2 }), /row 1 has 3 ids, at most 2 fit/)
  assert.throws(() => padRows([[1, 2, 3]], 0, { length: [1, 2] }), /at most 2 fit/)
})

batch('batches follow the epochs; evaluation sees each example once, and fills up', () => {
  const examples = [1, 2, 3, 4, 5]
  const batches = batchesOf(examples, (some) => some, { batchSize: 2, seed: 3 })
  const seen = [0, 1, 2, 3, 4].flatMap(batches)
  for (const epoch of [seen.slice(0, 5), seen.slice(5)])
    assert.equal(
      [...epoch].sort((a, b) => a - b),
      examples,
    )
  assert.equal(batchesOf(examples, (some) => some, { batchSize: 2, seed: 3 })(4), batches(4))
  assert.equal([...eachOnce(examples, (some) => some, 2)], [[1, 2], [3, 4], [5]])
  assert.equal(
    [...eachOnce(examples, (some) => some, 2, -1)],
    [
      [1, 2],
      [3, 4],
      [5, -1],
    ],
  )
  assert.throws(() => [...eachOnce(examples, (some) => some, 0)], /batch size/)
})

batch('texts with classes, and with a class for each token', async () => {
  const made = classificationBatch({ paddingId: 9, length: 3 })([
    { ids: [1, 2], label: 1 },
    { ids: [3, 4, 5], tokenTypes: [0, 0, 1], label: -100 },
  ])
  assert.equal(await toNested(made.ids), [
    [1, 2, 9],
    [3, 4, 5],
  ])
  assert.equal(await toNested(made.keyMask), [
    [1, 1, 0],
    [1, 1, 1],
  ])
  assert.equal(await toNested(made.tokenTypes), [
    [0, 0, 0],
    [0, 0, 1],
  ])
  assert.equal(numbers(made.labels), [1, -100])
  const tagged = taggingBatch({ paddingId: 0 })([
    { ids: [1, 2], labels: [4, 5] },
    { ids: [3], labels: [6] },
  ])
  assert.equal(await toNested(tagged.labels), [
    [4, 5],
    [6, -100],
  ])
  assert.throws(
    () => taggingBatch({ paddingId: 0 })([{ ids: [1, 2], labels: [4] }]),
    /example 0 has 2 ids, but 1 labels/,
  )
})

batch('a decoder is fed the target shifted right', async () => {
  const made = sequenceBatch({ paddingId: 0, startId: 7, sourceLength: 4 })([
    { source: [11, 12], target: [21, 22, 1] },
    { source: [13], target: [23, 1] },
    { source: [], target: [] },
  ])
  assert.equal(made.ids.shape, [3, 4])
  assert.equal(await toNested(made.decoderIds), [
    [7, 21, 22],
    [7, 23, 0],
    [0, 0, 0],
  ])
  assert.equal(await toNested(made.labels), [
    [21, 22, 1],
    [23, 1, -100],
    [-100, -100, -100],
  ])
  assert.equal(await toNested(made.decoderMask), [
    [1, 1, 1],
    [1, 1, 0],
    [0, 0, 0],
  ])
})

const stream = Int32Array.from({ length: 103 }, (_, i) => i)

const windowsOf = (
  config: Omit<CausalConfig, 'length' | 'batchSize'>,
  steps: number,
  length = 10,
): readonly (readonly number[])[] => {
  const made = causalBatches(stream, { length, batchSize: 3, ...config })
  if (E.isLeft(made)) return assert.unreachable(made.left) as never
  return Array.from({ length: steps }, (_, step) => step).flatMap((step) => {
    const all = numbers((made.right(step) as CausalBatch).ids)
    return [0, 1, 2].map((row) => all.slice(row * length, (row + 1) * length))
  })
}

batch('windows are runs of the stream; blocks of one epoch share nothing', () => {
  for (const windows of ['blocks', 'random'] as const)
    for (const window of windowsOf({ seed: 1, windows }, 30))
      assert.equal(
        window,
        window.map((_, i) => (window[0] as number) + i),
      )
  // nine blocks an epoch, three a step
  const blocks = windowsOf({ seed: 1 }, 300)
  const phases = new Set<number>()
  for (let epoch = 0; epoch < 100; epoch++) {
    const own = blocks.slice(epoch * 9, epoch * 9 + 9)
    assert.is(new Set(own.flat()).size, 90)
    phases.add(Math.min(...own.flat()))
  }
  assert.is(phases.size, 14, 'every phase comes')
  assert.is(new Set(blocks.flat()).size, 103, 'everything is seen')
  assert.is(new Set(windowsOf({ seed: 1, windows: 'random' }, 1000).flat()).size, 103)
  assert.equal(windowsOf({ seed: 1 }, 4)[9], blocks[9])
  assert.not.equal(windowsOf({ seed: 2 }, 3), windowsOf({ seed: 1 }, 3))
})

batch('a stream of one window, and one of less', () => {
  assert.equal(
    windowsOf({ seed: 0 }, 1, 103),
    [0, 1, 2].map(() => Array.from(stream)),
  )
  const config = { length: 104, batchSize: 1 }
  for (const made of [causalBatches(stream, { ...config, seed: 0 }), causalBlocks(stream, config)])
    assert.match(E.isLeft(made) ? made.left : '', /the text has 103 tokens, at least 104 are needed/)
  assert.throws(() => causalBlocks(stream, { length: 0, batchSize: 1 }), /length must be a positive integer/)
})

batch('blocks for evaluation see the stream once, whenever they are asked', () => {
  const made = causalBlocks(stream, { length: 10, batchSize: 4 })
  if (E.isLeft(made)) return assert.unreachable(made.left)
  for (const _ of [0, 1]) {
    const all = [...made.right]
    assert.equal(
      all.map(({ ids }) => ids.shape),
      [
        [4, 10],
        [4, 10],
        [2, 10],
      ],
    )
    assert.equal(
      all.flatMap(({ ids }) => numbers(ids)),
      Array.from(stream.subarray(0, 100)),
    )
  }
})

batch('texts end to end', () => {
  assert.equal(Array.from(joinTexts([[5, 6], [], [7]], 1)), [5, 6, 1, 1, 7, 1])
  assert.equal(joinTexts([], 1).length, 0)
})

batch.run()
