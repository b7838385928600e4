/**
 * Sequence to sequence: an encoder-decoder Transformer learns to write dates as 2019-03-07, whatever way they were
 * written in. The dates are made up here, and a tenth of them held out: node examples/dates.ts [STEPS]
 */
import { argMax, fromArray, jit, random, toArray } from 'pullback'
import type { Key, Tensor } from 'pullback'
import { transformer, transformerConfig } from 'pullback/models'
import { evaluation, training } from 'pullback/nn'
import {
  adamW,
  batchesOf,
  chain,
  clipByGlobalNorm,
  fold,
  initState,
  makeStep,
  readMetrics,
  schedule,
  sequenceBatch,
  sequenceToSequence,
} from 'pullback/training'

const steps = Number(process.argv[2] ?? 400)

// Dates, each written in one of five ways, and how they should be written.
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const ways: readonly ((day: number, month: number, year: number) => string)[] = [
  (d, m, y) => `${d} ${months[m]} ${y}`,
  (d, m, y) => `${months[m]} ${d}, ${y}`,
  (d, m, y) => `${months[m]?.slice(0, 3)} ${d} ${y}`,
  (d, m, y) => `${d}.${m + 1}.${y}`,
  (d, m, y) => `${y}/${m + 1}/${d}`,
]
const two = (n: number): string => String(n).padStart(2, '0')
const examples = Array.from({ length: 40 }, (_, i) => 1985 + i).flatMap((year) =>
  months.flatMap((_, month) =>
    Array.from({ length: 28 }, (_, i) => i + 1).map((day) => ({
      heldOut: (day + 3 * month + 7 * year) % 10 === 0,
      source: ways[(day * 7 + month * 3 + year) % ways.length]?.(day, month, year) ?? '',
      target: `${year}-${two(month + 1)}-${two(day)}`,
    })),
  ),
)
const learnt = examples.filter(({ heldOut }) => !heldOut)
const held = examples.filter(({ heldOut }) => heldOut)

// One id for each character; 0 is padding, 1 begins and 2 ends a date.
const letters = [...new Set(examples.flatMap(({ source, target }) => [...source, ...target]))].sort()
const [paddingId, startId, endId] = [0, 1, 2]
const idsOf = (text: string): number[] => [...text].map((letter) => letters.indexOf(letter) + 3)
const textOf = (ids: readonly number[]): string => ids.map((id) => letters[id - 3] ?? '').join('')
const [sourceLength, targetLength] = [20, 11]

const model = transformer(
  transformerConfig({
    sourceVocabularySize: letters.length + 3,
    targetVocabularySize: letters.length + 3,
    sharing: 'all',
    width: 64,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 2,
    preNorm: true,
    dropout: 0,
    paddingId,
    startId,
    endId,
  }),
)
const collate = sequenceBatch({ paddingId, startId, sourceLength, targetLength })
const rows = (some: typeof examples) =>
  some.map(({ source, target }) => ({ source: idsOf(source), target: [...idsOf(target), endId] }))
const batches = batchesOf(rows(learnt), collate, { batchSize: 64, seed: 0 })

type Params = ReturnType<typeof model.init>
const params = model.init(random.key(0))
const objective = (p: Params, batch: ReturnType<typeof collate>, key: Key) =>
  sequenceToSequence(model.apply(p, training(key))(batch).logits, batch.labels)
const rate = schedule.linear({ peak: 3e-3, warmupSteps: steps / 10, totalSteps: steps })
const optimizer = chain(clipByGlobalNorm(1), adamW({ learningRate: rate }))
const step = makeStep({ objective, optimizer })

let trained = initState(params, optimizer, random.key(1))
for await (const { step: done, state, metrics } of fold({ step, state: trained, batches, steps })) {
  trained = state
  if (done % 50 === 0) console.log(`step ${done}: loss ${(await readMetrics(metrics)).loss.toFixed(4)}`)
}

// Greedy decoding of many dates at once: the likeliest character is written down and read again.
const next = jit((p: Params, ids: Tensor, keyMask: Tensor, decoderIds: Tensor): Tensor =>
  argMax(model.apply(p, evaluation)({ ids, keyMask, decoderIds }).logits, { axis: -1 }),
)
const write = async (sources: readonly string[]): Promise<readonly string[]> => {
  const { ids, keyMask } = collate(sources.map((source) => ({ source: idsOf(source), target: [endId] })))
  const written = new Int32Array(sources.length * targetLength).fill(paddingId)
  sources.forEach((_, row) => (written[row * targetLength] = startId))
  let found = written
  for (let at = 0; at < targetLength; at++) {
    found = (await toArray(
      next(trained.params, ids, keyMask, fromArray(written, [sources.length, targetLength])),
    )) as Int32Array<ArrayBuffer>
    if (at + 1 < targetLength)
      sources.forEach(
        (_, row) => (written[row * targetLength + at + 1] = found[row * targetLength + at] as number),
      )
  }
  return sources.map((_, row) => {
    const line = [...found.subarray(row * targetLength, (row + 1) * targetLength)]
    return textOf(line.slice(0, line.indexOf(endId)))
  })
}

const answers = await write(held.map(({ source }) => source))
for (const i of [0, 300, 600, 900, 1200])
  console.log(`${held[i]?.source.padEnd(sourceLength)} → ${answers[i]}`)
const right = held.filter(({ target }, i) => target === answers[i]).length
console.log(`${right} of ${held.length} dates never seen are right`)
