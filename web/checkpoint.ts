/** What a checkpoint of the page notes beside its tensors, and the check of files that may be none. */
import { either as E, function as F } from 'fp-ts'
import { stateMetadata } from 'pullback/training'
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
    settings !== null &&
    isSettings(settings) &&
    Array.isArray(characters) &&
    characters.every((one) => typeof one === 'string') &&
    whole(step, 0, 1e12)
  )
}

/** The notes in a checkpoint's header; left with what is wrong. */
export const notesOf = (bytes: Uint8Array): E.Either<string, Notes> =>
  F.pipe(
    stateMetadata(bytes),
    E.flatMap(({ pullback = 'null' }) =>
      E.tryCatch(
        (): unknown => JSON.parse(pullback),
        () => 'its notes are no JSON',
      ),
    ),
    E.filterOrElse(isNotes, () => 'it was not written here'),
    E.mapLeft((reason) => `this file is no checkpoint of this page: ${reason}`),
  )
