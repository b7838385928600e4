/** Models that write a target for a source, as readers: of the target, with the source read once. */
import { full, jit, tensor, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evalShape } from '../../core/transform/stage.ts'
import { evaluation } from '../../nn/index.ts'
import type { Layer } from '../../nn/index.ts'
import { bucketOf, doubtful, ints } from './readable.ts'
import type { Reader } from './reader.ts'
import { readerOf } from './reader.ts'

/** The two sides of a model that writes a target for a source, such as `transformer`, with the same parameters. */
export interface SequenceModel<P> {
  readonly encoder: Layer<P, { readonly ids: Tensor; readonly keyMask?: Tensor | undefined }, Tensor>
  readonly decoder: Layer<
    P,
    {
      readonly decoderIds: Tensor
      readonly decoderMask?: Tensor | undefined
      readonly positions?: Tensor | undefined
      readonly memory: Tensor
      readonly keyMask?: Tensor | undefined
    },
    { readonly logits: Tensor }
  >
}

/**
 * A reader of targets of these sources, a target a source: what it starts with is what the decoder starts with. The
 * sources are read once, when it starts.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { generate, sequenceReader, t5, t5Config, t5Encoder } from 'pullback/models'
 * const config = t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
 * const params = t5(config).init(random.key(0))
 * const reader = sequenceReader({ encoder: t5Encoder(config), decoder: t5(config) }, params)([[4, 5, 6, 1]])
 * const [written] = await generate(reader, [[config.startId]], { maxTokens: 3 })
 * console.log(written?.ids.length) // => 3
 * ```
 */
export const sequenceReader = <P>(
  { encoder, decoder }: SequenceModel<P>,
  params: P,
  { maxLength }: { readonly maxLength?: number } = {},
): ((sources: readonly (readonly number[])[]) => Reader) => {
  const encode = jit((own: P, ids: Tensor, keyMask: Tensor) =>
    encoder.apply(own, evaluation)({ ids, keyMask }),
  )
  const outline = (ids: Tensor): unknown =>
    evalShape(
      ([own]) =>
        encoder.apply(params, evaluation)({ ids: own as Tensor, keyMask: full(ids.shape, 1, 'bool') }),
      [ids],
    )
  const isRead = (rows: number, length: number): boolean => {
    try {
      outline(full([rows, length], 0, 'int32'))
      return true
    } catch {
      return false
    }
  }
  return (sources) => {
    const longest = Math.max(1, ...sources.map(({ length }) => length))
    // A bucket may be longer than what the encoder reads.
    const time = isRead(sources.length, bucketOf(longest)) ? bucketOf(longest) : longest
    const filled = (row: (source: readonly number[]) => readonly number[]): readonly (readonly number[])[] =>
      sources.map((source) => [...row(source), ...new Array<number>(time - source.length).fill(0)])
    const keyMask = tensor(
      filled((source) => source.map(() => 1)),
      { dtype: 'bool' },
    )
    outline(ints(sources.map((source) => [doubtful([0, ...source])])))
    const memory = encode(params, ints(filled((source) => source)), keyMask)
    const [, , width] = memory.shape as readonly [number, number, number]
    interface Context {
      readonly keyMask: Tensor
      readonly memory?: Tensor
    }
    return readerOf(decoder, params, {
      context: { keyMask, memory } as Context,
      later: ({ keyMask }) => ({ keyMask }),
      maxLength,
      input: ({ ids, keyMask: decoderMask, positions }, context) => ({
        decoderIds: ids,
        decoderMask,
        positions,
        keyMask: context.keyMask,
        // Keys and values of the memory are kept, so that it is not looked at again.
        memory: context.memory ?? zeros([ids.shape[0] as number, time, width]),
      }),
    })
  }
}
