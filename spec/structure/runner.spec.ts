/** The runner itself, on planted spec files: whatever a file forgets or breaks must show. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = new URL('../..', import.meta.url).pathname

type Run = { readonly code: number | null; readonly output: string; readonly last: string }

// the runner over a folder with these files
const run = (files: Readonly<Record<string, string>>, ...flags: string[]): Run => {
  const folder = mkdtempSync(`${tmpdir()}/pullback-runner-`)
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}.spec.ts`, text)
    const { status, stdout } = spawnSync(
      process.execPath,
      [`${root}spec/run.ts`, '--root', folder, ...flags],
      {
        encoding: 'utf8',
        env: { ...process.env, NODE_DISABLE_COLORS: '1', NO_COLOR: '1', FORCE_COLOR: '0' },
      },
    )
    return { code: status, output: stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const good = "import { test } from 'uvu'; test('a', () => {}); test('b', async () => {}); test.run()"

const runner = suite('runner')

runner('adds up what passed, over files', () => {
  const { code, output, last } = run({ one: good, two: good })
  assert.is(last, '4 passed, 0 failed')
  assert.is(code, 0)
  assert.match(output, /\d s {2}one {2}2 passed/)
})

runner('runs the files that a filter names, and fails when there are none', () => {
  assert.is(run({ one: good, two: good }, 'on').last, '2 passed, 0 failed')
  const { code, last } = run({ one: good }, 'three')
  assert.is(last, '0 passed, 1 failed')
  assert.is(code, 1)
})

runner('tells and counts skips with their reasons', () => {
  const text = `
    import { test } from 'uvu'
    import { given, skip } from '${root}spec/support/skip.ts'
    skip(test, 'on a device', 'no device here')
    given(test, true, 'never')('runs', () => {})
    given(test, false, 'of the moon')('does not run', () => { throw new Error() })
    test.skip('for no reason')
    test.run()`
  const { code, output, last } = run({ one: text })
  assert.is(last, '1 passed, 0 failed, 3 skipped')
  assert.is(code, 0)
  assert.match(output, 'skipped: on a device (no device here)')
  assert.match(output, 'skipped: does not run (of the moon)')
  assert.match(output, 'skipped: for no reason (no reason given)')
})

const broken: Readonly<Record<string, readonly [text: string, last: string, says: string]>> = {
  'a failing test': [
    "import { test } from 'uvu'; test('a', () => { throw new Error('oh') }); test('b', () => {}); test.run()",
    '1 passed, 1 failed',
    'oh',
  ],
  'no .run()': ["import { test } from 'uvu'; test('a', () => {})", '0 passed, 1 failed', '.run() is missing'],
  'a suite without .run() beside one with': [
    `${good}; import { suite } from 'uvu'; suite('lost')('c', () => {})`,
    '2 passed, 1 failed',
    "suite('lost')",
  ],
  'tests added after .run()': [`${good}; test('late', () => {})`, '2 passed, 1 failed', '.run() is missing'],
  'no tests': ["import 'uvu'", '0 passed, 1 failed', 'registers none'],
  'an empty suite': ["import { test } from 'uvu'; test.run()", '0 passed, 1 failed', 'registers none'],
  'a forgotten .only': [
    "import { test } from 'uvu'; test('a', () => {}); test.only('b', () => {}); test.run()",
    '1 passed, 1 failed',
    '.only hides the other tests',
  ],
  'a file that does not load': ["import './nowhere.ts'", '0 passed, 1 failed', 'did not load'],
  'a before hook that throws': [
    `${good.replace('test.run()', '')}; test.before(() => { throw new Error('early') }); test.run()`,
    '0 passed, 2 failed',
    'before: Error: early',
  ],
  'an after hook that throws': [
    `${good.replace('test.run()', '')}; test.after(() => { throw new Error('tidy') }); test.run()`,
    '2 passed, 1 failed',
    'after: Error: tidy',
  ],
  'a rejection that nobody awaits': [
    `${good.replace('test.run()', '')}; test('c', () => void Promise.reject(new Error('lost'))); test.run()`,
    '3 passed, 1 failed',
    'lost',
  ],
  'a process that ends early': [
    "import { test } from 'uvu'; test('a', () => process.exit(0)); test.run()",
    '0 passed, 1 failed',
    'ended early',
  ],
  'a file that hangs': [
    "import { test } from 'uvu'; test('a', () => { for (;;); }); test.run()",
    '0 passed, 1 failed',
    'took longer',
  ],
}

for (const [name, [text, last, says]] of Object.entries(broken)) {
  runner(`fails on ${name}`, () => {
    const seen = run({ one: text }, '--limit', name.includes('hangs') ? '1' : '120')
    assert.is(seen.last, last, seen.output)
    assert.is(seen.code, 1)
    assert.match(seen.output, says)
  })
}

runner.run()
