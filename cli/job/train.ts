/** The loop that every training job runs: steps, progress, metrics, evaluations, checkpoints, and an end in order. */
import { toArray, tree } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import {
  adamW,
  chain,
  clipByGlobalNorm,
  exceptBiasAndNorm,
  fold,
  grouped,
  initState,
  makeStep,
  muon,
  readMetrics,
  schedule,
} from '../../training/index.ts'
import type { Batches, Metrics, Objective, Schedule, TrainState, Transform } from '../../training/index.ts'
import type { Context } from '../context.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { count, duration } from '../word.ts'

export interface Recipe {
  readonly steps: number
  readonly learningRate: number
  /** The share of the steps in which the rate rises. */
  readonly warmup: number
  readonly weightDecay: number
  readonly clip: number
  readonly optimizer: 'adamw' | 'muon'
}

export interface TrainJob<P, B, M extends Metrics> {
  /** What metrics call it. */
  readonly phase: string
  /** What the progress bar calls it. */
  readonly label: string
  readonly params: P
  readonly key: Key
  /** A run to go on with. */
  readonly resume?: Resume | undefined
  readonly objective: Objective<P, B, M>
  /** Which of the step's metrics is comparable with the held-out loss; the loss itself unless given. */
  readonly headline?: string
  readonly batches: Batches<B>
  readonly recipe: Recipe
  /** How long it may take, in seconds: fewer steps where they would take longer. */
  readonly seconds?: number | undefined
  /** How many tokens there are to learn from. */
  readonly tokens: number
  /** Tokens that a step reads, for speeds. */
  readonly tokensPerStep: number
  readonly log: (metric: Metric) => Promise<void>
  /** Looks at held-out data so many times on the way, and at the end. */
  readonly evaluations: number
  readonly evaluate: (params: P) => Promise<Metric>
  /** Keeps the state: now and then, at the end, and when the run is ended. */
  readonly save: (state: TrainState<P>, notes: CheckpointNotes) => Promise<void>
}

/** What a checkpoint notes beside the state. */
export interface CheckpointNotes extends Readonly<Record<string, unknown>> {
  /** How many steps the run is to have. */
  readonly steps: number
  /** How many tokens there are to learn from: with others it would be another run. */
  readonly tokens: number
}

/** A run to go on with: its state, given one of the same form, and how many steps it is to have. */
export interface Resume {
  readonly load: <S>(like: S, tokens: number) => Promise<{ readonly state: S; readonly steps: number }>
}

export interface Trained<P> {
  readonly params: P
  readonly steps: number
  readonly seconds: number
  readonly interrupted: boolean
  readonly trainCurve: readonly (readonly [step: number, loss: number])[]
  readonly evaluations: readonly { readonly step: number; readonly metric: Metric }[]
}

export const recipeOf = (
  values: Values<'steps' | 'learningRate' | 'optimizer' | 'warmup' | 'weightDecay' | 'clip'>,
): Recipe => ({
  steps: values.steps,
  learningRate: values.learningRate,
  warmup: values.warmup,
  weightDecay: values.weightDecay,
  clip: values.clip,
  optimizer: values.optimizer,
})

const rateOf = ({ steps, learningRate, warmup }: Recipe): Schedule =>
  schedule.linear({ peak: learningRate, warmupSteps: Math.round(warmup * steps), totalSteps: steps + 1 })

/** Matrices within the layers of a stack; embeddings and the scores' weights are none of these. */
const withinLayers = (path: string, { shape }: Tensor): boolean =>
  shape.length === 2 && /(^|\/)block\//.test(path)

/** The optimizer of a recipe, its gradients clipped. */
export const optimizerOf = (recipe: Recipe): Transform => {
  const { clip, weightDecay } = recipe
  const learningRate = rateOf(recipe)
  const adam = adamW({ learningRate, weightDecay, mask: exceptBiasAndNorm })
  if (recipe.optimizer === 'adamw') return chain(clipByGlobalNorm(clip), adam)
  // Scaled to AdamW's size, so that one rate and one decay serve both.
  const orthogonal = muon({ learningRate, weightDecay, adjust: 'matchAdamW' })
  return chain(
    clipByGlobalNorm(clip),
    grouped((path, x) => (withinLayers(path, x) ? 'matrix' : 'other'), { matrix: orthogonal, other: adam }),
  )
}

/**
 * Steps that are tried before a run to learn how long they take, and how many of them only warm up. Where the time allows
 * they are so many that a second or two in which the machine does something else as well does not decide.
 */
const tried = { least: 16, most: 40, share: 0.05 }
const warming = 4
const saveEvery = 30
const logEvery = 10

/** Seconds that a step takes here, found by taking some from a state that is thrown away. */
const secondsPerStep = async <P, B, M extends Metrics>(
  job: TrainJob<P, B, M>,
  seconds: number,
): Promise<number> => {
  const optimizer = optimizerOf(job.recipe)
  const step = makeStep({ objective: job.objective, optimizer })
  let state = initState(job.params, optimizer, job.key)
  const times: number[] = []
  const enough = performance.now() + 1000 * tried.share * seconds
  for (let i = 0; i < tried.most && (i < tried.least || performance.now() < enough); i++) {
    const start = performance.now()
    const [next, metrics] = step(state, await job.batches(i))
    await readMetrics(metrics)
    state = next
    times.push((performance.now() - start) / 1000)
  }
  // The first ones also compile; of the rest the one in the middle, since some wait for whatever else the machine does.
  const warm = times.slice(warming).sort((a, b) => a - b)
  return warm[Math.floor(warm.length / 2)] as number
}

/** As many steps as there is time for; tells when these are fewer than were wanted. */
const stepsInTime = async <P, B, M extends Metrics>(
  { terminal: { say } }: Context,
  job: TrainJob<P, B, M>,
): Promise<number> => {
  const { seconds, recipe } = job
  if (seconds === undefined || recipe.steps <= 2 * tried.least) return recipe.steps
  const each = await secondsPerStep(job, seconds)
  const fitting = Math.max(2 * tried.least, Math.floor(seconds / each))
  if (fitting >= recipe.steps) return recipe.steps
  say(
    `  a step takes ${Math.round(1000 * each)} ms here, so ${count(fitting)} steps instead of ${count(recipe.steps)} fit into ${duration(seconds)}`,
  )
  return fitting
}

export const train = async <P, B, M extends Metrics>(
  context: Context,
  job: TrainJob<P, B, M>,
): Promise<Trained<P>> => {
  const { terminal, signal } = context
  const { phase, log, batches, tokensPerStep } = job
  const initial = initState(job.params, optimizerOf(job.recipe), job.key)
  const begun = await (job.resume?.load(initial, job.tokens) ??
    stepsInTime(context, job).then((wanted) => ({ state: initial, steps: wanted })))
  const recipe = { ...job.recipe, steps: begun.steps }
  const notes = { steps: recipe.steps, tokens: job.tokens }
  const rate = rateOf(recipe)
  const optimizer = optimizerOf(recipe)
  const step = makeStep({ objective: job.objective, optimizer })
  let { state } = begun
  const trainCurve: (readonly [number, number])[] = []
  const evaluations: { step: number; metric: Metric }[] = []
  const every = Math.max(1, Math.ceil(recipe.steps / Math.max(1, job.evaluations)))
  const bar = terminal.bar(job.label, recipe.steps)
  const start = performance.now()
  let saved = start
  // where there is nothing left to do, what there is is still looked at
  let done = (await toArray(state.step))[0] as number
  let taken = 0
  let losses: number[] = []
  let evalNote = ''
  let looking = 0
  const look = async (): Promise<void> => {
    const from = performance.now()
    const metric = await job.evaluate(state.params)
    evaluations.push({ step: done, metric })
    evalNote = `, held out ${Number(metric['evalLoss']).toFixed(2)}`
    // of a run that was at its end before, it has been told
    if (taken > 0) await log({ phase, step: done, ...metric })
    looking += performance.now() - from
  }
  for await (const progress of fold({ step, state, batches, steps: recipe.steps, signal })) {
    state = progress.state
    done = progress.step
    taken++
    const { loss, gradientNorm, ...rest } = await readMetrics(progress.metrics)
    const parts: Readonly<Record<string, number>> = { ...rest }
    losses.push(job.headline === undefined ? loss : (parts[job.headline] ?? loss))
    if (done % logEvery === 0 || done === recipe.steps) {
      const trainLoss = losses.reduce((sum, x) => sum + x, 0) / losses.length
      losses = []
      trainCurve.push([done, trainLoss])
      const speed = (taken * tokensPerStep) / ((performance.now() - start - looking) / 1000)
      await log({
        phase,
        step: done,
        trainLoss,
        ...parts,
        gradientNorm,
        learningRate: rate(done - 1),
        tokensPerSecond: Math.round(speed),
      })
      bar.at(done, `loss ${trainLoss.toFixed(2)}${evalNote}, ${count(speed)} tokens/s`)
    }
    if (!Number.isFinite(loss)) {
      bar.end()
      throw new Error(`${phase}: the loss is ${loss} after step ${done}; try a lower learning rate`)
    }
    if (done % every === 0 && done < recipe.steps) await look()
    if (performance.now() - saved > 1000 * saveEvery) {
      await job.save(state, notes)
      saved = performance.now()
    }
  }
  if (!signal.aborted) await look()
  bar.end()
  await job.save(state, notes)
  return {
    params: tree.map((x) => x, state.params),
    steps: done,
    seconds: (performance.now() - start) / 1000,
    interrupted: signal.aborted,
    trainCurve,
    evaluations,
  }
}
