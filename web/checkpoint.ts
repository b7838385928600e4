/** What a checkpoint of the page notes beside its tensors, and the check of files that may be none. */
import { either as E } from 'fp-ts'
import type { Settings } from './message.ts'

export interface Notes {
  readonly settings: Settings
  readonly characters: readonly string[]
  readonly step: number
}

const whole = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

const isSettings = (value: unknown): value is Settings => {
  const { model, layers, width, heads, length, batch } = value as Settings
  return (
    (model === 'gpt' || model === 'bert') &&
    whole(layers, 1, 12) &&
    whole(width, 8, 768) &&
    whole(heads, 1, 12) &&
    width % heads === 0 &&
    whole(length, 8, 512) &&
    whole(batch, 1, 128)
  )
}

const isNotes = (value: unknown): value is Notes => {
  if (typeof value !== 'object' || value === null) return false
  const { settings, characters, step } = value as Partial<Notes>
  return (
    typeof settings === 'object' &&
    isSettings(settings) &&
    Array.isArray(characters) &&
    characters.every((one) => typeof one === 'string') &&
    whole(step, 0, 1e12)
  )
}

/** The notes of a safetensors file, whose header is a length in eight bytes, and JSON; left with what is wrong. */
export const notesOf = (bytes: Uint8Array): E.Either<string, Notes> => {
  const refused = E.left('this file is no checkpoint of this page')
  if (bytes.length < 8) return refused
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  if (length > 10_000_000) return refused
  if (length > bytes.length - 8)
    return E.left('this file ends within its header: it is no checkpoint, or a part of one')
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
    const { __metadata__: metadata } = header as { readonly __metadata__?: { readonly pullback?: string } }
    const notes: unknown = JSON.parse(metadata?.pullback ?? 'null')
    return isNotes(notes) ? E.right(notes) : refused
  } catch {
    return refused
  }
}
