/** How commands that write are ended: by Ctrl-C, by a pipe that is closed or a terminal that is gone, by a full disk. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { logTo } from '../../cli/run.ts'
import { drawsOf, hostKey } from '../../training/index.ts'
import { given } from '../support/skip.ts'
import { pullbackHere } from './here.ts'

const test = suite('output of pullback')
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const texts = fileURLToPath(new URL('../fixtures/tasks/texts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'pullback-output-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const words = 'cat dog tree house river stone bread water sun moon sees finds likes old small green'.split(
  ' ',
)
const { below } = drawsOf(hostKey(0))
const sentence = (): string => Array.from({ length: 9 }, () => words[below(words.length)]).join(' ')
writeFileSync(
  join(folder, 'text.txt'),
  Array.from({ length: 80 }, () => `The ${sentence()}. A ${sentence()}. One ${sentence()}.`).join('\n\n'),
)

type Child = ReturnType<typeof spawn>

interface Ended {
  readonly code: number | null
  readonly err: string
}

/** Runs the command; `then` is done to it once it has said something. */
const until = (words: readonly string[], said: RegExp, then: (child: Child) => void): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [main, ...words], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err, once] = ['', '', false]
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      if (once || !said.test(out)) return
      once = true
      then(child)
    })
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('exit', (code) => done({ code, err }))
  })

const close = (child: Child): void => void child.stdout?.destroy()

const pretraining = (name: string): readonly string[] => [
  ...['pretrain', '--model', 'gpt', '--corpus', 'text.txt', '--name', name, '--steps', '20000'],
  ...[
    '--vocabulary',
    '300',
    '--width',
    '16',
    '--layers',
    '1',
    '--heads',
    '1',
    '--length',
    '8',
    '--batch',
    '4',
  ],
]

test('ends what is written to a pipe that nobody reads any more, without a word', async () => {
  const many = Array.from({ length: 2000 }, () => 'The old')
  const { code, err } = await until(
    ['run', 'text-generation', texts, ...many, '--tokens', '4', '--json'],
    /\n/,
    close,
  )
  assert.is(code, 130)
  assert.not.match(err, /EPIPE|Error/)
})

test('Ctrl-C ends what is written', async () => {
  const many = Array.from({ length: 2000 }, () => 'The old')
  const words = ['run', 'text-generation', texts, ...many, '--tokens', '4', '--json']
  const { code } = await until(words, /\n/, (child) => void child.kill('SIGINT'))
  assert.is(code, 130)
})

for (const [how, then] of [
  ['a closed pipe', close],
  ['a closed terminal', (child: Child): void => void child.kill('SIGHUP')],
] as const)
  test(`${how} ends a run in order, so that it can be gone on with`, async () => {
    const name = how.replaceAll(' ', '-')
    const { code, err } = await until(pretraining(name), /pretraining 10 %/, then)
    assert.is(code, 130)
    assert.not.match(err, /EPIPE|\n {4}at /)
    assert.match(err, new RegExp(`pullback resume runs/${name} goes on with it`))
    assert.ok(existsSync(join(folder, 'runs', name, 'checkpoint', 'checkpoint.json')))
  })

given(
  test,
  existsSync('/dev/full'),
  'the system has no /dev/full',
)('says that it cannot be written', async () => {
  const child = spawn(process.execPath, [main, 'doctor'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  let err = ''
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const code = await new Promise((done) => child.on('close', done))
  assert.is(code, 1)
  assert.is(err, 'pullback: standard output cannot be written: the disk is full\n')
})

given(
  test,
  existsSync('/dev/full'),
  'the system has no /dev/full',
)('metrics that cannot be written are told in one sentence', async () => {
  symlinkSync('/dev/full', join(folder, 'metrics.jsonl'))
  const error = await logTo(folder)({ step: 1 }).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof Error)
  assert.is(error.message, `${join(folder, 'metrics.jsonl')} cannot be written: the disk is full`)
})

test('a new line is a text at which to stop', async () => {
  const words = ['run', 'text-generation', texts, 'The old', '--tokens', '3', '--temperature', '0']
  const [whole, stopped, refused] = [
    await pullbackHere(words),
    await pullbackHere([...words, '--stop', '\n']),
    await pullbackHere([...words, '--stop', '']),
  ]
  assert.is(stopped.code, 0, stopped.told.join())
  assert.ok(whole.out.startsWith(stopped.out.trimEnd()))
  assert.is(refused.code, 1)
  assert.match(refused.told.join(), /--stop/)
})

test.run()
