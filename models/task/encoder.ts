/** Encoders as tasks use them: one text in, rows of numbers out. */
import { taskEither as TE } from 'fp-ts'
import { jit, tensor, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { evaluation } from '../../nn/index.ts'
import type { BertInput } from '../bert/index.ts'
import type { Architecture } from '../checkpoint/architecture.ts'
import { loadModel } from '../checkpoint/folder.ts'
import { bucketOf } from '../generate/readable.ts'
import type { Encoding } from '../tokenizer/encoding.ts'

/** What a model made of a text: an array for each name, as many numbers to a token as it may be. */
export type Rows<N extends string> = Readonly<Record<N, Float32Array>>

/** A model with its weights, ready to read. */
export interface Encoder<N extends string> {
  readonly labels: readonly string[]
  /** How many tokens a text may have. */
  readonly maxLength: number
  readonly vocabularySize: number
  /** Reads one text. What stands at padding is cut off from outputs that have a row a token. */
  readonly read: (encoding: Encoding) => Promise<Rows<N>>
}

/** What is asked of a config. */
export interface EncoderConfig {
  /** Where there is a limit. */
  readonly maxLength?: number
  readonly vocabularySize: number
  readonly paddingId?: number | undefined
  readonly labels?: readonly string[]
  readonly tokenTypes?: number
}

export interface EncoderOptions<C, O, N extends string> {
  readonly outputs: (output: O) => Readonly<Record<N, Tensor>>
  /** Whether outputs have a row a token, rather than one for the whole. */
  readonly perToken: boolean
  /** Whether positions are counted from the padding id on, so that there are fewer than `maxLength`. */
  readonly counted: boolean
  /** The id at which a text is summed up, where there is one: none is read without. */
  readonly summedUpAt?: (config: C) => number
}

/** Loads a model as an encoder; texts are padded to few lengths, for each of which it is compiled once. */
export const loadEncoder = <C extends EncoderConfig, P, O, N extends string>(
  architecture: Architecture<C, P, BertInput, O>,
  folder: string,
  { outputs, perToken, counted, summedUpAt }: EncoderOptions<C, O, N>,
): TE.TaskEither<string, Encoder<N>> =>
  TE.map(
    ({ config, layer, params }: { config: C; layer: ReturnType<typeof architecture.layer>; params: P }) => {
      const { tokenTypes = 1, vocabularySize, labels = [] } = config
      // Some configs have -1 for none; what stands at padding is masked.
      const paddingId = Math.max(0, config.paddingId ?? 0)
      const { maxLength: positions = Infinity } = config
      const endId = summedUpAt?.(config)
      const maxLength = counted ? positions - paddingId - 1 : positions
      const apply = jit((own: P, input: BertInput) => outputs(layer.apply(own, evaluation)(input)))
      const read = async ({ ids, typeIds }: Encoding): Promise<Rows<N>> => {
        if (endId !== undefined && !ids.includes(endId))
          throw argumentError(architecture.name, `the text has no end (id ${endId}), where it is summed up`)
        const time = Math.min(bucketOf(ids.length), maxLength)
        const row = (numbers: readonly number[], fill: number): Tensor =>
          tensor([[...numbers, ...new Array<number>(time - ids.length).fill(fill)]], { dtype: 'int32' })
        const result = apply(params, {
          ids: row(ids, paddingId),
          keyMask: row(
            ids.map(() => 1),
            0,
          ),
          ...(tokenTypes > 1 ? { tokenTypes: row(typeIds, 0) } : {}),
        })
        const found: Record<string, Float32Array> = {}
        for (const [name, x] of Object.entries<Tensor>(result)) {
          const numbers = (await toArray(x)) as Float32Array
          found[name] = perToken ? numbers.subarray(0, (numbers.length / time) * ids.length) : numbers
        }
        return found as Rows<N>
      }
      return { labels, maxLength, vocabularySize, read }
    },
  )(loadModel(architecture, folder))
