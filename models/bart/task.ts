/** BART fine-tuned (Lewis et al. 2019, 3): it reads a text twice, and what the decoder has made of it is looked at. */
import { add, arange, argMax, cast, equal, expandDims, mul, squeeze, tanh } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { dropout, linear, normal, struct, zeroInitialiser } from '../../nn/index.ts'
import type { Applied, Layer, LinearParams, Run } from '../../nn/index.ts'
import { spanOf } from '../bert/task.ts'
import type { SpanOutput } from '../bert/task.ts'
import { rowsAt } from '../input.ts'
import { shiftRight } from '../transformer.ts'
import { bartKind, bodyOf, decode } from './body.ts'
import type { BartBodyParams, BartRead, BodyParts } from './body.ts'
import type { BartConfig } from '../config/bart.ts'

export interface BartTextInput {
  /** int32 [batch, time] */
  readonly ids: Tensor
  /** bool (or integers, 0 = no) [batch, time]: which tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
  /** What the decoder reads, int32 [batch, time]: the text one place later where left out. */
  readonly decoderIds?: Tensor | undefined
  /** bool (or integers) [batch, time]: which of them are real; all where left out. */
  readonly decoderMask?: Tensor | undefined
}

const twice =
  (config: BartConfig) =>
  (parts: Applied<BodyParts>, run: Run) =>
  (input: BartTextInput): BartRead => {
    const { startId: start, paddingId: padding } = config
    const { decoderIds = shiftRight(input.ids, { start, padding }) } = input
    return decode(config, bartKind)(parts, run)({ ...input, decoderIds })
  }

/**
 * BART without a head: `hidden` is the decoder's, which reads the text one place later.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, bartModel } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = bartModel(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const bartModel = (config: BartConfig): Layer<BartBodyParams, BartTextInput, BartRead> =>
  struct(bodyOf(config, bartKind), twice(config)) as Layer<BartBodyParams, BartTextInput, BartRead>

export interface BartForSequenceClassificationParams extends BartBodyParams {
  readonly transform: LinearParams
  readonly classifier: LinearParams
}

export interface BartClassificationOutput extends BartRead {
  /** [batch, classes] */
  readonly logits: Tensor
}

/** The row of the last `endId` of each text, or of the first token where there is none: [batch, width]. */
const endRow = (hidden: Tensor, ids: Tensor, endId: number): Tensor => {
  const time = ids.shape[1] as number
  const places = mul(cast(equal(ids, endId), 'int32'), add(arange(time), 1)) // [batch, time]
  return squeeze(rowsAt('bart', hidden, expandDims(argMax(places, { axis: -1 }), -1)), 1)
}

/** The id that ends a text, also where a config does not say. */
export const bartEnd = ({ endId = 2 }: Pick<BartConfig, 'endId'>): number => endId

/**
 * BART that tells which of `config.labels` a text is (3.1): the decoder's row at the text's last `endId` through two
 * layers. Texts must have one.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, bartForSequenceClassification } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2, labels: ['no', 'maybe', 'yes'],
 * })
 * const model = bartForSequenceClassification(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 3]
 * ```
 */
export const bartForSequenceClassification = (
  config: BartConfig,
): Layer<BartForSequenceClassificationParams, BartTextInput, BartClassificationOutput> => {
  const { width, labels, classifierDropout, deviation } = config
  const initialisers = { weightInitialiser: normal(deviation), biasInitialiser: zeroInitialiser }
  return struct(
    {
      ...bodyOf(config, bartKind),
      firstDropout: dropout(classifierDropout),
      transform: linear(width, width, initialisers),
      secondDropout: dropout(classifierDropout),
      classifier: linear(width, labels.length, initialisers),
    },
    (parts, run) => (input: BartTextInput) => {
      const read = twice(config)(parts, run)(input)
      const summary = tanh(
        parts.transform(parts.firstDropout(endRow(read.hidden, input.ids, bartEnd(config)))),
      )
      return { logits: parts.classifier(parts.secondDropout(summary)), ...read }
    },
  ) as Layer<BartForSequenceClassificationParams, BartTextInput, BartClassificationOutput>
}

export interface BartForQuestionAnsweringParams extends BartBodyParams {
  readonly span: LinearParams
}

export type BartSpanOutput = SpanOutput & BartRead

/**
 * BART that finds the answer to a question in a passage (3.2).
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, bartForQuestionAnswering } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = bartForQuestionAnswering(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).endLogits.shape) // => [1, 4]
 * ```
 */
export const bartForQuestionAnswering = (
  config: BartConfig,
): Layer<BartForQuestionAnsweringParams, BartTextInput, BartSpanOutput> =>
  struct(
    {
      ...bodyOf(config, bartKind),
      span: linear(config.width, 2, {
        weightInitialiser: normal(config.deviation),
        biasInitialiser: zeroInitialiser,
      }),
    },
    (parts, run) => (input: BartTextInput) => {
      const read = twice(config)(parts, run)(input)
      return { ...spanOf(parts.span(read.hidden), read.hidden), memory: read.memory }
    },
  ) as Layer<BartForQuestionAnsweringParams, BartTextInput, BartSpanOutput>
