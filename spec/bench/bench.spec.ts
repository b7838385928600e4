import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compileTimeOf } from '../../bench/clock.ts'
import { figuresOf, summarise } from '../../bench/figure.ts'
import { tableOf } from '../../bench/report.ts'
import { hasPeers } from '../../bench/subject.ts'
import { given } from '../support/skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))

test('figures are medians over rounds, and their ratios say how much better ours is', () => {
  const line = (engine: string, msPerStep: number, tokensPerSecond: number) =>
    figuresOf({ load: 'S', engine, threads: 2, msPerStep, tokensPerSecond })
  const rows = summarise(
    [...line('wasm', 10, 100), ...line('wasm', 30, 300), ...line('wasm', 20, 200), ...line('peer', 40, 50)],
    'wasm',
  )
  assert.equal(
    rows.map(({ engine, metric, value, rounds, ratio }) => [engine, metric, value, rounds, ratio]),
    [
      ['wasm', 'msPerStep', 20, 3, 1],
      ['wasm', 'tokensPerSecond', 200, 3, 1],
      ['peer', 'msPerStep', 40, 1, 2],
      ['peer', 'tokensPerSecond', 50, 1, 4],
    ],
  )
  assert.match(tableOf(rows), /S +2 +peer +40\.0 \(×2\.00\) +50 \(×4\.00\)/)
})

test('compiling takes no less than nothing, also where later steps are slow', () => {
  assert.is(compileTimeOf(300, [120, 100, 500]), 200)
  assert.is(compileTimeOf(90, [120, 100, 500]), 0)
})

test('a step is one JSON line, the only one of the command that the page gives', () => {
  const args = ['step', '--load', 'X', '--engine', 'wasm', '--threads', '2', '--seconds', '1', '--json']
  const printed = execFileSync('npm', ['run', '--silent', 'bench', '--', ...args], {
    encoding: 'utf8',
    cwd: root,
  })
  const lines = printed.trim().split('\n')
  assert.is(lines.length, 1)
  const line = JSON.parse(lines[0] as string) as Record<string, unknown>
  assert.equal(Object.keys(line), [
    'load',
    'engine',
    'threads',
    'msPerStep',
    'tokensPerSecond',
    'compileMs',
    'peakBytes',
  ])
  assert.equal([line['load'], line['engine'], line['threads']], ['X', 'wasm', 2])
  assert.ok((line['compileMs'] as number) >= 0)
  assert.ok((line['msPerStep'] as number) > 0 && (line['peakBytes'] as number) > 1e7)
})

test('a wrong word is refused with what there is', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'step', '--load', 'Q'], { encoding: 'utf8' })
  assert.is(status, 2)
  assert.match(stderr, /there is no load 'Q', there are X, S, M, L/)
})

const absent = given(test, !hasPeers(), 'the peers are installed here')

absent('peers that are missing are told, with the command that installs them', () => {
  const { status, stderr } = spawnSync(process.execPath, [main], { encoding: 'utf8' })
  assert.is(status, 2)
  assert.match(stderr, /npm ci --prefix bench/)
})

test.run()
