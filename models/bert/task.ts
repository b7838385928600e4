/** BERT fine-tuned: an output layer for each task (Devlin et al. 2018, 4). */
import { reshape, splitAxis, squeeze } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { shapeError } from '../../core/error.ts'
import { dropout, linear, struct } from '../../nn/index.ts'
import type { Layer, LinearParams } from '../../nn/index.ts'
import type {
  BertBodyParams,
  BertInput,
  BertOutput,
  BertParams,
  BodyOptions,
  BodyParams,
  BodyParts,
} from './body.ts'
import { body, initialisers, pooler, read } from './body.ts'
import type { BertConfig } from '../config/bert.ts'

/** One dropout and one linear layer: what most tasks put upon hidden rows. */
export const classifierParts = (
  { width, deviation }: { readonly width: number; readonly deviation: number },
  classes: number,
  rate: number,
): { readonly dropout: ReturnType<typeof dropout>; readonly classifier: ReturnType<typeof linear> } => ({
  dropout: dropout(rate),
  classifier: linear(width, classes, initialisers({ deviation })),
})

export interface BertForSequenceClassificationParams extends BertParams {
  readonly classifier: LinearParams
}

export interface ClassificationOutput extends BertOutput {
  /** [batch, classes] */
  readonly logits: Tensor
}

/**
 * BERT that tells which of `config.labels` a text is (4.1); with one label, a regression.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = bertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = bertForSequenceClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const bertForSequenceClassification = (
  config: BertConfig,
): Layer<BertForSequenceClassificationParams, BertInput, ClassificationOutput> =>
  struct(
    {
      ...body(config),
      pooler: pooler(config),
      ...classifierParts(config, config.labels.length, config.classifierDropout ?? config.dropout),
    },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(input)
      const pooled = parts.pooler(hidden)
      return { logits: parts.classifier(parts.dropout(pooled)), hidden, pooled }
    },
  )

export interface BertForTokenClassificationParams extends BertBodyParams {
  readonly classifier: LinearParams
}

export interface TaggingOutput {
  /** [batch, time, classes] */
  readonly logits: Tensor
  /** [batch, time, width] */
  readonly hidden: Tensor
}

/** A body whose rows are each told a class: BERT's, RoBERTa's or DistilBERT's. */
export const tokenClassifier = <E>(
  body: BodyParts<E>,
  config: Pick<BertConfig, 'width' | 'deviation' | 'labels'>,
  rate: number,
): Layer<BodyParams<E> & { readonly classifier: LinearParams }, BertInput, TaggingOutput> =>
  struct(
    { ...body, ...classifierParts(config, config.labels.length, rate) },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(input)
      return { logits: parts.classifier(parts.dropout(hidden)), hidden }
    },
  ) as never

/**
 * BERT that tells which of `config.labels` each token is.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = bertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = bertForTokenClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
export const bertForTokenClassification = (
  config: BertConfig,
  options: BodyOptions = {},
): Layer<BertForTokenClassificationParams, BertInput, TaggingOutput> =>
  tokenClassifier(body(config, options), config, config.classifierDropout ?? config.dropout)

export interface BertForQuestionAnsweringParams extends BertBodyParams {
  readonly span: LinearParams
}

export interface SpanOutput {
  /** That the answer begins at a place: [batch, time]. */
  readonly startLogits: Tensor
  /** That it ends there, the place included: [batch, time]. */
  readonly endLogits: Tensor
  /** [batch, time, width] */
  readonly hidden: Tensor
}

/** Scores of starts and ends, side by side [batch, time, 2], apart. */
export const spanOf = (scores: Tensor, hidden: Tensor): SpanOutput => {
  const [start, end] = splitAxis(scores, 2, -1).map((x) => squeeze(x, -1)) as [Tensor, Tensor]
  return { startLogits: start, endLogits: end, hidden }
}

/** A body whose rows are scored as starts and ends: BERT's, RoBERTa's or DistilBERT's. */
export const spanFinder = <E>(
  body: BodyParts<E>,
  { width, deviation }: Pick<BertConfig, 'width' | 'deviation'>,
  rate = 0,
): Layer<BodyParams<E> & { readonly span: LinearParams }, BertInput, SpanOutput> =>
  struct(
    { ...body, dropout: dropout(rate), span: linear(width, 2, initialisers({ deviation })) },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(input)
      return spanOf(parts.span(parts.dropout(hidden)), hidden)
    },
  ) as never

/**
 * BERT that finds the answer to a question in a passage (4.2).
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForQuestionAnswering } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = bertForQuestionAnswering(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
export const bertForQuestionAnswering = (
  config: BertConfig,
  options: BodyOptions = {},
): Layer<BertForQuestionAnsweringParams, BertInput, SpanOutput> => spanFinder(body(config, options), config)

const flat = (x: Tensor | undefined): Tensor | undefined =>
  x === undefined ? undefined : reshape(x, [-1, x.shape.at(-1) as number])

/** Choices [batch, choices, time] as texts [batch · choices, time]. */
export const texts = (operation: string, { ids, tokenTypes, keyMask, positions }: BertInput): BertInput => {
  if (ids.shape.length !== 3) throw shapeError(operation, 'ids must be [batch, choices, time]', ids.shape)
  return {
    ids: flat(ids) as Tensor,
    tokenTypes: flat(tokenTypes),
    keyMask: flat(keyMask),
    positions: positions?.shape.length === 3 ? flat(positions) : positions,
  }
}

/** Scores of texts [batch · choices, 1] as scores of choices. */
export const chosen = (scores: Tensor, { ids }: BertInput): Tensor => reshape(scores, ids.shape.slice(0, 2))

/**
 * BERT that tells which of several texts fits best (4.4): inputs are [batch, choices, time], `logits` [batch, choices].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForMultipleChoice } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = bertForMultipleChoice(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const bertForMultipleChoice = (
  config: BertConfig,
  options: BodyOptions = {},
): Layer<BertForSequenceClassificationParams, BertInput, ClassificationOutput> =>
  struct(
    {
      ...body(config, options),
      pooler: pooler(config),
      ...classifierParts(config, 1, config.classifierDropout ?? config.dropout),
    },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(texts('bertForMultipleChoice', input))
      const pooled = parts.pooler(hidden)
      return { logits: chosen(parts.classifier(parts.dropout(pooled)), input), hidden, pooled }
    },
  )
