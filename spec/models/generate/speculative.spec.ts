/** With a draft the same texts are written, by the same chances. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, tree } from '../../../core/index.ts'
import * as models from '../../../models/index.ts'
import type { Passage, Reader, Reading } from '../../../models/index.ts'
import { lookedUp } from '../../../models/generate/lookup.ts'
import { remainder } from '../../../models/generate/speculative.ts'

const speculative = suite('speculative decoding')

const shaken = <P>(params: P, seed: number): P => {
  let i = seed
  return tree.map((x) => random.normal(random.key(i++), x.shape), params)
}
const modelOf = (seed: number, layers: number, maxLength: number): Reader => {
  const config = models.gptConfig({ vocabularySize: 13, width: 8, layers, heads: 2, maxLength })
  const gpt = models.gpt(config)
  return models.causalReader(gpt, shaken(gpt.init(random.key(0)), seed), { maxLength })
}
const reader = modelOf(100, 2, 80)

/** The reader, counting what it is asked to read at once. */
const counted = (inner: Reader): readonly [Reader, number[]] => {
  const lengths: number[] = []
  const around = (reading: Reading): Reading => ({
    ...reading,
    through: async (tokens, back) => {
      lengths.push(tokens[0]?.length ?? 0)
      const passage = (await reading.through?.(tokens, back)) as Passage
      return { ...passage, reading: around(passage.reading) }
    },
  })
  return [{ ...inner, start: async (texts) => around(await inner.start(texts)) }, lengths]
}

const prompts = fc.array(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 2,
})

for (const [name, draft] of [
  ['a smaller model', modelOf(300, 1, 80)],
  ['a model that reads less', modelOf(400, 1, 24)],
  ['the model itself', reader],
] as const)
  speculative(`greedy texts are those of the reader alone, with the draft of ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        prompts,
        fc.constantFrom(1, 4),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        async (texts, draftTokens, maxTokens, penalised) => {
          const options = {
            maxTokens,
            endIds: [3],
            ...(penalised ? { repetitionPenalty: 1.7, noRepeatNgram: 2 } : {}),
          }
          const alone = await models.generate(reader, texts, options)
          assert.equal(await models.generate(reader, texts, { ...options, draft, draftTokens }), alone)
        },
      ),
      { numRuns: 12 },
    )
  })

speculative('greedy texts are those of the reader alone, whatever the text itself proposes', async () => {
  let [passes, tokens] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      prompts,
      fc.constantFrom(1, 3, 7),
      fc.constantFrom(undefined, 1, 3),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      async (texts, promptLookup, maxMatchingNgram, maxTokens, penalised) => {
        const options = { maxTokens, endIds: [3], ...(penalised ? { repetitionPenalty: 1.7 } : {}) }
        const alone = await models.generate(reader, texts, options)
        const [watched, lengths] = counted(reader)
        const found = await models.generate(watched, texts, { ...options, promptLookup, maxMatchingNgram })
        assert.equal(found, alone)
        passes += texts.length + lengths.length
        tokens += found.reduce((sum, { ids }) => sum + ids.length, 0)
      },
    ),
    { numRuns: 24 },
  )
  assert.ok(passes < tokens, `${tokens} tokens took ${passes} passes`)
})

/** Whether a list contains another one. */
const holds = (ids: readonly number[], part: readonly number[]): boolean =>
  ids.some((_, at) => part.every((id, i) => ids[at + i] === id))

speculative('a text proposes what came after its end before, the last time and the longest end first', () => {
  assert.equal(lookedUp([1, 2, 9, 8, 2, 7, 1, 2], 2, 2), [9, 8])
  assert.equal(lookedUp([1, 2, 9, 8, 2, 7, 1, 2], 2, 1), [7, 1])
  assert.equal(lookedUp([1, 2, 3, 1, 2, 4, 1, 2], 1, 2), [4])
  assert.equal(lookedUp([5, 1, 2, 1, 2], 5, 2), [1, 2, 1, 2, 1])
  assert.equal(lookedUp([1, 2, 3], 4, 2), [])
  assert.equal(lookedUp([1], 4, 2), [])
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 3 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 6 }),
      (ids, count) => {
        const found = lookedUp(ids, count, 3)
        const isNew = ids.indexOf(ids.at(-1) as number) === ids.length - 1
        assert.is(found.length, isNew ? 0 : count)
        const turned = [...ids, ...found]
        if (!isNew) assert.ok(holds(turned.slice(0, -1), [ids.at(-1) as number, ...found]))
      },
    ),
  )
})

speculative('a draft that is always right saves as many readings as it proposes tokens', async () => {
  const [watched, lengths] = counted(reader)
  const [written] = await models.generate(watched, [[1, 2, 3]], {
    maxTokens: 21,
    draft: reader,
    draftTokens: 4,
  })
  assert.is(written?.ids.length, 21)
  assert.equal(lengths, [5, 5, 5, 5])
})

speculative('what was read is taken back: the scores are as if it had never been read', async () => {
  const begin = await reader.start([[1, 2, 3]])
  const there = (await begin.through?.([[4, 5, 6, 7, 8]])) as Passage
  const back = (await there.reading.through?.([[9, 1]], 3)) as Passage
  const fresh = await reader.start([[1, 2, 3, 4, 5, 9, 1]])
  const [found, wanted] = [back.scores[0]?.[1] as Float32Array, fresh.scores[0] as Float32Array]
  found.forEach((x, i) => assert.ok(Math.abs(x - (wanted[i] as number)) < 1e-4))
})

/** A reader whose next token depends on the last one alone, by a table of chances. */
const chain = (table: readonly (readonly number[])[]): Reader => {
  const after = (id: number): Float32Array => Float32Array.from(table[id] as readonly number[], Math.log)
  const at = (ids: readonly number[]): Reading => ({
    scores: [after(ids.at(-1) as number)],
    next: ([id]) => Promise.resolve(at([...ids, id as number])),
    through: ([tokens = []], back = 0) =>
      Promise.resolve({
        scores: [tokens.map(after)],
        reading: at([...ids.slice(0, ids.length - back), ...tokens]),
      }),
  })
  return { start: ([ids = []]) => Promise.resolve(at(ids)) }
}
const truth = [
  [0.6, 0.3, 0.1],
  [0.1, 0.2, 0.7],
  [0.5, 0.5, 0],
]
const guess = [
  [0.2, 0.5, 0.3],
  [0.4, 0.4, 0.2],
  [0.1, 0.1, 0.8],
]

/** How far texts of three tokens behind a prompt that ends with 0 are from the chances of `truth`. */
const distance = async (
  prompt: readonly number[],
  proposing: Partial<models.GenerateOptions>,
): Promise<number> => {
  const counts = new Map<string, number>()
  const texts = 6000
  for (let i = 0; i < texts; i += 500) {
    const options = { maxTokens: 3, ...proposing, sample: random.key(i) }
    const all = await models.generate(chain(truth), new Array<readonly number[]>(500).fill(prompt), options)
    for (const { ids } of all) counts.set(ids.join(''), (counts.get(ids.join('')) ?? 0) + 1)
  }
  let statistic = 0
  for (const a of [0, 1, 2])
    for (const b of [0, 1, 2])
      for (const c of [0, 1, 2]) {
        const chance = (id: number, from: number): number => truth[from]?.[id] as number
        const expected = texts * chance(a, 0) * chance(b, a) * chance(c, b)
        const found = counts.get(`${a}${b}${c}`) ?? 0
        if (expected === 0) {
          assert.is(found, 0)
          continue
        }
        statistic += (found - expected) ** 2 / expected
      }
  return statistic
}

speculative('tokens drawn from proposals have the chances of the reader, whoever proposes them', async () => {
  // 99.9 % of chi-squared statistics with 20 degrees of freedom lie below 45.3, with 21 below 46.8.
  const drafted = await distance([0], { draft: chain(guess), draftTokens: 2 })
  assert.ok(drafted < 46, `chi-squared is ${drafted} with a draft`)
  const copied = await distance([0, 1, 0, 0, 2, 1, 0], { promptLookup: 2 })
  assert.ok(copied < 46, `chi-squared is ${copied} with what the text proposes`)
})

speculative('what is left of chances is a distribution without what the draft had too much of', () => {
  const rest = remainder(Float64Array.of(0.6, 0.3, 0.1), Float64Array.of(0.2, 0.5, 0.3))
  assert.equal([...rest], [1, 0, 0])
  assert.equal([...remainder(Float64Array.of(0.5, 0.5), Float64Array.of(0.5, 0.5))], [0.5, 0.5])
})

const message = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was refused'
}

speculative('another vocabulary and a reader without a way back are refused', async () => {
  const other = chain([[1]])
  assert.match(
    await message(models.generate(chain(truth), [[0]], { maxTokens: 4, draft: other })),
    /the draft has 1 tokens in its vocabulary, the reader has 3/,
  )
  const forward: Reader = {
    start: () => Promise.resolve({ scores: [new Float32Array(3)], next: () => Promise.reject(new Error()) }),
  }
  assert.match(
    await message(models.generate(forward, [[0]], { maxTokens: 4, draft: chain(truth) })),
    /cannot take tokens back/,
  )
  assert.match(
    await message(
      models.generate(chain(truth), [[0]], { maxTokens: 4, draft: chain(guess), draftTokens: 0 }),
    ),
    /draftTokens must be a positive integer/,
  )
  assert.match(
    await message(models.generate(chain(truth), [[0]], { maxTokens: 4, promptLookup: 0.5 })),
    /promptLookup must be a positive integer/,
  )
  assert.match(
    await message(
      models.generate(chain(truth), [[0]], { maxTokens: 4, promptLookup: 2, draft: chain(guess) }),
    ),
    /by a draft or by promptLookup, not by both/,
  )
})

speculative.run()
