/** checkpoint.json: which file holds the tensors of the checkpoint, and what the caller notes beside them. */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'

/** What the caller notes beside the tensors: anything that JSON can hold. */
export type Notes = Readonly<Record<string, unknown>>

export interface Manifest {
  /** The name of the file of tensors. */
  readonly tensors: string
  readonly bytes: number
  readonly sha256: string
  readonly notes: Notes
}

const format = 'pullback-checkpoint'
const version = 1

export const manifestName = 'checkpoint.json'

const codec = t.strict({
  format: t.literal(format),
  version: t.number,
  tensors: t.string,
  bytes: t.number,
  sha256: t.string,
  notes: t.record(t.string, t.unknown),
})

/** Names of tensor files carry their hash: equal states share one, and no name leads out of the folder. */
export const stateName = (sha256: string): string => `state-${sha256.slice(0, 16)}.safetensors`

const stateNames = /^state-[0-9a-f]{16}\.safetensors$/
const names = /^(?:state-[0-9a-f]{16}\.safetensors|checkpoint\.json|state)(?:\.\d+\.\d+\.tmp)?$/

/** Whether a file of this name is a part of a checkpoint, or was to become one. */
export const isPart = (name: string): boolean => names.test(name)

/** The text of checkpoint.json. */
export const manifestText = (manifest: Manifest): string =>
  `${JSON.stringify({ format, version, ...manifest }, undefined, 2)}\n`

/** Reads the text of checkpoint.json. Left: what is wrong with the folder. */
export const parseManifest = (text: string): E.Either<string, Manifest> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return E.left(`is damaged (${manifestName} is not valid JSON)`)
  }
  const isOurs = typeof json === 'object' && json !== null && 'format' in json && json.format === format
  if (!isOurs) return E.left(`holds no checkpoint of this program (${manifestName} says so)`)
  const manifest = codec.decode(json)
  if (E.isLeft(manifest)) {
    const keys = new Set(manifest.left.map(({ context }) => context[1]?.key))
    return E.left(`is damaged (${manifestName}: ${[...keys].join(', ')})`)
  }
  const { version: found, tensors, sha256 } = manifest.right
  if (found !== version) return E.left(`was written by another version (${found}, this one reads ${version})`)
  if (!stateNames.test(tensors) || tensors !== stateName(sha256))
    return E.left(`is damaged (${manifestName}: tensors)`)
  return manifest
}
