/** The command line as a function: words in, one exit code out. */
import { Command as Commander, CommanderError, Option } from 'commander'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import type { AnyCommand } from './command.ts'
import { commands } from './commands.ts'
import { context } from './context.ts'
import { flagOf, readSettings, settings } from './setting.ts'
import type { SettingName } from './setting.ts'
import { version } from './version.ts'

const fallbackOf = (command: AnyCommand, name: SettingName): string => {
  const value = command.fallbacks[name] ?? settings[name].fallback
  return value === undefined ? '' : ` (${String(value)})`
}

/** Where refusals go: one sentence each. */
type Tell = (sentence: string) => void

const perform = async (
  command: AnyCommand,
  words: readonly string[],
  { config, ...flags }: Readonly<Record<string, string | undefined>>,
  tell: Tell,
): Promise<number> => {
  const here = context()
  try {
    const result = await F.pipe(
      readSettings(command.settings, command.fallbacks, config, flags),
      TE.flatMap((values) => command.run(here, values as never, words)),
    )()
    if (E.isLeft(result)) tell(result.left)
    return here.signal.aborted ? 130 : E.isLeft(result) ? 1 : 0
  } finally {
    here.end()
  }
}

const add = (program: Commander, command: AnyCommand, tell: Tell, ended: (code: number) => void): void => {
  const own = program.command(command.name).description(command.about)
  for (const { name, about, optional, many } of command.arguments) {
    const word = many === true ? `${name}...` : name
    own.argument(optional === true ? `[${word}]` : `<${word}>`, about)
  }
  if (command.settings.length > 0)
    own.option('--config <file>', 'settings as JSON, by their names in camel case; flags win over them')
  for (const name of command.settings) {
    const { value, about } = settings[name]
    own.addOption(new Option(`${flagOf(name)} ${value}`.trimEnd(), `${about}${fallbackOf(command, name)}`))
  }
  own.action(async (...given: unknown[]) => {
    const words = given
      .slice(0, command.arguments.length)
      .flat()
      .filter((word) => word !== undefined)
    // A flag without a value is true.
    const flags = Object.entries(own.opts()).map(([name, value]) => [name, String(value)] as const)
    ended(await perform(command, words as string[], Object.fromEntries(flags), tell))
  })
}

/** What nobody foresaw: a bug, or a mistake in how shapes were put together. */
const unforeseen = (error: unknown): string =>
  !(error instanceof Error)
    ? String(error)
    : process.env['DEBUG'] === undefined
      ? error.message
      : (error.stack ?? error.message)

/** Runs the command that the words name; the exit code is 0, 1 for what was refused, or 130 where Ctrl-C ended it. */
export const run = async (words: readonly string[], tell: Tell): Promise<number> => {
  let code = 0
  const program = new Commander('pullback')
    .description('pretrains, fine-tunes and runs Transformers; all of it pure functions underneath')
    .version(version)
    .showHelpAfterError('(--help tells what there is)')
    .configureOutput({ outputError: (text) => tell(text.replace(/^error: /, '').trimEnd()) })
    .exitOverride()
  for (const command of commands) add(program, command, tell, (ended) => (code = ended))
  for (const command of program.commands) command.copyInheritedSettings(program)
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    tell(unforeseen(error))
    return 1
  }
}
