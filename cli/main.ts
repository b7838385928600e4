/** The command `pullback`. */
import { writeFailure } from '../core/file.ts'
import { run } from './program.ts'
import { outputs } from './terminal.ts'

const tell = (sentence: string): void => void process.stderr.write(`pullback: ${sentence}\n`)

/** What a pipe that nobody reads any more says, and a terminal that was closed. */
const gone = ['EPIPE', 'EIO']

for (const stream of outputs)
  stream.on('error', (error) => {
    if ('code' in error && gone.includes(String(error.code))) return
    if (stream === process.stdout) tell(`standard output ${writeFailure(error)}`)
    process.exit(1)
  })

process.exitCode = await run(process.argv.slice(2), tell)
