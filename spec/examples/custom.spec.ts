import { execFile } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = new URL('../..', import.meta.url).pathname
const test = suite('examples/custom')

const run = (...words: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, words, { cwd: root }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${stdout}\n${stderr}`)),
    )
  })

test('the gradient obeys the laws, and with a sign wrong it does not', async () => {
  const printed = await run('examples/custom.ts')
  assert.match(printed, /^gradient {3}\[ -0\.0907\d+, 0\.5, 1\.0907\d+ \]$/m)
  assert.match(printed, /^laws hold/m)
  assert.match(printed, /^law broken: reverse mode of the function = finite differences$/m)
  assert.match(printed, /at the equation c: float64\[\S*\] = swish a b/)
})
test.run()
