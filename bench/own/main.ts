/** Measures this project in a process of its own; prints one JSON line for each figure. */
import type { LoadName, WriterName } from '../size.ts'
import { measureDepth } from './depth.ts'
import { measureDispatch } from './dispatch.ts'
import { measureEager } from './eager.ts'
import { measureExamples } from './example.ts'
import { measureGenerate } from './generate.ts'
import { measureMatmul } from './matmul.ts'
import { measureRows } from './row.ts'
import { measureStep } from './step.ts'

const [what, argument = '', engine = 'wasm', threads = '1', seconds = '4'] = process.argv.slice(2)

const lines = async (): Promise<readonly object[]> => {
  const count = Number(threads)
  switch (what) {
    case 'step':
      return [
        await measureStep({ load: argument as LoadName, engine, threads: count, seconds: Number(seconds) }),
      ]
    case 'generate':
      return measureGenerate({
        load: argument as WriterName,
        engine,
        threads: count,
        seconds: Number(seconds),
      })
    case 'matmul':
      return measureMatmul(engine, count, argument)
    case 'rows':
      return measureRows(engine, count)
    case 'eager':
      return measureEager(engine)
    case 'dispatch':
      return measureDispatch()
    case 'depth':
      return measureDepth(engine, count)
    case 'examples':
      return measureExamples(engine, count)
    default:
      throw new Error(`bench: there is no measurement '${what}'`)
  }
}

for (const line of await lines()) console.log(JSON.stringify(line))
// Workers of a device would keep the process alive.
process.exit(0)
