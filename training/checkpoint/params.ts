/** Parameters alone, as one safetensors file. */
import { function as F, taskEither as TE } from 'fp-ts'
import { readFailure, replaceFile } from '../../core/file.ts'
import { safetensorsPieces } from '../../core/safetensors.ts'
import type { SafetensorsMetadata } from '../../core/safetensors.ts'
import { attempt } from './failure.ts'
import { readTensors } from './read.ts'
import type { LoadOptions } from './tree.ts'
import { entriesOf, fill } from './tree.ts'

/**
 * Writes a tree of parameters as one safetensors file, each under its path, in place of the file there.
 *
 * @param metadata texts for the file's header
 * @returns Left: one sentence; the old file is then still whole.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor } from 'pullback'
 * import { saveParams } from 'pullback/training'
 * const path = `${await mkdtemp(`${tmpdir()}/run-`)}/params.safetensors`
 * console.log((await saveParams(path, { weight: tensor([1, 2]) })())._tag) // => Right
 * ```
 */
export const saveParams = (
  path: string,
  params: unknown,
  metadata: SafetensorsMetadata = {},
): TE.TaskEither<string, void> =>
  attempt(
    async () => replaceFile(path, safetensorsPieces(await entriesOf(params), metadata)),
    (reason) => `parameters: ${path} ${reason}`,
  )

/**
 * Reads parameters that `saveParams` wrote. Left: one sentence, with every mismatch.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor, zeros } from 'pullback'
 * import { loadParams, saveParams } from 'pullback/training'
 * const path = `${await mkdtemp(`${tmpdir()}/run-`)}/params.safetensors`
 * await saveParams(path, { weight: tensor([1, 2]) })()
 * const wrong = await loadParams(path, { weight: zeros([3]) })()
 * console.log(wrong._tag === 'Left' && wrong.left.replace(path, 'params.safetensors'))
 * // => parameters: params.safetensors does not fit: weight is F32 [2], expected F32 [3]
 * ```
 */
export const loadParams = <P>(path: string, like: P, options: LoadOptions = {}): TE.TaskEither<string, P> =>
  F.pipe(
    TE.tryCatch(() => readTensors(path, like), readFailure),
    TE.flatMapEither((tensors) => tensors),
    TE.bimap(
      (reason) => `parameters: ${path} ${reason}`,
      (tensors) => fill(tensors, like, options),
    ),
  )
