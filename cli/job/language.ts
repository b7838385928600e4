/** What pretraining is whatever the model: training on tokens, looked at with held-out text, kept in the run's folder. */
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import { saveModel } from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import { saveCheckpoint, unigramEntropy } from '../../training/index.ts'
import type { Batches, Metrics, Objective } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { logTo, placeOf } from '../run.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { large } from '../word.ts'
import { parameterCount } from './model.ts'
import { recipeOf, train } from './train.ts'
import type { Resume, Trained } from './train.ts'

/** What pretraining any model asks for. */
export type PretrainSetting =
  | ('seed' | 'width' | 'layers' | 'heads' | 'hidden' | 'length' | 'dropout')
  | ('steps' | 'minutes' | 'batch' | 'learningRate' | 'optimizer' | 'warmup' | 'weightDecay' | 'clip')

/** A model, what it learns by, and what it is looked at with. */
export interface LanguageJob<C, P, B, M extends Metrics> {
  readonly architecture: Architecture<C, P, never, unknown>
  readonly config: C
  readonly params: P
  readonly objective: Objective<P, B, M>
  /** Which of the objective's metrics is comparable with the held-out loss; the loss itself unless given. */
  readonly headline?: string
  readonly batches: Batches<B>
  readonly look: (params: P) => Promise<Metric>
  /** The tokens to learn from, and those held out. */
  readonly learnt: Int32Array
  readonly held: Int32Array
}

export interface Pretrained<C = unknown, P = unknown> {
  readonly config: C
  readonly params: P
  readonly trained: Trained<P>
  /** Of the held-out tokens, in nats: what knowing each token's frequency, and no context, would reach at best. */
  readonly entropy: number
  /** What the held-out data say at the end. */
  readonly evaluation: Metric
}

/** Pretrains, leaving the model and its checkpoint in the run's folder. */
export const pretrainLanguage = <C, P, B, M extends Metrics>(
  context: Context,
  values: Values<PretrainSetting>,
  job: LanguageJob<C, P, B, M>,
  folder: string,
  resume: Resume | undefined,
): TE.TaskEither<string, Pretrained<C, P>> =>
  steps(async (take) => {
    const { architecture, config, params, learnt, held, look } = job
    context.terminal.say(
      `  ${large(parameterCount(params))} parameters, ${large(learnt.length)} tokens to learn from`,
    )
    const trained = await train(context, {
      phase: 'pretrain',
      label: 'pretraining',
      ...(job.headline === undefined ? {} : { headline: job.headline }),
      params,
      key: random.foldIn(random.key(values.seed), 'pretrain'),
      resume,
      objective: job.objective,
      batches: job.batches,
      recipe: recipeOf(values),
      seconds: values.minutes === undefined ? undefined : 60 * values.minutes,
      tokens: learnt.length,
      tokensPerStep: values.batch * values.length,
      log: logTo(folder),
      evaluations: 6,
      evaluate: look,
      save: async (state, notes) => {
        await take(saveCheckpoint(placeOf(folder, 'checkpoint'), state, notes))
        await take(saveModel(architecture, folder, { config, params: state.params }))
      },
    })
    return {
      config,
      params: trained.params,
      trained,
      entropy: unigramEntropy(held),
      evaluation: trained.evaluations.at(-1)?.metric ?? {},
    }
  })
