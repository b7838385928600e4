/** Writing with a cache, padding and buckets is writing without them. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, tensor, toArraySync, tree } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import * as models from '../../../models/index.ts'
import type { GenerateOptions, Reader, Written } from '../../../models/index.ts'
import { evaluation } from '../../../nn/index.ts'
import { refusal } from '../../support/refusal.ts'

const writing = suite('writing')

const shaken = <P>(params: P): P => {
  let i = 0
  return tree.map((x) => random.normal(random.key(100 + i++), x.shape), params)
}
const ints = (rows: readonly (readonly number[])[]): Tensor => tensor(rows, { dtype: 'int32' })

const size = 13
const config = models.gptConfig({ vocabularySize: size, width: 8, layers: 2, heads: 2, maxLength: 80 })
const gpt = models.gpt(config)
const params = shaken(gpt.init(random.key(0)))
const reader = models.causalReader(gpt, params, { maxLength: config.maxLength })

/** The scores of what comes next by reading the whole text at once. */
const scoresOf = (ids: readonly number[]): Float32Array =>
  toArraySync(gpt.apply(params, evaluation)({ ids: ints([ids]) }).logits).slice(-size) as Float32Array

/** A reader that forgets everything. */
const forgetful: Reader = {
  start: (texts) => {
    const from = (all: readonly (readonly number[])[]): Promise<models.Reading> =>
      Promise.resolve({
        scores: all.map(scoresOf),
        next: (tokens, rows = all.map((_, i) => i)) =>
          from(rows.map((row, i) => [...(all[row] as readonly number[]), tokens[i] as number])),
      })
    return from(texts)
  },
}

const text = fc.array(fc.nat({ max: size - 1 }), { minLength: 1, maxLength: 20 })
const ids = (written: readonly Written[]): readonly (readonly number[])[] => written.map((one) => one.ids)

writing(
  'reading in parts gives the scores of reading at once, for texts of any lengths side by side',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat({ max: size - 1 }), { maxLength: 20 }),
        async (texts, more) => {
          let reading = await reader.start(texts)
          let all = texts
          for (let step = 0; ; step++) {
            reading.scores.forEach((own, row) =>
              own.forEach((x, id) => {
                const expected = scoresOf(all[row] as readonly number[])[id] as number
                assert.ok(
                  Math.abs(x - expected) <= 1e-4 * Math.max(1, Math.abs(expected)),
                  `${x}, ${expected}`,
                )
              }),
            )
            if (step === more.length) return
            const tokens = texts.map((_, row) => ((more[step] as number) + row) % size)
            all = all.map((own, row) => [...own, tokens[row] as number])
            reading = await reading.next(tokens)
          }
        },
      ),
      { numRuns: 12 },
    )
  },
)

writing('a batch is written as each of its texts is alone, and as without a cache', async () => {
  const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
  const options: GenerateOptions = { maxTokens: 40, repetitionPenalty: 1.3, noRepeatNgram: 4 }
  const together = ids(await models.generate(reader, prompts, options))
  const alone = await Promise.all(prompts.map((prompt) => models.generate(reader, [prompt], options)))
  assert.equal(together, alone.flatMap(ids))
  assert.equal(together, ids(await models.generate(forgetful, prompts, options)))
})

writing('a text ends with an end token, when it is told to, or when it is long enough', async () => {
  const prompts = [[1, 2, 3], [4]]
  const free = await models.generate(reader, prompts, { maxTokens: 30 })
  assert.equal(
    free.map(({ reason }) => reason),
    ['length', 'length'],
  )
  assert.equal(
    free.map((one) => one.ids.length),
    [30, 30],
  )
  const end = free[0]?.ids[4] as number
  const ended = await models.generate(reader, prompts, { maxTokens: 30, endIds: [end] })
  for (const [row, { ids, reason }] of ended.entries()) {
    const whole = free[row]?.ids ?? []
    const at = whole.indexOf(end)
    assert.equal(ids, at < 0 ? whole : whole.slice(0, at + 1))
    assert.is(reason, at < 0 ? 'length' : 'end')
  }
  const decode = (own: readonly number[]): string => own.map((id) => String.fromCharCode(97 + id)).join('')
  const word = decode((free[0]?.ids ?? []).slice(2, 5))
  const [stopped] = await models.generate(reader, prompts, {
    maxTokens: 30,
    stop: models.stopStrings([word], decode),
  })
  assert.is(stopped?.reason, 'stop')
  assert.ok(decode(stopped?.ids ?? []).endsWith(word))
  const longest = models.causalReader(gpt, params, { maxLength: 10 })
  const [cut] = await models.generate(longest, [[1, 2, 3]], { maxTokens: 30 })
  assert.equal([cut?.ids.length, cut?.reason], [7, 'length'])
  assert.equal(await models.generate(reader, prompts, { maxTokens: 0 }), [
    { ids: [], reason: 'length' },
    { ids: [], reason: 'length' },
  ])
})

writing('a stream gives tokens as they are written, and nothing is read that nobody asks for', async () => {
  let steps = 0
  const counting: Reader = {
    start: async (texts) => {
      const count = (reading: models.Reading): models.Reading => ({
        scores: reading.scores,
        next: async (tokens, from) => {
          steps++
          return count(await reading.next(tokens, from))
        },
      })
      return count(await reader.start(texts))
    },
  }
  const prompts = [[1, 2, 3], [4]]
  const whole = ids(await models.generate(reader, prompts, { maxTokens: 6 }))
  const seen: (readonly number[])[] = []
  for await (const { row, id } of models.stream(counting, prompts, { maxTokens: 6 })) {
    seen.push([row, id])
    if (seen.length === 5) break
  }
  assert.equal(
    seen,
    [0, 1, 2, 3, 4].map((i) => [i % 2, whole[i % 2]?.[Math.floor(i / 2)]]),
  )
  assert.is(steps, 2)
})

writing('what is drawn depends on the key alone', async () => {
  const options = { maxTokens: 12, temperature: 1.5, topK: 9 }
  const write = (seed: number): Promise<readonly Written[]> =>
    models.generate(
      reader,
      [
        [1, 2],
        [1, 2],
      ],
      { ...options, sample: random.key(seed) },
    )
  const [a, b, c] = [await write(1), await write(1), await write(2)]
  assert.equal(a, b)
  assert.not.equal(a, c)
  assert.not.equal(a[0]?.ids, a[1]?.ids)
})

writing('tokens are drawn as often as their probabilities say', async () => {
  const chances = processorChances([1, 2, 3])
  const rows = 4000
  const counts = new Float64Array(size)
  const same: Reader = {
    start: (texts) =>
      Promise.resolve({
        scores: texts.map(() => scoresOf([1, 2, 3])),
        next: () => Promise.reject(new Error()),
      }),
  }
  const options = { maxTokens: 1, sample: random.key(5), temperature: 4 }
  for (const { ids } of await models.generate(
    same,
    Array.from({ length: rows }, () => [1]),
    options,
  ))
    counts[ids[0] as number] = (counts[ids[0] as number] as number) + 1
  // Pearson's statistic with 12 degrees of freedom is beyond 33 once in a thousand keys.
  const statistic = chances.reduce(
    (sum, p, id) => sum + ((counts[id] as number) - rows * p) ** 2 / (rows * p),
    0,
  )
  assert.ok(statistic < 33, `${statistic}`)
})

const processorChances = (prompt: readonly number[]): Float64Array =>
  models.processor.probabilities(scoresOf(prompt).map((x) => x / 4))

writing('at a low temperature, and of one candidate, the best token is drawn', async () => {
  const prompts = [[1, 2, 3], [4]]
  const greedy = ids(await models.generate(reader, prompts, { maxTokens: 10 }))
  for (const options of [{ temperature: 1e-4 }, { topK: 1 }, { topP: 1e-6 }, { minP: 1 }])
    assert.equal(
      ids(await models.generate(reader, prompts, { maxTokens: 10, sample: random.key(1), ...options })),
      greedy,
    )
})

const message = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

writing('mistakes are told', async () => {
  const write = (
    prompts: readonly (readonly number[])[],
    options: Partial<GenerateOptions>,
  ): Promise<string> => message(models.generate(reader, prompts, { maxTokens: 5, ...options }))
  assert.is(await write([], {}), 'generate: expected at least one prompt, got none')
  assert.is(await write([[]], {}), 'start: expected at least one text, each of at least one token')
  assert.is(
    await write([[1]], { maxTokens: -1 }),
    'generate: maxTokens must be an integer of at least 0, got -1',
  )
  assert.is(
    await write([[1]], { allowed: () => false }),
    'generate: no token can come next: what is allowed leaves none, or scores are not numbers',
  )
  assert.is(
    await write([new Array<number>(81).fill(1)], {}),
    'read: a text has 81 tokens, the model reads at most 80',
  )
  const reading = await reader.start([[1], [2]])
  assert.is(await message(reading.next([1])), 'next: expected a token for each of 2 rows, got 1')
})

const seq2seq = models.transformerConfig({
  sourceVocabularySize: size,
  targetVocabularySize: size,
  width: 8,
  heads: 2,
  encoderLayers: 2,
  decoderLayers: 2,
})

writing('a target is written with a cache as without, for sources of any lengths side by side', async () => {
  const model = models.transformer(seq2seq)
  const own = shaken(model.init(random.key(0)))
  const translate = models.sequenceReader(
    { encoder: models.transformerEncoder(seq2seq), decoder: model },
    own,
  )
  const sources = [[3, 4, 5, 6], [7], [8, 9, 10, 11, 12, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 3, 4, 5]]
  const starts = sources.map(() => [1])
  const options: GenerateOptions = { maxTokens: 20, noRepeatNgram: 3, endIds: [2] }
  const plain = (source: readonly number[]): Reader => {
    const from = (all: readonly (readonly number[])[]): Promise<models.Reading> =>
      Promise.resolve({
        scores: all.map(
          (decoderIds) =>
            toArraySync(
              model.apply(own, evaluation)({ ids: ints([source]), decoderIds: ints([decoderIds]) }).logits,
            ).slice(-size) as Float32Array,
        ),
        next: (tokens) => from(all.map((ids, i) => [...ids, tokens[i] as number])),
      })
    return { start: from }
  }
  const written = ids(await models.generate(translate(sources), starts, options))
  for (const [i, source] of sources.entries())
    assert.equal([written[i]], ids(await models.generate(plain(source), [[1]], options)), `source ${i}`)
  const beams = await models.beamSearch(translate(sources), starts, { beams: 3, maxTokens: 8, endIds: [2] })
  for (const [i, source] of sources.entries())
    assert.equal(
      beams[i]?.map((one) => one.ids),
      (await models.beamSearch(translate([source]), [[1]], { beams: 3, maxTokens: 8, endIds: [2] }))[0]?.map(
        (one) => one.ids,
      ),
    )
})

writing('beams end with the model’s longest text, where greedy texts do', async () => {
  const short = models.causalReader(gpt, params, { maxLength: 5 })
  for (const prompt of [
    [1, 2, 3, 4],
    [1, 2, 3, 4, 5],
  ]) {
    const [greedy] = await models.generate(short, [prompt], { maxTokens: 9 })
    const [found] = await models.beamSearch(short, [prompt], { beams: 2, maxTokens: 9 })
    assert.equal(found?.[0]?.ids, greedy?.ids)
  }
  assert.match(await refusal(models.beamSearch(short, [], { beams: 2, maxTokens: 9 })), 'at least one prompt')
})

writing('one beam is greedy, and enough beams find the most probable text', async () => {
  const prompts = [[1, 2, 3], [4]]
  const greedy = ids(await models.generate(reader, prompts, { maxTokens: 10 }))
  const one = await models.beamSearch(reader, prompts, { beams: 1, maxTokens: 10 })
  assert.equal(
    one.map((texts) => texts[0]?.ids),
    greedy,
  )
  // All texts of two tokens.
  const log = (text: readonly number[]): Float32Array => models.processor.logProbabilities(scoresOf(text))
  const first = log([1, 2, 3])
  const all = [...first].flatMap((a, i) =>
    [...log([1, 2, 3, i])].map((b, j) => ({ ids: [i, j], score: (a + b) / 2 })),
  )
  all.sort((a, b) => b.score - a.score)
  const [found] = await models.beamSearch(reader, [[1, 2, 3]], { beams: size, maxTokens: 2, count: 5 })
  assert.equal(
    found?.map((text) => text.ids),
    all.slice(0, 5).map((text) => text.ids),
  )
  found?.forEach(({ score }, i) => assert.ok(Math.abs(score - (all[i]?.score as number)) < 1e-4))
})

writing(
  'groups without a penalty are searches of their own; the first one never minds the others',
  async () => {
    const prompts = [[1, 2, 3], [4]]
    const narrow = await models.beamSearch(reader, prompts, { beams: 2, maxTokens: 8, endIds: [5], count: 2 })
    const options = { beams: 6, groups: 3, maxTokens: 8, endIds: [5], count: 6 }
    const same = await models.beamSearch(reader, prompts, options)
    same.forEach((texts, i) =>
      assert.equal(
        texts.map((text) => text.ids.join()).sort(),
        [0, 1, 2].flatMap(() => narrow[i]?.map((text) => text.ids.join()) ?? []).sort(),
      ),
    )
    const apart = await models.beamSearch(reader, prompts, { ...options, diversityPenalty: 3 })
    apart.forEach((texts, i) => {
      const found = texts.map((text) => text.ids.join())
      for (const { ids } of narrow[i] ?? []) assert.ok(found.includes(ids.join()))
      assert.ok(new Set(found).size > 2, 'the other groups write something else')
    })
  },
)

writing(
  'a group of one beam takes the likeliest token after what earlier groups took was made less likely',
  async () => {
    const [penalty, length] = [2, 6]
    const texts = [0, 1, 2].map(() => [1, 2, 3])
    for (let step = 0; step < length; step++) {
      const taken: number[] = []
      for (const text of texts) {
        const scores = models.processor.logProbabilities(scoresOf(text))
        for (const id of taken) scores[id] = (scores[id] as number) - penalty
        const id = scores.indexOf(Math.max(...scores))
        text.push(id)
        taken.push(id)
      }
    }
    const [found] = await models.beamSearch(reader, [[1, 2, 3]], {
      beams: 3,
      groups: 3,
      diversityPenalty: penalty,
      maxTokens: length,
      count: 3,
    })
    assert.equal(found?.map(({ ids }) => ids.join()).sort(), texts.map((text) => text.slice(3).join()).sort())
  },
)

writing('a source is read as far as the encoder has positions, though its bucket goes further', async () => {
  const bart = models.bartConfig({
    ...{
      vocabularySize: size,
      width: 8,
      encoderLayers: 1,
      decoderLayers: 1,
      encoderHidden: 8,
      decoderHidden: 8,
    },
    ...{ encoderHeads: 2, decoderHeads: 2, maxLength: 24 },
  })
  const own = models.bart(bart).init(random.key(0))
  const both = { encoder: models.bartEncoder(bart), decoder: models.bart(bart) }
  const read = models.sequenceReader(both, own)
  const source = Array.from({ length: 25 }, (_, i) => i % size)
  assert.is((await models.generate(read([source.slice(1)]), [[2]], { maxTokens: 3 })).length, 1)
  assert.match(await thrown(() => read([source])), 'the model has 24 positions, the sequence is longer')
})

const thrown = async (task: () => unknown): Promise<string> => {
  try {
    await task()
  } catch (error) {
    return String(error)
  }
  return 'nothing was thrown'
}

writing('ids and positions that a model has not are named before anything is read', async () => {
  const beyond = `ids must be 0 to ${size - 1}, rows of the table, got`
  const open = models.causalReader(gpt, params)
  const long = Array.from({ length: config.maxLength + 1 }, () => 1)
  const none = `ids must be 0 to ${config.maxLength - 1}, rows of the table, got ${config.maxLength}, in embeddings/position`
  assert.match(
    await thrown(() => models.generate(reader, [[1], [2, size]], { maxTokens: 2 })),
    `${beyond} 13`,
  )
  assert.match(
    await thrown(() => models.beamSearch(reader, [[-1]], { beams: 2, maxTokens: 2 })),
    `${beyond} -1`,
  )
  assert.match(await thrown(() => models.generate(open, [long], { maxTokens: 1 })), none)
  // Of a reader that is told no length the model's own shows when it is reached.
  assert.match(await thrown(() => models.generate(open, [long.slice(2)], { maxTokens: 9 })), none)
  const reading = await reader.start([[1, 2]])
  assert.match(await thrown(() => reading.next([size + 1])), `${beyond} 14`)
  const t5 = models.t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
  const both = { encoder: models.t5Encoder(t5), decoder: models.t5(t5) }
  const sources = models.sequenceReader(both, models.t5(t5).init(random.key(0)))
  assert.match(await thrown(() => sources([[3, 1], [50]])), 'ids must be 0 to 49, rows of the table, got 50')
})

writing.run()
