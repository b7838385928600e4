/** All of pretraining together, on a made language: pairs, masking in the compiled step, the objective, the fold. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { bertConfig, bertForPreTraining } from '../../models/index.ts'
import type { BertForPreTrainingOutput, BertForPreTrainingParams } from '../../models/index.ts'
import type { Run } from '../../nn/index.ts'
import {
  accuracyPortion,
  adamW,
  bertPretraining,
  chain,
  clipByGlobalNorm,
  drawsOf,
  evaluate,
  exceptBiasAndNorm,
  fold,
  hostKey,
  initState,
  lossPortion,
  makeStep,
  maskPredictions,
  schedule,
  sentencePairs,
  unigramEntropy,
} from '../../training/index.ts'
import type { PairBatch, Pairs, TrainState } from '../../training/index.ts'

const pretraining = suite('pretraining')

const topics = 4
const words = 12
const vocabularySize = 5 + topics * words

/** Each document has words of one topic; the next word is one of two that the last one allows. */
const documents = (count: number, seed: number): readonly (readonly (readonly number[])[])[] => {
  const { below } = drawsOf(hostKey(seed))
  return Array.from({ length: count }, (_, d) => {
    let word = below(words)
    return Array.from({ length: 10 }, () =>
      Array.from({ length: 5 + below(4) }, () => {
        word = (word * 5 + 1 + below(2)) % words
        return 5 + (d % topics) * words + word
      }),
    )
  })
}

const pairsOf = (some: ReturnType<typeof documents>): Pairs => {
  const config = { length: 24, batchSize: 16, seed: 1, classId: 2, separatorId: 3, paddingId: 0 }
  const pairs = sentencePairs(some, config)
  return E.isRight(pairs) ? pairs.right : (assert.unreachable(pairs.left) as never)
}

const model = bertForPreTraining(
  bertConfig({
    vocabularySize,
    width: 32,
    layers: 1,
    heads: 2,
    maxLength: 24,
    dropout: 0,
    attentionDropout: 0,
  }),
)

const masking = { maskId: 4, vocabularySize, specialIds: [0, 1, 2, 3], predictions: 5 }

const read = (
  params: BertForPreTrainingParams,
  batch: PairBatch,
  key: Key,
  run: Run,
): { readonly output: BertForPreTrainingOutput; readonly labels: Tensor } => {
  const { ids, predictAt, labels } = maskPredictions(random.foldIn(key, 'masking'), batch.ids, masking)
  return { output: model.apply(params, run)({ ...batch, ids, predictAt }), labels }
}

pretraining(
  'a small BERT learns a language and what follows what, beyond the frequency of words',
  async () => {
    const [seen, unseen] = [documents(40, 1), documents(12, 2)]
    const [train, heldOut] = [pairsOf(seen), pairsOf(unseen)]
    const optimizer = chain(
      clipByGlobalNorm(1),
      adamW({
        learningRate: schedule.linear({ peak: 5e-3, warmupSteps: 20, totalSteps: 260 }),
        mask: exceptBiasAndNorm,
      }),
    )
    const step = makeStep({
      objective: (params: BertForPreTrainingParams, batch: PairBatch, key: Key) => {
        const { output, labels } = read(params, batch, key, { mode: 'train', key })
        return bertPretraining(output, { labels, nextSentenceLabels: batch.nextSentenceLabels })
      },
      optimizer,
    })
    const batches = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => ({
        batch: await heldOut.batches(i),
        key: random.foldIn(random.key(9), i),
      })),
    )
    const check = (
      params: BertForPreTrainingParams,
    ): Promise<Readonly<Record<'loss' | 'nextSentence', number>>> =>
      evaluate(
        (p: BertForPreTrainingParams, { batch, key }: (typeof batches)[number]) => {
          const { output, labels } = read(p, batch, key, { mode: 'eval' })
          return {
            loss: lossPortion(output.predictionLogits, labels),
            nextSentence: accuracyPortion(output.nextSentenceLogits, batch.nextSentenceLabels),
          }
        },
        params,
        batches,
      )
    let state: TrainState<BertForPreTrainingParams> = initState(
      model.init(random.key(0)),
      optimizer,
      random.key(1),
    )
    const before = await check(state.params)
    for await (const progress of fold({ step, state, batches: train.batches, steps: 260 }))
      state = progress.state
    const after = await check(state.params)
    const entropy = unigramEntropy(unseen.flat(2))
    assert.ok(before.loss > entropy - 0.1, `${before.loss} before training, the entropy is ${entropy}`)
    // knowing the topic alone, of four, would be worth log 4
    assert.ok(after.loss < entropy - 0.5 * Math.log(topics), `${after.loss}, the entropy is ${entropy}`)
    assert.ok(after.nextSentence > 0.75, `${after.nextSentence} of the second segments are told`)
  },
)

pretraining.run()
