/**
 * The programs of docs/laws.md as processes of their own: a test runner in them tells failures by its exit code. It
 * also works on when its program has ended, beside whatever comes next in a process that runs several, so the page
 * calls such programs `no-run`.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOfPage } from '../structure/block.ts'

const root = new URL('../..', import.meta.url).pathname
const page = 'docs/laws.md'
const test = suite(page)

mkdirSync(`${root}.cache`, { recursive: true })
const folder = mkdtempSync(`${root}.cache/laws-`)
test.after(() => rmSync(folder, { recursive: true, force: true }))

for (const { line, code } of blocksOfPage(page, readFileSync(root + page, 'utf8')))
  test(`${page}:${line}`, () => {
    const file = `${folder}/${line}.ts`
    writeFileSync(file, `${code}\n`)
    return new Promise<void>((resolve) => {
      execFile(process.execPath, [file], { cwd: root }, (error, stdout, stderr) => {
        assert.is(error, null, `${stdout}\n${stderr}`)
        resolve()
      })
    })
  })
test.run()
