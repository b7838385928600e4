/** Sentence pairs. Every id is unique in these documents, so that it tells where it stood. */
import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toArraySync } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { sentencePairs } from '../../../training/data/pair.ts'
import type { PairConfig, Pairs, SentencePair } from '../../../training/data/pair.ts'

const pair = suite('pair')

const config: PairConfig = {
  length: 32,
  batchSize: 4,
  seed: 1,
  classId: 2,
  separatorId: 3,
  paddingId: 0,
}

const pairsOf = (
  documents: readonly (readonly (readonly number[])[])[],
  changed: Partial<PairConfig> = {},
): Pairs => {
  const made = sentencePairs(documents, { ...config, ...changed })
  if (E.isLeft(made)) return assert.unreachable(made.left) as never
  return made.right
}

/** Documents of sentences with so many ids each, numbered from 10 on. */
const numbered = (sizes: readonly (readonly number[])[]): number[][][] => {
  let next = 10
  return sizes.map((sentences) => sentences.map((n) => Array.from({ length: n }, () => next++)))
}

const documents = fc
  .array(fc.array(fc.nat({ max: 12 }), { minLength: 0, maxLength: 8 }), { minLength: 0, maxLength: 6 })
  .map(numbered)

const isPossible = (some: readonly (readonly (readonly number[])[])[]): boolean => {
  const filled = some.map((one) => one.filter(({ length }) => length > 0)).filter(({ length }) => length > 0)
  return filled.length >= 2 && filled.some(({ length }) => length >= 2)
}

const isRun = (ids: readonly number[]): boolean =>
  ids.every((id, i) => i === 0 || id === (ids[i - 1] as number) + 1)

interface Parts {
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/** The segments of a pair, with everything about its form checked. */
const partsOf = ({ ids, tokenTypes }: SentencePair): Parts => {
  const all = Array.from(ids)
  const middle = all.indexOf(3)
  assert.is(all[0], 2)
  assert.is(all.at(-1), 3)
  assert.is(all.filter((id) => id === 3).length, 2)
  assert.equal(
    Array.from(tokenTypes),
    all.map((_, i) => (i <= middle ? 0 : 1)),
  )
  return { a: all.slice(1, middle), b: all.slice(middle + 1, -1) }
}

pair('a pair is two runs of text: the second follows the first, or comes from another document', () => {
  fc.assert(
    fc.property(
      documents.filter(isPossible),
      fc.integer({ min: 5, max: 40 }),
      fc.nat(),
      fc.nat({ max: 3 }),
      (some, length, seed, epoch) => {
        const pairs = pairsOf(some, { length, seed })
        const documentOf = new Map(some.flatMap((one, d) => one.flat().map((id) => [id, d] as const)))
        const ends = new Set(some.flatMap((one) => one.map((sentence) => sentence.at(-1))))
        for (let i = 0; i < Math.min(20, pairs.perEpoch); i++) {
          const made = pairs.pair(epoch, i)
          assert.ok(made.ids.length <= length)
          const { a, b } = partsOf(made)
          assert.ok(a.length > 0 && b.length > 0 && isRun(a) && isRun(b))
          const [from, to] = [a, b].map((part) => new Set(part.map((id) => documentOf.get(id))))
          assert.ok(from?.size === 1 && to?.size === 1)
          assert.is(made.label, from.has([...to][0]) ? 0 : 1)
          const truncated = made.ids.length === length
          if (made.label === 0) assert.ok((b[0] as number) > (a.at(-1) as number))
          if (made.label === 0 && !truncated) assert.is(b[0], (a.at(-1) as number) + 1)
          // what was not cut ends where a sentence ends
          if (!truncated) assert.ok(ends.has(a.at(-1)) && ends.has(b.at(-1)))
        }
      },
    ),
  )
})

const corpus = numbered(
  Array.from({ length: 40 }, (_, d) =>
    Array.from({ length: 5 + (d % 30) }, (_, s) => 1 + ((d * 5 + s * 3) % 17)),
  ),
)

const epochOf = (pairs: Pairs, epoch: number): readonly SentencePair[] =>
  Array.from({ length: pairs.perEpoch }, (_, i) => pairs.pair(epoch, i))

pair('half of the second segments are random, and rows are full but for a tenth', () => {
  const pairs = pairsOf(corpus)
  const all = [0, 1, 2, 3].flatMap((epoch) => epochOf(pairs, epoch))
  const random = all.filter(({ label }) => label === 1).length
  const n = all.length
  assert.ok(n > 500 && Math.abs(random - n / 2) < 4.5 * Math.sqrt(n / 4), `${random} of ${n}`)
  const used = all.reduce((sum, { ids }) => sum + ids.length, 0) / (n * 32)
  assert.ok(used > 0.9, `${used} of the rows is used`)
  const none = epochOf(pairsOf(corpus, { randomProbability: 0 }), 0)
  assert.ok(none.every(({ label }) => label === 0))
  const short = epochOf(pairsOf(corpus, { shortProbability: 1 }), 0)
  assert.ok(short.reduce((sum, { ids }) => sum + ids.length, 0) / (short.length * 32) < 0.85)
})

pair('truncation takes from the longer segment, from both of its ends', () => {
  const long = numbered([
    [3, 60],
    [40, 40],
  ])
  const all = epochOf(pairsOf(long, { shortProbability: 0, seed: 5 }), 0).concat(
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((epoch) => epochOf(pairsOf(long, { shortProbability: 0 }), epoch)),
  )
  const fromFirst = all.filter(({ ids, label }) => label === 0 && (ids[1] as number) === 10)
  assert.ok(fromFirst.length > 3)
  for (const one of fromFirst) {
    const { a, b } = partsOf(one)
    assert.equal(a, [10, 11, 12], 'the shorter one stays whole')
    assert.is(b.length, 26)
    assert.ok((b[0] as number) > 13 && (b.at(-1) as number) < 72, 'both ends were cut')
  }
  const equal = all.filter(({ ids, label }) => label === 0 && (ids[1] as number) > 72)
  assert.ok(equal.length > 3)
  for (const one of equal) {
    const { a, b } = partsOf(one)
    assert.ok(Math.abs(a.length - b.length) <= 1 && a.length + b.length === 29)
  }
})

pair('all of the text is seen, evenly, and random segments come from all of it', () => {
  const pairs = pairsOf(corpus)
  const seen = new Map<number, number>()
  const random = new Set<number>()
  for (let epoch = 0; epoch < 12; epoch++)
    for (const made of epochOf(pairs, epoch)) {
      for (const id of made.ids) seen.set(id, (seen.get(id) ?? 0) + 1)
      if (made.label === 1) for (const id of partsOf(made).b) random.add(id)
    }
  const ids = corpus.flat(2)
  assert.ok(ids.filter((id) => seen.has(id)).length > ids.length * 0.99)
  assert.ok(ids.filter((id) => random.has(id)).length > ids.length * 0.9)
  const halves = [ids.slice(0, ids.length / 2), ids.slice(ids.length / 2)].map((half) =>
    half.reduce((sum, id) => sum + (seen.get(id) ?? 0), 0),
  ) as [number, number]
  assert.ok(Math.abs(halves[0] / halves[1] - 1) < 0.05, halves.join())
})

pair('documents of one sentence are drawn from, but begin no pair', () => {
  const some = numbered([[4, 4, 4], [5], [], [0, 0], [6]])
  const all = Array.from({ length: 200 }, (_, epoch) => pairsOf(some).pair(epoch, 0)).map(partsOf)
  assert.ok(all.every(({ a }) => a.every((id) => id < 22)))
  for (const id of [22, 27]) assert.ok(all.some(({ b }) => b.includes(id)))
})

const numbers = (x: Tensor): readonly number[] => Array.from(toArraySync(x))

pair('a batch holds its pairs, padded; any step gives the same at any time', async () => {
  const pairs = pairsOf(corpus)
  const steps = Math.ceil((2 * pairs.perEpoch) / 4)
  const seen: string[] = []
  for (let step = 0; step < steps; step++) {
    const { ids, tokenTypes, keyMask, nextSentenceLabels } = await pairs.batches(step)
    assert.equal(
      [ids, tokenTypes, keyMask, nextSentenceLabels].map(({ shape, dtype }) => [dtype, ...shape]),
      [
        ['int32', 4, 32],
        ['int32', 4, 32],
        ['bool', 4, 32],
        ['int32', 4],
      ],
    )
    const rows = numbers(ids)
    for (let row = 0; row < 4; row++) {
      const own = rows.slice(row * 32, row * 32 + 32)
      assert.equal(
        numbers(keyMask).slice(row * 32, row * 32 + 32),
        own.map((id) => Number(id !== 0)),
      )
      seen.push(own.filter((id) => id !== 0).join())
    }
  }
  const made = [0, 1].flatMap((epoch) => epochOf(pairs, epoch).map(({ ids }) => ids.join()))
  assert.equal(seen.slice(0, made.length).sort(), made.sort())
  const again = await pairsOf(corpus).batches(steps - 1)
  assert.equal(numbers(again.ids), numbers((await pairs.batches(steps - 1)).ids))
})

pair('epochs and seeds are fresh', () => {
  const of = (seed: number, epoch: number): readonly string[] =>
    epochOf(pairsOf(corpus, { seed }), epoch).map(({ ids }) => ids.join())
  const first = new Set(of(1, 0))
  assert.equal(of(1, 0), [...of(1, 0)])
  for (const other of [of(1, 1), of(2, 0)])
    assert.ok(other.filter((ids) => first.has(ids)).length < first.size * 0.1)
})

pair('what cannot make pairs is refused in a sentence', () => {
  const refusal = (some: readonly (readonly (readonly number[])[])[]): string => {
    const made = sentencePairs(some, config)
    return E.isLeft(made) ? made.left : (assert.unreachable('pairs were made') as never)
  }
  assert.match(refusal([]), /at least two documents/)
  assert.match(refusal([[[5], [6]]]), /at least two documents/)
  assert.match(refusal([[[5], [6]], [[]], []]), /at least two documents/)
  assert.match(refusal([[[5]], [[6]]]), /no document has two sentences/)
  assert.throws(() => sentencePairs(corpus, { ...config, length: 4 }), /room for 5/)
})

pair.run()
