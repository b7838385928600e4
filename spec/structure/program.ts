/** Checks programs: writes blocks as files beneath a project's root, type-checks them together, runs each. */
import { execFile, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Block } from './block.ts'
import type { Execution } from './execute.ts'
import { broken, instrument } from './promise.ts'

/** Why a block is wrong, or null. In the order of the blocks. */
export type Verdict = string | null

const tsc = new URL('../../node_modules/@typescript/compiler/bin/tsc', import.meta.url).pathname

const typeErrors = (folder: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { cwd: folder, maxBuffer: 2 ** 26 }
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], options, (error, stdout) => {
      if (error !== null && stdout === '') reject(error)
      else resolve(stdout)
    })
  })

const execute = (files: readonly string[], limit: number): Promise<Map<string, Execution>> =>
  new Promise((resolve) => {
    const done = new Map<string, Execution>()
    if (files.length === 0) return resolve(done)
    const child = fork(new URL('execute.ts', import.meta.url), [...files], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // These files are written anew each time: kept, they would only fill the cache.
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), limit)
    child.on('message', (message) => {
      const execution = message as Execution
      done.set(execution.file, execution)
    })
    child.on('close', () => {
      clearTimeout(timer)
      resolve(done)
    })
  })

const verdict = (block: Block, errors: readonly string[], execution: Execution | undefined): Verdict => {
  if (errors.length > 0) return errors.join('\n')
  if (!block.run) return null
  if (execution === undefined) return 'did not come to an end: it or a block before it ended the process'
  if (execution.error !== null) return execution.error
  const told = broken(instrument(block.code).promises, execution.shown)
  return told.length === 0 ? null : told.join('\n')
}

/**
 * The verdict on every block. The programs lie within the project at `root`, so that `pullback` is the project
 * itself, found by its own name; the root's tsconfig.json applies, without its rules for library code.
 */
export const check = async (root: string, blocks: readonly Block[], limit = 240_000): Promise<Verdict[]> => {
  mkdirSync(`${root}/.cache`, { recursive: true })
  const folder = mkdtempSync(`${root}/.cache/block-`)
  try {
    const name = ({ path, line }: Block): string => `${path.replace(/[^\w.]/g, '-')}.${line}.ts`
    // run as instrumented, at the same depth, so that relative imports mean the same
    const file = (block: Block): string => `${folder}-run/${name(block)}`
    mkdirSync(`${folder}-run`)
    for (const block of blocks) {
      writeFileSync(`${folder}/${name(block)}`, `${block.code}\n`)
      writeFileSync(file(block), `${instrument(block.code).code}\n`)
    }
    const compilerOptions = {
      declaration: false,
      isolatedDeclarations: false,
      moduleDetection: 'force',
      noUnusedLocals: false,
      noUnusedParameters: false,
    }
    const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config))
    const lines = blocks.length === 0 ? [] : (await typeErrors(folder)).split('\n')
    const general = lines.filter((line) => line.startsWith('error '))
    if (general.length > 0) throw new Error(general.join('\n'))
    const errorsOf = (block: Block): string[] =>
      lines.filter((line) => line.startsWith(name(block))).map((line) => line.slice(name(block).length))
    const sound = blocks.filter((block) => block.run && errorsOf(block).length === 0)
    const executions = await execute(sound.map(file), limit)
    return blocks.map((block) => verdict(block, errorsOf(block), executions.get(file(block))))
  } finally {
    for (const each of [folder, `${folder}-run`]) rmSync(each, { recursive: true, force: true })
  }
}
