/** States as bytes, for where there is no file system. */
import { either as E, function as F } from 'fp-ts'
import { decodeSafetensors, decodeSafetensorsHeader, encodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsMetadata } from '../../core/safetensors.ts'
import type { LoadOptions } from './tree.ts'
import { checkForms, entriesOf, fill } from './tree.ts'

/**
 * A tree of tensors as the bytes of a safetensors file, for where there is no file system.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { encodeState } from 'pullback/training'
 * const bytes = await encodeState({ weight: tensor([1, 2]) }, { note: 'after one step' })
 * console.log(bytes instanceof Uint8Array) // => true
 * ```
 */
export const encodeState = async (state: unknown, metadata: SafetensorsMetadata = {}): Promise<Uint8Array> =>
  encodeSafetensors(await entriesOf(state), metadata)

/**
 * The tree that `encodeState` wrote. Left: what is wrong, with every mismatch.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts'
 * import { tensor, zeros } from 'pullback'
 * import { decodeState, encodeState } from 'pullback/training'
 * const bytes = await encodeState({ weight: tensor([1, 2]) })
 * const state = decodeState(bytes, { weight: zeros([2]) })
 * console.log(E.isRight(state) && state.right.weight) // => float32[2] [1, 2]
 * ```
 */
export const decodeState = <S>(bytes: Uint8Array, like: S, options: LoadOptions = {}): E.Either<string, S> =>
  F.pipe(
    decodeSafetensors(bytes),
    E.chainFirst(({ tensors }) =>
      F.pipe(
        checkForms(tensors, like),
        E.mapLeft((reason) => `the state ${reason}`),
      ),
    ),
    E.map(({ tensors }) => fill(tensors, like, options)),
  )

/**
 * The texts that stand in the header of what `encodeState` wrote: what one must know before there is a tree to read it
 * into. Left: one sentence.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { encodeState, stateMetadata } from 'pullback/training'
 * const bytes = await encodeState({ weight: tensor([1, 2]) }, { width: '2' })
 * console.log(stateMetadata(bytes)) // => { _tag: 'Right', right: { width: '2' } }
 * ```
 */
export const stateMetadata = (bytes: Uint8Array): E.Either<string, SafetensorsMetadata> =>
  F.pipe(
    decodeSafetensorsHeader(bytes),
    E.map(({ metadata }) => metadata),
  )
