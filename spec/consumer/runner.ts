/** The programs of docs/laws.md for other test runners: they pass as they stand, and fail, saying why, with a mistake. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Runs a command in a folder; gives what it printed, and throws with that where it fails. */
export type Run = (cwd: string, command: string, ...words: string[]) => Promise<string>

const runners: Readonly<Record<string, readonly string[]>> = {
  vitest: ['node_modules/vitest/vitest.mjs', 'run'],
  jest: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
}

/** The folder that the runners are installed in. */
export const layOutRunners = (folder: string): void => {
  mkdirSync(folder)
  cpSync(new URL('runner/package.json', import.meta.url), `${folder}/package.json`)
}

/** The programs by the runner whose `test` they import. */
const programsOf = (page: string): ReadonlyMap<string, string> =>
  new Map(
    [...page.matchAll(/^```js\n([^]*?)^```$/gm)].flatMap(([, code = '']) => {
      const name = /import \{ test \} from '@?([a-z]+)/.exec(code)?.[1]
      return name === undefined ? [] : [[name, code] as const]
    }),
  )

/** As it stands, a program's runner passes it; with the derivative of a constant, it fails and prints the law. */
const tried = async (folder: string, run: Run, name: string, code: string): Promise<void> => {
  const command = runners[name]
  if (command === undefined) throw new Error(`docs/laws.md has a program for ${name}, which nobody runs`)
  const wrong = code
    .replace('{ mul, sigmoid }', '{ customVjp, mul, sigmoid }')
    .replace(
      'const silu = (x) => mul(x, sigmoid(x))',
      'const silu = customVjp((x) => mul(x, sigmoid(x)), { forward: (x) => [mul(x, sigmoid(x)), x], backward: (x, g) => [mul(g, sigmoid(x))] })',
    )
  if (wrong === code) throw new Error(`the program for ${name} has no silu to plant a mistake into`)
  const file = `${folder}/${name}.test.js`
  writeFileSync(file, code)
  await run(folder, process.execPath, ...command, `${name}.test.js`)
  writeFileSync(file, wrong)
  const said = await run(folder, process.execPath, ...command, `${name}.test.js`).then(
    () => 'it passed',
    (error: Error) => error.message,
  )
  if (
    !/law broken: reverse mode of .* = finite differences/.test(said) ||
    !said.includes('replay with check')
  )
    throw new Error(`${name}, with a wrong derivative: ${said}`)
}

/** Runs the programs of docs/laws.md under their runners; gives a word on what was run. */
export const runUnder = async (folder: string, run: Run, page: URL): Promise<string> => {
  const programs = programsOf(readFileSync(page, 'utf8'))
  for (const name of Object.keys(runners))
    if (!programs.has(name)) throw new Error(`docs/laws.md has no program for ${name}`)
  for (const [name, code] of programs) await tried(folder, run, name, code)
  return [...programs.keys()].join(', ')
}
