/**
 * RoBERTa (Liu et al. 2019): BERT's encoder, pretrained on masked words alone. Positions are counted from the padding
 * id on, over real tokens; there is one kind of passage, and no summary of the whole but the first token.
 */
import { add, cast, cumSum, mul, notEqual, tanh } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { dropout, linear, struct } from '../nn/index.ts'
import type { Layer, LinearParams } from '../nn/index.ts'
import type { BertBodyParams, BertInput, BertOutput, BertParams, BodyOptions } from './bert/body.ts'
import { bert, body, initialisers, read } from './bert/body.ts'
import type { BertForMaskedLanguageModellingParams, MaskedInput, MaskedOutput } from './bert/pretraining.ts'
import { maskedLanguageModel } from './bert/pretraining.ts'
import type {
  BertForQuestionAnsweringParams,
  BertForSequenceClassificationParams,
  BertForTokenClassificationParams,
  ClassificationOutput,
  SpanOutput,
  TaggingOutput,
} from './bert/task.ts'
import { bertForMultipleChoice, bertForQuestionAnswering, bertForTokenClassification } from './bert/task.ts'
import type { RobertaConfig } from './config/roberta.ts'
import { firstRow } from './input.ts'

/** paddingId + 1, + 2 … at real tokens, paddingId at padding: as `ids`. */
const countedPositions = (ids: Tensor, paddingId: number): Tensor => {
  const real = cast(notEqual(ids, paddingId), 'int32')
  return add(mul(cumSum(real, -1), real), paddingId)
}

const positioned = <I extends BertInput>({ paddingId }: RobertaConfig, input: I): I =>
  input.positions === undefined ? { ...input, positions: countedPositions(input.ids, paddingId) } : input

/** Padding has a position of its own. */
const padding = ({ paddingId }: RobertaConfig): BodyOptions => ({ paddingPosition: paddingId })

/** BERT's layer with positions counted as here. */
const counting = <P, I extends BertInput, O>(
  config: RobertaConfig,
  layer: Layer<P, I, O>,
): Layer<P, I, O> => ({
  init: layer.init,
  apply: (params, run) => {
    const apply = layer.apply(params, run)
    return (input) => apply(positioned(config, input))
  },
})

/**
 * The encoder alone, with BERT's pooler.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { roberta, robertaConfig } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = roberta(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden, pooled } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(hidden.shape, pooled.shape) // => [1, 4, 16] [1, 16]
 * ```
 */
export const roberta = (config: RobertaConfig): Layer<BertParams, BertInput, BertOutput> =>
  counting(config, bert(config, padding(config)))

/**
 * RoBERTa that fills in masked words.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, robertaForMaskedLanguageModelling } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = robertaForMaskedLanguageModelling(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
export const robertaForMaskedLanguageModelling = (
  config: RobertaConfig,
): Layer<BertForMaskedLanguageModellingParams, MaskedInput, MaskedOutput> =>
  counting(
    config,
    // The library's head has this activation whatever the config says.
    maskedLanguageModel(body(config, padding(config)), { ...config, activation: 'gelu' }),
  )

export interface RobertaForSequenceClassificationParams extends BertBodyParams {
  readonly transform: LinearParams
  readonly classifier: LinearParams
}

/**
 * RoBERTa that tells which of `config.labels` a text is: the first token's row through two layers.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, robertaForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = robertaConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = robertaForSequenceClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const robertaForSequenceClassification = (
  config: RobertaConfig,
): Layer<RobertaForSequenceClassificationParams, BertInput, TaggingOutput> => {
  const { width, labels, classifierDropout, dropout: usual } = config
  const rate = classifierDropout ?? usual
  return counting(
    config,
    struct(
      {
        ...body(config, padding(config)),
        firstDropout: dropout(rate),
        transform: linear(width, width, initialisers(config)),
        secondDropout: dropout(rate),
        classifier: linear(width, labels.length, initialisers(config)),
      },
      (parts) => (input: BertInput) => {
        const hidden = read(parts)(input)
        const summary = tanh(parts.transform(parts.firstDropout(firstRow(hidden))))
        return { logits: parts.classifier(parts.secondDropout(summary)), hidden }
      },
    ),
  )
}

/**
 * RoBERTa that tells which of `config.labels` each token is.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, robertaForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = robertaConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = robertaForTokenClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
export const robertaForTokenClassification = (
  config: RobertaConfig,
): Layer<BertForTokenClassificationParams, BertInput, TaggingOutput> =>
  counting(config, bertForTokenClassification(config, padding(config)))

/**
 * RoBERTa that finds the answer to a question in a passage.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, robertaForQuestionAnswering } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = robertaForQuestionAnswering(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
export const robertaForQuestionAnswering = (
  config: RobertaConfig,
): Layer<BertForQuestionAnsweringParams, BertInput, SpanOutput> =>
  counting(config, bertForQuestionAnswering(config, padding(config)))

/**
 * RoBERTa that tells which of several texts fits best: inputs are [batch, choices, time], `logits` [batch, choices].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, robertaForMultipleChoice } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = robertaForMultipleChoice(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const robertaForMultipleChoice = (
  config: RobertaConfig,
): Layer<BertForSequenceClassificationParams, BertInput, ClassificationOutput> =>
  counting(config, bertForMultipleChoice(config, padding(config)))
