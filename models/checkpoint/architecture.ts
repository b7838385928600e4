import type * as t from 'io-ts'
import type { Layer } from '../../nn/index.ts'
import type { ConfigFile } from '../config/codec.ts'
import type { Names } from './name.ts'

/** A kind of model that checkpoints are written for. */
export interface Architecture<C, P, I, O> {
  /** What config.json calls it: the class in Hugging Face's library. */
  readonly name: string
  readonly codec: t.Type<C, ConfigFile, unknown>
  readonly layer: (config: C) => Layer<P, I, O>
  readonly names: (config: C) => Names
  /** The config of the same model without tied weights, where it may be. */
  readonly untied?: (config: C) => C
}
