/**
 * A GPT learns to write like a text of yours: node examples/gpt.ts FILE [STEPS]
 * Without a file it reads this project's own documentation.
 */
import { readFileSync } from 'node:fs'
import { random } from 'pullback'
import type { Key, Tensor } from 'pullback'
import {
  causalReader,
  decodeStream,
  encodeIds,
  gpt,
  gptConfig,
  stream,
  tokenizerFromJson,
  trainByteLevelBpe,
  vocabularySize,
} from 'pullback/models'
import { training } from 'pullback/nn'
import {
  adamW,
  causalBatches,
  causalLanguageModelling,
  chain,
  clipByGlobalNorm,
  fold,
  initState,
  makeStep,
  readMetrics,
  schedule,
} from 'pullback/training'

const own = ['README.md', 'docs/architecture.md', 'docs/development.md']
const files =
  process.argv[2] === undefined
    ? own.map((path) => new URL(`../${path}`, import.meta.url))
    : [process.argv[2]]
const steps = Number(process.argv[3] ?? 300)
const text = files.map((file) => readFileSync(file, 'utf8')).join('\n\n')

/** A right, or the end with what the left says. */
const right = <A>(either: { _tag: 'Right'; right: A } | { _tag: 'Left'; left: unknown }): A => {
  if (either._tag === 'Right') return either.right
  throw new Error(String(either.left))
}

const tokenizer = right(tokenizerFromJson(right(trainByteLevelBpe([text], { vocabSize: 1000 }))))
const ids = Int32Array.from(encodeIds(tokenizer, text, { addSpecialTokens: false }))
console.log(`${text.length} characters, ${ids.length} tokens of ${vocabularySize(tokenizer)} kinds`)

const config = gptConfig({
  vocabularySize: vocabularySize(tokenizer),
  width: 128,
  layers: 2,
  heads: 4,
  maxLength: 64,
  dropout: 0,
  embeddingDropout: 0,
  attentionDropout: 0,
})
const model = gpt(config)
const params = model.init(random.key(0))
type Params = typeof params

const batches = right(causalBatches(ids, { length: 64, batchSize: 16, seed: 0, windows: 'random' }))
const objective = (p: Params, { ids }: { readonly ids: Tensor }, key: Key) =>
  causalLanguageModelling(model.apply(p, training(key))({ ids }).logits, ids)
const rate = schedule.cosine({ peak: 2e-3, warmupSteps: 20, totalSteps: steps })
const optimizer = chain(clipByGlobalNorm(1), adamW({ learningRate: rate }))
const step = makeStep({ objective, optimizer })

let trained = initState(params, optimizer, random.key(1))
for await (const { step: done, state, metrics } of fold({ step, state: trained, batches, steps })) {
  trained = state
  if (done % 50 === 0) console.log(`step ${done}: loss ${(await readMetrics(metrics)).loss.toFixed(3)}`)
}

const reader = causalReader(model, trained.params, { maxLength: config.maxLength })
const prompt = [...ids.slice(0, 4)]
const written = stream(reader, [prompt], { maxTokens: 50, sample: random.key(2), temperature: 0.8, topK: 40 })
const whole = async function* () {
  yield* prompt
  for await (const { id } of written) yield id
}
for await (const piece of decodeStream(tokenizer, whole())) process.stdout.write(piece)
process.stdout.write('\n')
