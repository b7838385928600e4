/** Programs that use pullback, given to the compiler as a user's would be. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'

const root = new URL('../..', import.meta.url).pathname
const tsc = `${root}node_modules/@typescript/compiler/bin/tsc`

export interface Compilation {
  /** What the compiler says, one error after the other; empty where it has nothing to say. */
  readonly output: string
  /** Lines of `--extendedDiagnostics`, by their names. */
  readonly facts: ReadonlyMap<string, number>
}

const factsOf = (output: string): ReadonlyMap<string, number> =>
  new Map(
    [...output.matchAll(/^(\w[\w ]*):\s+([\d.]+)[sK]?$/gm)].map(([, name, n]) => [name as string, Number(n)]),
  )

/** The files of a program beside each other, within the project, so that `pullback` is found by its name. */
export const compile = async (
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<Compilation> => {
  mkdirSync(`${root}.cache`, { recursive: true })
  const folder = mkdtempSync(`${root}.cache/type-`)
  const compilerOptions = {
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    moduleDetection: 'force',
  }
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }
  try {
    for (const [name, code] of Object.entries(files)) writeFileSync(`${folder}/${name}.ts`, code)
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config))
    const args = [tsc, '-p', folder, '--pretty', 'false', '--extendedDiagnostics']
    const text = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_, stdout) => resolve(stdout))
    })
    await use(folder)
    const at = text.search(/^Files:/m)
    return { output: at < 0 ? text : text.slice(0, at), facts: factsOf(text.slice(Math.max(0, at))) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
