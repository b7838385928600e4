/** Checks a recorded training run: losses, gradient norms, learning rates, and the parameters after some steps. */
import { fromArray, reshape, sliceAxis } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { adamW, chain, clipByGlobalNorm, schedule } from '../../training/index.ts'
import type { Schedule } from '../../training/index.ts'
import type { Check } from './check.ts'
import { compare, holds } from './check.ts'
import { runners } from './family.ts'
import type { Reference } from './reference.ts'
import { below } from './reference.ts'
import { need } from './runner.ts'
import type { Named } from './runner.ts'

interface Run {
  readonly optimizer: string
  readonly betas: readonly [number, number]
  readonly eps: number
  readonly lr: number
  readonly weight_decay: number
  readonly no_decay: string
  readonly clip_grad_norm: number
  readonly schedule: string
  readonly warmup_steps: number
  readonly steps: number
  readonly gradient_accumulation: number
}

interface RunFile {
  readonly training: Run
  readonly float32_vs_float64: { readonly loss_max_abs: number; readonly final_parameter_max_abs: number }
}

const scheduleOf = (run: Run): Schedule | undefined => {
  const config = { peak: run.lr, warmupSteps: run.warmup_steps, totalSteps: run.steps }
  switch (run.schedule) {
    case 'linear':
      return schedule.linear(config)
    case 'cosine':
      return schedule.cosine(config)
    case 'polynomial':
      return schedule.polynomial(config)
    case 'constant_with_warmup':
      return schedule.constant(config)
    default:
      return undefined
  }
}

/** Row i of every batch tensor. */
const batch = (all: Named, i: number): Named =>
  new Map([...all].map(([name, x]) => [name, reshape(sliceAxis(x, 0, i, i + 1), x.shape.slice(1)) as Tensor]))

/** The entries that this reads. */
export const entries: readonly string[] = ['training', 'no_decay_parameters']

export const checkTraining = async (reference: Reference): Promise<readonly Check[]> => {
  const file = reference.file as unknown as RunFile
  const { training: run, float32_vs_float64: rounding } = file
  const rate = scheduleOf(run)
  if (rate === undefined || run.optimizer !== 'AdamW')
    return [holds('training', 0, [`no ${run.optimizer} with the schedule ${run.schedule} is known here`])]
  const model = await runners[reference.name]?.load(reference.folder)
  if (model === undefined) return [holds('training', 0, [`no class ${reference.name} is known here`])]
  const optimizer = chain(
    clipByGlobalNorm(run.clip_grad_norm),
    adamW({
      learningRate: rate,
      betas: run.betas,
      epsilon: run.eps,
      weightDecay: run.weight_decay,
      mask: (_, { shape }) => shape.length > 1,
    }),
  )
  const batches = below(reference, 'batches.')
  const wanted = [
    ...new Set(
      [...reference.tensors.keys()].flatMap((name) => {
        const step = /^step(\d+)\./.exec(name)?.[1]
        return step === undefined ? [] : [Number(step)]
      }),
    ),
  ]
  const { losses, norms, params } = await model.train(
    (i) => batch(batches, i),
    optimizer,
    run.steps,
    run.gradient_accumulation,
    wanted,
  )
  const row = (name: string, numbers: readonly number[]): Promise<Check> => {
    const expected = need(reference.tensors, name)
    const actual = fromArray(Float32Array.from(numbers), [numbers.length])
    // Norms, as losses, grow apart with the parameters.
    const own = name === 'lr' ? 0 : Math.max(rounding.loss_max_abs, rounding.final_parameter_max_abs)
    return compare(name, new Map([[name, actual]]), new Map([[name, expected]]), own)
  }
  const rates = Array.from({ length: run.steps }, (_, step) => rate(step))
  const checks = [await row('loss', losses), await row('grad_norm', norms), await row('lr', rates)]
  for (const step of wanted)
    checks.push(
      await compare(
        `parameters after step ${step}`,
        params.get(step) ?? new Map(),
        below(reference, `step${step}.`),
        rounding.final_parameter_max_abs,
      ),
    )
  return checks
}
