/**
 * Checkpoints: all that a run is, on disk, so that the resumed run is the same run bit for bit.
 *
 * A folder holds `checkpoint.json` (what it is, and the caller's own notes) and the tensors it names,
 * `state-….safetensors`. The tensors are written and on the disk before checkpoint.json is replaced, and that is one
 * rename: at any moment the folder is the old checkpoint or the new one.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import type { FileHandle } from 'node:fs/promises'
import * as t from 'io-ts'
import type { Engine } from '../core/index.ts'
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  decodeSafetensorsTensor,
  encodeSafetensors,
  safetensorsHeaderSize,
  safetensorsPieces,
} from '../core/safetensors.ts'
import type { SafetensorsMetadata, SafetensorsTensor } from '../core/safetensors.ts'
import { readFailure, replaceFile, syncFolder, temporaryName, writeFailure, writeNew } from '../core/file.ts'
import { checkForms, entriesOf, fill } from './state.ts'

/** What the caller notes beside the tensors: anything that JSON can hold. */
export type Notes = Readonly<Record<string, unknown>>

export interface Checkpoint<S> {
  readonly state: S
  readonly notes: Notes
}

export interface LoadOptions {
  /** Where the tensors shall live; the default engine by default. */
  readonly engine?: Engine
}

const format = 'pullback-checkpoint'
const version = 1
const indexName = 'checkpoint.json'

const Index = t.strict({
  format: t.literal(format),
  version: t.number,
  tensors: t.string,
  bytes: t.number,
  sha256: t.string,
  notes: t.record(t.string, t.unknown),
})

/** Names of tensor files carry their hash: equal states share one, and no name leads out of the folder. */
const stateName = /^state-[0-9a-f]{16}\.safetensors$/
const stateFile = (sha256: string): string => `state-${sha256.slice(0, 16)}.safetensors`
const ours = /^(?:state-[0-9a-f]{16}\.safetensors|checkpoint\.json|state)(?:\.\d+\.\d+\.tmp)?$/

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const write = async (folder: string, state: unknown, notes: Notes): Promise<void> => {
  const { mkdir, readdir, rename, rm } = await import('node:fs/promises')
  const { createHash } = await import('node:crypto')
  // before anything is written: a tensor that cannot be read, or notes that are no JSON, are the program's mistakes
  const pieces = safetensorsPieces(await entriesOf(state))
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  const sha256 = hash.digest('hex')
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const tensors = stateFile(sha256)
  const index = utf8(`${JSON.stringify({ format, version, tensors, bytes, sha256, notes }, undefined, 2)}\n`)

  await mkdir(folder, { recursive: true })
  const temporary = temporaryName(`${folder}/state`)
  await writeNew(temporary, pieces)
  await rename(temporary, `${folder}/${tensors}`)
  await syncFolder(folder)
  await replaceFile(`${folder}/${indexName}`, [index])
  // From here on the checkpoint is the new one; what is left of others, or of writers that were killed, can go.
  const others = (await readdir(folder)).filter(
    (name) => ours.test(name) && name !== tensors && name !== indexName,
  )
  for (const name of others) await rm(`${folder}/${name}`, { force: true }).catch(() => undefined)
}

/**
 * Writes a checkpoint into a folder, in place of the one there: any tree of tensors (a `TrainState` above all) and the
 * caller's notes. Run it before the next step takes over the state's memory, and one at a time for each folder.
 *
 * @returns Left: one sentence; what was in the folder before is then still whole.
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor } from 'pullback'
 * import { saveCheckpoint } from 'pullback/training'
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * const saved = await saveCheckpoint(folder, { weight: tensor([1, 2]) }, { epoch: 3 })()
 * console.log(saved._tag, (await readdir(folder)).length) // => Right 2
 * ```
 */
export const saveCheckpoint = (
  folder: string,
  state: unknown,
  notes: Notes = {},
): TE.TaskEither<string, void> =>
  attempt(
    () => write(folder, state, notes),
    (reason) => `checkpoint: ${folder} ${reason}`,
  )

/** What the file system refuses is a Left; everything else is a mistake of the program, and thrown. */
const attempt =
  (run: () => Promise<void>, sentence: (reason: string) => string): TE.TaskEither<string, void> =>
  async () => {
    try {
      await run()
      return E.right(undefined)
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) return E.left(sentence(writeFailure(error)))
      throw error
    }
  }

type Index = t.TypeOf<typeof Index>

const parseIndex = (text: string): E.Either<string, Index> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return E.left(`is damaged (${indexName} is not valid JSON)`)
  }
  const isOurs = typeof json === 'object' && json !== null && 'format' in json && json.format === format
  if (!isOurs) return E.left(`holds no checkpoint of this program (${indexName} says so)`)
  const index = Index.decode(json)
  if (E.isLeft(index)) {
    const names = new Set(index.left.map(({ context }) => context[1]?.key))
    return E.left(`is damaged (${indexName}: ${[...names].join(', ')})`)
  }
  if (index.right.version !== version)
    return E.left(`was written by another version (${index.right.version}, this one reads ${version})`)
  if (!stateName.test(index.right.tensors) || index.right.tensors !== stateFile(index.right.sha256))
    return E.left(`is damaged (${indexName}: tensors)`)
  return index
}

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** Reads a file of tensors one by one; the forms are checked before any numbers are read. */
const readTensors = async (
  path: string,
  like: unknown,
  see: (bytes: Uint8Array) => void = () => {},
): Promise<E.Either<string, ReadonlyMap<string, SafetensorsTensor>>> => {
  const damaged = (reason: string): E.Either<string, never> => E.left(`is damaged (${reason})`)
  const { open } = await import('node:fs/promises')
  const handle = await open(path, 'r')
  try {
    const { size: fileSize } = await handle.stat()
    const headerSize = safetensorsHeaderSize(await readAt(handle, 0, 8), fileSize)
    if (E.isLeft(headerSize)) return damaged(headerSize.left)
    const start = await readAt(handle, 0, headerSize.right)
    see(start)
    const header = decodeSafetensorsHeader(start, fileSize)
    if (E.isLeft(header)) return damaged(header.left)
    const forms = checkForms(header.right.tensors, like)
    if (E.isLeft(forms)) return forms
    const tensors = new Map<string, SafetensorsTensor>()
    for (const [name, info] of header.right.tensors) {
      const bytes = await readAt(handle, info.begin, info.end - info.begin)
      see(bytes)
      const one = decodeSafetensorsTensor(info, bytes)
      if (E.isLeft(one)) return damaged(`${one.left}, in ${name}`)
      tensors.set(name, one.right)
    }
    return E.right(tensors)
  } finally {
    await handle.close()
  }
}

const isGone = (error: unknown): error is Error & { readonly path: string } =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'path' in error

const read = async <S>(
  folder: string,
  like: S,
  options: LoadOptions,
): Promise<E.Either<string, Checkpoint<S>>> => {
  const { readFile } = await import('node:fs/promises')
  const index = parseIndex(await readFile(`${folder}/${indexName}`, 'utf8'))
  if (E.isLeft(index)) return index
  try {
    return await readState(folder, index.right, like, options)
  } catch (error) {
    // A run that goes on has replaced the checkpoint since the index was read.
    const now = isGone(error) ? parseIndex(await readFile(`${folder}/${indexName}`, 'utf8')) : index
    if (E.isRight(now) && now.right.tensors !== index.right.tensors) return read(folder, like, options)
    throw error
  }
}

const readState = async <S>(
  folder: string,
  { tensors: name, sha256, notes }: Index,
  like: S,
  options: LoadOptions,
): Promise<E.Either<string, Checkpoint<S>>> => {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  const tensors = await readTensors(`${folder}/${name}`, like, (bytes) => hash.update(bytes))
  if (E.isLeft(tensors)) return tensors
  if (hash.digest('hex') !== sha256) return E.left(`is damaged (the checksum of ${name} is another)`)
  return E.right({ state: fill(tensors.right, like, options), notes })
}

/**
 * Reads a checkpoint. `like` is a tree of the same structure, shapes and dtypes (`initState` makes one); its numbers
 * do not matter.
 *
 * @returns Left: one sentence: nothing there, not ours, cut off, damaged, or, with all of them listed, tensors that
 * are missing, not expected, or of another form.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { tensor, zeros } from 'pullback'
 * import { loadCheckpoint, saveCheckpoint } from 'pullback/training'
 * const folder = await mkdtemp(`${tmpdir()}/run-`)
 * await saveCheckpoint(folder, { weight: tensor([1, 2]) }, { epoch: 3 })()
 * const loaded = await loadCheckpoint(folder, { weight: zeros([2]) })()
 * if (loaded._tag === 'Right') console.log(loaded.right.state.weight, loaded.right.notes)
 * // => float32[2] [1, 2] { epoch: 3 }
 * ```
 */
export const loadCheckpoint = <S>(
  folder: string,
  like: S,
  options: LoadOptions = {},
): TE.TaskEither<string, Checkpoint<S>> =>
  F.pipe(
    TE.tryCatch(
      () => read(folder, like, options),
      (error) => missing(error) ?? readFailure(error),
    ),
    TE.flatMapEither((checkpoint) => checkpoint),
    TE.mapLeft((reason) => `checkpoint: ${folder} ${reason}`),
  )

const missing = (error: unknown): string | undefined => {
  if (!isGone(error)) return undefined
  const name = error.path.split('/').at(-1) as string
  return name === indexName ? `holds no checkpoint (no ${indexName})` : `is incomplete: ${name} is gone`
}

/**
 * Whether a folder holds a checkpoint, sound or not.
 *
 * @example
 * ```ts
 * import { hasCheckpoint } from 'pullback/training'
 * console.log(await hasCheckpoint('runs/not-there')) // => false
 * ```
 */
export const hasCheckpoint = async (folder: string): Promise<boolean> => {
  const { access } = await import('node:fs/promises')
  return access(`${folder}/${indexName}`).then(
    () => true,
    () => false,
  )
}

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
