/** The command `pullback`: words in, one exit code out. */
import { Command as Commander, Option } from 'commander'
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

/** One sentence on standard error. */
const refuse = (sentence: string, code: number): void => {
  process.stderr.write(`pullback: ${sentence}\n`)
  process.exitCode = code
}

const perform = async (
  command: AnyCommand,
  words: readonly string[],
  { config, ...flags }: Readonly<Record<string, string | undefined>>,
): Promise<void> => {
  const here = context()
  const result = await F.pipe(
    readSettings(command.settings, command.fallbacks, config, flags),
    TE.flatMap((values) => command.run(here, values as never, words)),
  )()
  if (E.isLeft(result)) refuse(result.left, here.signal.aborted ? 130 : 1)
}

const add = (program: Commander, command: AnyCommand): void => {
  const own = program.command(command.name).description(command.about)
  for (const { name, about, optional } of command.arguments)
    own.argument(optional === true ? `[${name}]` : `<${name}>`, about)
  if (command.settings.length > 0)
    own.option('--config <file>', 'settings as JSON, by their names in camel case; flags win over them')
  for (const name of command.settings) {
    const { value, about } = settings[name]
    own.addOption(new Option(`${flagOf(name)} ${value}`, `${about}${fallbackOf(command, name)}`))
  }
  own.action(async (...given: unknown[]) => {
    const words = given.slice(0, command.arguments.length).filter((word) => word !== undefined)
    await perform(command, words as string[], own.opts())
  })
}

const program = new Commander('pullback')
  .description('pretrains, fine-tunes and runs Transformers; all of it pure functions underneath')
  .version(version)
  .showHelpAfterError('(--help tells what there is)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'pullback: ')) })
for (const command of commands) add(program, command)

try {
  await program.parseAsync()
} catch (error) {
  // What nobody foresaw: a bug, or a mistake in how shapes were put together.
  refuse(
    error instanceof Error
      ? process.env['DEBUG']
        ? (error.stack ?? error.message)
        : error.message
      : String(error),
    1,
  )
}
