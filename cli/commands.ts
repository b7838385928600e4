/** Every command, in the order of the help. */
import type { AnyCommand } from './command.ts'
import { start } from './command/start.ts'

export const commands: readonly AnyCommand[] = [start]
