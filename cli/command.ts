/** What a command is: its words, its settings, and what it does. */
import type { taskEither as TE } from 'fp-ts'
import type { Context } from './context.ts'
import type { SettingName, Values } from './setting.ts'

export interface Argument {
  readonly name: string
  readonly about: string
  readonly optional?: boolean
  /** Whether it may be given several times; the last argument alone. */
  readonly many?: boolean
}

export interface Command<N extends SettingName = SettingName> {
  readonly name: string
  readonly about: string
  readonly arguments: readonly Argument[]
  readonly settings: readonly N[]
  /** Where this command's settings are not what they are in the table. */
  readonly fallbacks?: Partial<Values<N>>
  /** Left: one sentence on why it could not be done. */
  readonly run: (context: Context, values: Values<N>, words: readonly string[]) => TE.TaskEither<string, void>
}

/** A command among others, whose settings are its own business. */
export type AnyCommand = Omit<Command, 'run' | 'fallbacks'> & {
  readonly fallbacks: Readonly<Record<string, unknown>>
  readonly run: (context: Context, values: never, words: readonly string[]) => TE.TaskEither<string, void>
}

export const command = <N extends SettingName>(one: Command<N>): AnyCommand => ({
  ...one,
  fallbacks: one.fallbacks ?? {},
})
