/** The command `pullback`. */
import { run } from './program.ts'

process.exitCode = await run(
  process.argv.slice(2),
  (sentence) => void process.stderr.write(`pullback: ${sentence}\n`),
)
