/** Commands in this process, for specs that need none of their own. */
import { run } from '../../cli/program.ts'

export interface Ended {
  readonly code: number
  /** What stands on standard output. */
  readonly out: string
  /** Refusals, a sentence each. */
  readonly told: readonly string[]
}

/** Runs a command as if in `folder`, and catches what it prints. */
export const pullbackHere = async (
  words: readonly string[],
  folder: string = process.cwd(),
): Promise<Ended> => {
  const [out, err, where] = [process.stdout.write, process.stderr.write, process.cwd()]
  const [said, told]: [string[], string[]] = [[], []]
  process.stdout.write = (chunk: string | Uint8Array) => said.push(String(chunk)) > 0
  process.stderr.write = () => true
  process.chdir(folder)
  try {
    const code = await run(words, (sentence) => told.push(sentence))
    return { code, out: said.join(''), told }
  } finally {
    process.chdir(where)
    process.stdout.write = out
    process.stderr.write = err
  }
}
