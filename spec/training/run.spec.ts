/** Whole training runs against Transformers': every loss, every norm, every rate, and the parameters at the end. */
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { at, random } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  BertForSequenceClassification,
  GPT2LMHeadModel,
  T5ForConditionalGeneration,
  loadModel,
  paramEntries,
  shiftRight,
} from '../../models/index.ts'
import type { Loaded } from '../../models/index.ts'
import {
  adamW,
  causalLanguageModelling,
  chain,
  classification,
  clipByGlobalNorm,
  decodeState,
  encodeState,
  fold,
  initState,
  isMatrix,
  makeAccumulatingStep,
  makeStep,
  readMetrics,
  schedule,
  sequenceToSequence,
} from '../../training/index.ts'
import type { Objective, Schedule, Step, TrainState, Transform } from '../../training/index.ts'
import { assertClose, named, readJson, readTensors } from './fixture.ts'

const runs = suite('recorded runs')

interface Recorded {
  readonly float32_vs_float64: { readonly loss_max_abs: number; readonly final_parameter_max_abs: number }
  readonly training: {
    readonly betas: readonly [number, number]
    readonly eps: number
    readonly lr: number
    readonly weight_decay: number
    readonly clip_grad_norm: number
    readonly warmup_steps: number
    readonly steps: number
  }
}

const folderOf = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/training/${name}`, import.meta.url))

const right = <A>(result: E.Either<string, A>): A =>
  E.isRight(result) ? result.right : (assert.unreachable(result.left) as never)

interface Run<P, B> {
  readonly name: string
  readonly rate: Schedule
  readonly step: (optimizer: Transform) => Step<P, B, Readonly<Record<never, Tensor>>>
  readonly params: P
  readonly batch: (tensors: ReadonlyMap<string, Tensor>, step: number) => B
  /** The parameters under the names of the original library. */
  readonly entries: (params: P) => ReturnType<typeof paramEntries>
}

const follow = async <P, B>({ name, rate, step, params, batch, entries }: Run<P, B>): Promise<void> => {
  const { training, float32_vs_float64: rounding } = readJson(`training/${name}/reference.json`) as Recorded
  const tensors = readTensors(`training/${name}/reference.safetensors`)
  const optimizer = chain(
    clipByGlobalNorm(training.clip_grad_norm),
    adamW({
      learningRate: rate,
      betas: training.betas,
      epsilon: training.eps,
      weightDecay: training.weight_decay,
      mask: isMatrix,
    }),
  )
  const losses: number[] = []
  const norms: number[] = []
  let state: TrainState<P> = initState(params, optimizer, random.key(0))
  const run = async (steps: number): Promise<void> => {
    const config = { step: step(optimizer), state, batches: (i: number) => batch(tensors, i), steps }
    for await (const progress of fold(config)) {
      const { loss, gradientNorm } = await readMetrics(progress.metrics)
      losses.push(loss)
      norms.push(gradientNorm)
      state = progress.state
    }
  }
  // in two parts, the second from what the first left as bytes
  await run(17)
  state = right(decodeState(await encodeState(state), state))
  await run(training.steps)

  const rates = Array.from({ length: training.steps }, (_, i) => rate(i))
  assertClose(rates, named(tensors, 'lr'), 'learning rates', { relative: 1e-6, absolute: 1e-9 })
  // rounding grows along a run as it does in the original, so its own distance from float64 is the measure
  assertClose(losses, named(tensors, 'loss'), 'losses', {
    relative: 1e-5,
    absolute: 10 * rounding.loss_max_abs,
  })
  assertClose(norms, named(tensors, 'grad_norm'), 'gradient norms', { relative: 1e-4, absolute: 1e-6 })
  const last = await entries(state.params)
  const expected = [...tensors.keys()].filter((one) => one.startsWith(`step${training.steps}.`))
  assert.ok(expected.length > 20)
  const found = new Map(last.map((entry) => [`step${training.steps}.${entry.name}`, entry]))
  for (const one of expected)
    assertClose(found.get(one)?.data as Float32Array, named(tensors, one), one, {
      relative: 1e-5,
      absolute: 10 * rounding.final_parameter_max_abs,
    })
}

const loaded = async <C, P, I, O>(
  architecture: Parameters<typeof loadModel<C, P, I, O>>[0],
  name: string,
): Promise<Loaded<C, P, I, O>> => right(await loadModel(architecture, folderOf(name))())

runs('GPT-2, cosine schedule', async () => {
  const { config, layer, params } = await loaded(GPT2LMHeadModel, 'gpt2')
  interface Batch {
    readonly ids: Tensor
    readonly labels: Tensor
  }
  type Params = typeof params
  const objective: Objective<Params, Batch, Readonly<Record<never, Tensor>>> = (p, { ids, labels }, key) =>
    causalLanguageModelling(layer.apply(p, { mode: 'train', key })({ ids }).logits, labels)
  await follow<Params, Batch>({
    name: 'gpt2',
    rate: schedule.cosine({ peak: 0.008, warmupSteps: 4, totalSteps: 40 }),
    step: (optimizer) => makeStep({ objective, optimizer }),
    params,
    batch: (tensors, i) => ({
      ids: at(named(tensors, 'batches.input_ids'), i),
      labels: at(named(tensors, 'batches.labels'), i),
    }),
    entries: (p) => paramEntries(layer, GPT2LMHeadModel.names(config), p),
  })
})

interface Batch {
  readonly ids: Tensor
  readonly keyMask: Tensor
  readonly labels: Tensor
}
const batchOf = (tensors: ReadonlyMap<string, Tensor>, i: number): Batch => ({
  ids: at(named(tensors, 'batches.input_ids'), i),
  keyMask: at(named(tensors, 'batches.attention_mask'), i),
  labels: at(named(tensors, 'batches.labels'), i),
})

runs('a BERT classifier, gradients of two micro-batches accumulated, linear schedule', async () => {
  const { config, layer, params } = await loaded(BertForSequenceClassification, 'bert-accumulating')
  type Params = typeof params
  const objective: Objective<Params, Batch, Readonly<Record<never, Tensor>>> = (
    p,
    { ids, keyMask, labels },
    key,
  ) => classification(layer.apply(p, { mode: 'train', key })({ ids, keyMask }).logits, labels)
  await follow<Params, readonly Batch[]>({
    name: 'bert-accumulating',
    rate: schedule.linear({ peak: 0.003, warmupSteps: 5, totalSteps: 40 }),
    step: (optimizer) => makeAccumulatingStep({ objective, optimizer }),
    params,
    batch: (tensors, i) => [batchOf(tensors, 2 * i), batchOf(tensors, 2 * i + 1)],
    entries: (p) => paramEntries(layer, BertForSequenceClassification.names(config), p),
  })
})

runs('T5, polynomial schedule', async () => {
  const { config, layer, params } = await loaded(T5ForConditionalGeneration, 't5')
  type Params = typeof params
  const objective: Objective<Params, Batch, Readonly<Record<never, Tensor>>> = (
    p,
    { ids, keyMask, labels },
    key,
  ) => {
    const decoderIds = shiftRight(labels, { start: 0, padding: 0 })
    const { logits } = layer.apply(p, { mode: 'train', key })({ ids, keyMask, decoderIds })
    return sequenceToSequence(logits, labels)
  }
  await follow<Params, Batch>({
    name: 't5',
    rate: schedule.polynomial({ peak: 0.01, warmupSteps: 3, totalSteps: 40 }),
    step: (optimizer) => makeStep({ objective, optimizer }),
    params,
    batch: batchOf,
    entries: (p) => paramEntries(layer, T5ForConditionalGeneration.names(config), p),
  })
})

runs.run()
