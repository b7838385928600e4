/** Checks losses against PyTorch's and Transformers': values, and gradients of the input. */
import { grad, logSoftmax, sum, swapAxes } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as o from '../../training/index.ts'
import type { Reduction } from '../../training/index.ts'
import type { Check } from './check.ts'
import { compareTo, holds } from './check.ts'
import type { Reference } from './reference.ts'
import { need } from './runner.ts'

interface Case {
  readonly function: string
  readonly reduction?: Reduction | 'batchmean'
  readonly label_smoothing?: number
  readonly ignore_index?: number
  readonly beta?: number
  readonly delta?: number
  readonly margin?: number
  readonly p?: number
  readonly log_target?: boolean
  readonly log_input?: boolean
  readonly full?: boolean
  readonly blank?: number
  readonly epsilon?: number
  readonly shift_labels?: boolean
}

/** Only options that are there, as exact optional properties want it. */
const given = <T extends object>(options: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

type Loss = (
  input: Tensor,
  get: (field: string) => Tensor,
  maybe: (field: string) => Tensor | undefined,
) => Tensor

/** Losses by the library's names. */
const losses: Readonly<Record<string, (one: Case, reduction: Reduction | undefined) => Loss>> = {
  cross_entropy: (one, reduction) => (input, get, maybe) => {
    const target = get('target')
    const common = { axis: 1, labelSmoothing: one.label_smoothing, classWeights: maybe('weight'), reduction }
    return target.dtype === 'float32'
      ? o.softCrossEntropy(input, target, given(common))
      : o.crossEntropy(
          input,
          target,
          given<o.CrossEntropyOptions<Reduction>>({ ...common, ignoreIndex: one.ignore_index }),
        )
  },
  nll_loss: (one, reduction) => (input, get, maybe) =>
    o.negativeLogLikelihood(
      input,
      get('target'),
      given<o.CrossEntropyOptions<Reduction>>({
        axis: 1,
        labelSmoothing: undefined,
        ignoreIndex: one.ignore_index,
        classWeights: maybe('weight'),
        reduction,
      }),
    ),
  binary_cross_entropy_with_logits: (_, reduction) => (input, get, maybe) =>
    o.binaryCrossEntropyWithLogits(
      input,
      get('target'),
      given({ positiveWeight: maybe('pos_weight'), reduction }),
    ),
  binary_cross_entropy: (_, reduction) => (input, get) =>
    o.binaryCrossEntropy(input, get('target'), given({ reduction })),
  mse_loss: (_, reduction) => (input, get) => o.meanSquaredError(input, get('target'), given({ reduction })),
  l1_loss: (_, reduction) => (input, get) => o.meanAbsoluteError(input, get('target'), given({ reduction })),
  smooth_l1_loss:
    ({ beta }, reduction) =>
    (input, get) =>
      o.smoothAbsoluteError(input, get('target'), given({ beta, reduction })),
  huber_loss:
    ({ delta }, reduction) =>
    (input, get) =>
      o.huber(input, get('target'), given({ delta, reduction })),
  kl_div: (one) => {
    const reduction = one.reduction === 'batchmean' ? 'batchMean' : (one.reduction ?? 'mean')
    return (input, get) =>
      o.kullbackLeibler(input, get('target'), { reduction, logTargets: one.log_target === true })
  },
  cosine_embedding_loss:
    ({ margin }, reduction) =>
    (input, get) =>
      o.cosineEmbedding(input, get('x2'), get('y'), given({ margin, reduction })),
  margin_ranking_loss:
    ({ margin }, reduction) =>
    (input, get) =>
      o.marginRanking(input, get('x2'), get('y'), given({ margin, reduction })),
  triplet_margin_loss:
    ({ margin }, reduction) =>
    (input, get) =>
      o.tripletMargin(input, get('pos'), get('neg'), given({ margin, reduction })),
  hinge_embedding_loss:
    ({ margin }, reduction) =>
    (input, get) =>
      o.hingeEmbedding(input, get('y'), given({ margin, reduction })),
  soft_margin_loss: (_, reduction) => (input, get) => o.softMargin(input, get('y'), given({ reduction })),
  multi_margin_loss:
    ({ margin }, reduction) =>
    (input, get) =>
      o.multiMargin(input, get('y'), given({ margin, reduction })),
  poisson_nll_loss: (_, reduction) => (input, get) =>
    o.poissonLikelihood(input, get('y'), given({ reduction })),
  gaussian_nll_loss: (_, reduction) => (input, get) =>
    o.gaussianLikelihood(input, get('y'), get('var'), given({ reduction })),
  // There the steps come before the batch, and the gradient takes it that a log-softmax stands before.
  ctc_loss:
    ({ blank }, reduction) =>
    (input, get) =>
      o.ctc(
        logSoftmax(swapAxes(input, 0, 1)),
        get('targets'),
        { input: get('input_lengths'), labels: get('target_lengths') },
        given({ blank, reduction }),
      ),
  LabelSmoother: ({ shift_labels: shifts, epsilon = 0.1, ignore_index: ignoreIndex }) => {
    const loss = shifts === true ? o.causalLanguageModelling : o.sequenceToSequence
    return (input, get) => loss(input, get('target'), given({ labelSmoothing: epsilon, ignoreIndex }))
  },
}

/** What a case may say; another option would change what comes out unseen. */
const options = new Set(
  'function reduction label_smoothing ignore_index beta delta margin p log_target blank epsilon shift_labels'.split(
    ' ',
  ),
)

const strangeness = (one: Case): readonly string[] => [
  ...(one.function in losses ? [] : [`no loss ${one.function} is known here`]),
  ...Object.keys(one)
    .filter((name) => !options.has(name))
    .map((name) => `no option ${name} is known here`),
  ...(one.p === undefined || one.p === 2 ? [] : [`only distances with p = 2 are known here`]),
]

/** Every case of a folder like `losses`. */
export const checkObjectives = async (
  reference: Reference,
  file: Readonly<Record<string, unknown>>,
): Promise<readonly Check[]> => {
  const cases = (file['cases'] ?? {}) as Readonly<Record<string, Case>>
  const checks: Check[] = []
  for (const [name, one] of Object.entries(cases)) {
    const strange = strangeness(one)
    if (strange.length > 0) {
      checks.push(holds(name, 0, strange))
      continue
    }
    const maybe = (field: string): Tensor | undefined => reference.tensors.get(`${name}.in.${field}`)
    const get = (field: string): Tensor => need(reference.tensors, `${name}.in.${field}`)
    const reduction = one.reduction === 'batchmean' ? undefined : one.reduction
    const make = losses[one.function] as (typeof losses)[string]
    const loss = (x: Tensor): Tensor => make(one, reduction)(x, get, maybe)
    const input = get('input')
    const compared = async (what: string, actual: Tensor): Promise<Check> =>
      compareTo(
        `${name}: ${what === 'out' ? 'value' : 'gradient'}`,
        new Map([[what, actual]]),
        new Map([[what, need(reference.tensors, `${name}.${what}`)]]),
      )
    checks.push(await compared('out', loss(input)))
    checks.push(await compared('grad', grad((x: Tensor) => sum(loss(x)))(input)))
  }
  return checks
}
