/** Every loss against PyTorch's and Transformers' value and gradient. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grad, sum } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import * as o from '../../../training/objective/index.ts'
import type { Reduction } from '../../../training/objective/index.ts'
import { assertClose, named, readJson, readTensors } from '../fixture.ts'

interface Case {
  readonly function: string
  readonly reduction?: Reduction | 'batchmean'
  readonly label_smoothing?: number
  readonly ignore_index?: number
  readonly beta?: number
  readonly delta?: number
  readonly margin?: number
  readonly log_target?: boolean
  readonly epsilon?: number
  readonly shift_labels?: boolean
}

const { cases } = readJson('losses/cases.json') as { readonly cases: Readonly<Record<string, Case>> }
const tensors = readTensors('losses/reference.safetensors')

/** Only options that are there, as exact optional properties want it. */
const given = <T extends object>(options: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

const lossOf = (name: string, one: Case): ((input: Tensor) => Tensor) => {
  const get = (field: string): Tensor => named(tensors, `${name}.in.${field}`)
  const maybe = (field: string): Tensor | undefined => tensors.get(`${name}.in.${field}`)
  const reduction = (one.reduction === 'batchmean' ? undefined : one.reduction) as Reduction | undefined
  const basic = given<o.ReductionOptions<Reduction>>({ reduction })
  const margin = given<o.MarginOptions<Reduction>>({ margin: one.margin })
  switch (one.function) {
    case 'cross_entropy': {
      const target = get('target')
      return (input) =>
        target.dtype === 'float32'
          ? o.softCrossEntropy(input, target, given({ labelSmoothing: one.label_smoothing, reduction }))
          : o.crossEntropy(
              input,
              target,
              given<o.CrossEntropyOptions<Reduction>>({
                axis: 1,
                labelSmoothing: one.label_smoothing,
                ignoreIndex: one.ignore_index,
                classWeights: maybe('weight'),
                reduction,
              }),
            )
    }
    case 'nll_loss':
      return (input) => o.negativeLogLikelihood(input, get('target'))
    case 'binary_cross_entropy_with_logits':
      return (input) =>
        o.binaryCrossEntropyWithLogits(
          input,
          get('target'),
          given({ positiveWeight: maybe('pos_weight'), reduction }),
        )
    case 'binary_cross_entropy':
      return (input) => o.binaryCrossEntropy(input, get('target'), basic)
    case 'mse_loss':
      return (input) => o.meanSquaredError(input, get('target'))
    case 'l1_loss':
      return (input) => o.meanAbsoluteError(input, get('target'))
    case 'smooth_l1_loss':
      return (input) => o.smoothAbsoluteError(input, get('target'), given({ beta: one.beta }))
    case 'huber_loss':
      return (input) => o.huber(input, get('target'), given({ delta: one.delta }))
    case 'kl_div': {
      const how = one.reduction === 'batchmean' ? 'batchMean' : (one.reduction as Reduction)
      return (input) =>
        o.kullbackLeibler(input, get('target'), { reduction: how, logTargets: one.log_target === true })
    }
    case 'cosine_embedding_loss':
      return (input) => o.cosineEmbedding(input, get('x2'), get('y'), margin)
    case 'margin_ranking_loss':
      return (input) => o.marginRanking(input, get('x2'), get('y'), margin)
    case 'triplet_margin_loss':
      return (input) => o.tripletMargin(input, get('pos'), get('neg'), margin)
    case 'hinge_embedding_loss':
      return (input) => o.hingeEmbedding(input, get('y'), margin)
    case 'soft_margin_loss':
      return (input) => o.softMargin(input, get('y'))
    case 'multi_margin_loss':
      return (input) => o.multiMargin(input, get('y'))
    case 'poisson_nll_loss':
      return (input) => o.poissonLikelihood(input, get('y'))
    case 'gaussian_nll_loss':
      return (input) => o.gaussianLikelihood(input, get('y'), get('var'))
    case 'LabelSmoother': {
      const loss = one.shift_labels === true ? o.causalLanguageModelling : o.sequenceToSequence
      return (input) => loss(input, get('target'), { labelSmoothing: one.epsilon ?? 0 })
    }
    default:
      throw new Error(`${name}: no loss for ${one.function}`)
  }
}

const reference = suite('losses')

for (const [name, one] of Object.entries(cases)) {
  if (one.function === 'ctc_loss') continue
  reference(`${name} (${one.function})`, () => {
    const loss = lossOf(name, one)
    const input = named(tensors, `${name}.in.input`)
    assertClose(loss(input), named(tensors, `${name}.out`), `${name}: value`)
    const gradient = grad((x: Tensor) => sum(loss(x)))(input)
    assertClose(gradient, named(tensors, `${name}.grad`), `${name}: gradient`)
  })
}

reference('every case is there', () => {
  assert.is(Object.keys(cases).length, 50)
})

reference.run()
