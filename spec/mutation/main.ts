/**
 * npm run mutations: plants mistakes into copies of the sources, one at a time, and lets the laws look for them. Ends
 * with `caught N of M`, and with 1 if one was missed.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Mutation } from './list.ts'
import { mutations } from './list.ts'

const root = new URL('../..', import.meta.url).pathname
const folders = ['core', 'kernels', 'spec/law', 'spec/arbitrary', 'spec/mutation', 'spec/core/primitive']
mkdirSync(`${root}.cache`, { recursive: true })
const work = mkdtempSync(`${root}.cache/mutation-`)

/** A copy of the sources in which `from` has become `to`. */
const planted = ({ file, from, to, mistake, of }: Mutation, at: number): string => {
  const copy = `${work}/${at}`
  for (const folder of folders) cpSync(`${root}${folder}`, `${copy}/${folder}`, { recursive: true })
  cpSync(`${root}package.json`, `${copy}/package.json`)
  symlinkSync(`${root}node_modules`, `${copy}/node_modules`)
  const text = readFileSync(`${copy}/${file}`, 'utf8')
  if (text.split(from).length !== 2)
    throw new Error(
      `${of}, ${mistake}: '${from}' stands in ${file} ${text.split(from).length - 1} times, not once; bring the list up to date`,
    )
  writeFileSync(
    `${copy}/${file}`,
    text.replace(from, () => to),
  )
  return copy
}

const laws = (copy: string, name: string): Promise<{ readonly caught: boolean; readonly said: string }> =>
  new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [`${copy}/spec/mutation/child.ts`, name],
      { cwd: copy, timeout: 110_000 },
      (error, stdout, stderr) => {
        const said = /^caught: (.*)$/m.exec(stdout)?.[1]
        if (said !== undefined) resolve({ caught: true, said })
        else if (error === null) resolve({ caught: false, said: '' })
        else reject(new Error(`the laws of ${name} did not run: ${stderr || stdout || error.message}`))
      },
    )
  })

try {
  // Without a mutation every law holds: what is caught is the mutation.
  const sound = planted(
    {
      mistake: 'none',
      of: 'all',
      file: 'package.json',
      from: '"name": "pullback"',
      to: '"name": "pullback"',
    },
    mutations.length,
  )
  const subjects = [...new Set(mutations.map(({ of }) => of))]
  const jobs: (() => Promise<void>)[] = []
  let caught = 0
  let broken = 0
  for (const name of subjects)
    jobs.push(async () => {
      const { caught: is, said } = await laws(sound, name)
      if (!is) return
      broken += 1
      console.log(`✘ ${name} breaks a law without any mutation: ${said}`)
    })
  for (const [at, mutation] of mutations.entries())
    jobs.push(async () => {
      const copy = planted(mutation, at)
      const { caught: is, said } = await laws(copy, mutation.of)
      rmSync(copy, { recursive: true, force: true })
      if (is) caught += 1
      console.log(
        `${is ? '✔' : '✘'} ${mutation.of}: ${mutation.mistake}${is ? `\n    ${said}` : ' was missed'}`,
      )
    })
  const next = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job()
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, next))
  console.log(`caught ${caught} of ${mutations.length}`)
  process.exitCode = caught === mutations.length && broken === 0 ? 0 : 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
