/** How a BERT that has minutes to learn begins. */
import { positionalHeads } from '../../nn/index.ts'
import type { BertBodyParams } from './body.ts'
import type { BertConfig } from '../config/bert.ts'

/**
 * The parameters of a BERT, changed so that `count` heads of its first layer look at the nearest words before anything
 * is trained, on both sides in turns: `positionalHeads`, where the sources stand. What these words tell is then learnt
 * in the first minutes, not found out in the first hours.
 *
 * @throws PullbackError when heads are a single number wide.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { bertConfig, bertForPreTraining, bertPositionalHeads } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 32, layers: 2, heads: 4, hidden: 64, maxLength: 16 })
 * const params = bertPositionalHeads(config, bertForPreTraining(config).init(random.key(0)))
 * console.log(params.embeddings.position.weight.shape) // => [16, 32]
 * ```
 */
export const bertPositionalHeads = <P extends BertBodyParams>(
  { heads }: BertConfig,
  params: P,
  count: number = heads,
): P => {
  const offsets = Array.from(
    { length: Math.min(heads, count) },
    (_, i) => (i % 2 === 0 ? -1 : 1) * (Math.floor(i / 2) + 1),
  )
  const drawn = { embeddings: params.embeddings, block: params.encoder.block }
  const { embeddings, block } = positionalHeads(drawn, { heads, offsets })
  return { ...params, embeddings, encoder: { ...params.encoder, block } }
}
