/** The examples run, and come to what they say. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('examples')
const folder = mkdtempSync(join(tmpdir(), 'pullback-example-'))
test.after(() => rmSync(folder, { recursive: true }))

const run = (name: string, ...words: readonly string[]): Promise<string> =>
  new Promise((done, fail) => {
    const path = new URL(`../../examples/${name}.ts`, import.meta.url).pathname
    const child = spawn(process.execPath, [path, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => (code === 0 ? done(out) : fail(new Error(`${name}: code ${code}: ${err}`))))
  })

const losses = (out: string): readonly number[] =>
  [...out.matchAll(/(?:loss|error) ([\d.e-]+)/g)].map(([, number]) => Number(number))

test('curve: the network comes close to the sine', async () => {
  const told = losses(await run('curve'))
  assert.is(told.length, 5)
  assert.ok((told.at(-1) as number) < 0.001, String(told))
})

test('gpt: the loss falls, and something is written', async () => {
  const text = join(folder, 'text.txt')
  const words = ['the sea is wide', 'and the ship is small', 'but the wind is good']
  writeFileSync(text, Array.from({ length: 400 }, (_, i) => words[(i * i) % 3]).join('\n'))
  const out = await run('gpt', text, '100')
  const told = losses(out)
  const [first = 0, last = Infinity] = [told[0], told.at(-1)]
  assert.ok(last < first && last < 1, out)
  assert.match(out.split('\n').slice(-4).join('\n'), /the|ship|sea|wind/)
})

test('dates: the loss falls, and dates are written', async () => {
  const out = await run('dates', '100')
  const told = losses(out)
  const [first = 0, last = Infinity] = [told[0], told.at(-1)]
  assert.ok(last < first, out)
  assert.match(out, /→ \d{4}-\d{2}-\d{2}\n/)
  assert.match(out, /^\d+ of 1344 dates never seen are right$/m)
})

test('custom: the right gradient passes, the wrong one is caught', async () => {
  const out = await run('custom')
  assert.match(out, /law broken/)
})

test('picture: sentences find pictures that were never shown', async () => {
  const out = await run('picture', '150')
  assert.ok((losses(out).at(-1) as number) < 2, out) // ln 64 = 4.16 by chance
  const right = [...out.matchAll(/→ \w+ (\d+)/g)].map(([, number]) => Number(number))
  assert.is(right.length, 2)
  for (const count of right) assert.ok(count >= 20, out) // one of 40 by chance
})

test.run()
