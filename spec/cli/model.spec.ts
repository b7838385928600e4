/** Commands with models of the Hub, by a server on this machine. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../core/index.ts'
import { BertForPreTraining, bertConfig, bertForPreTraining, saveModel } from '../../models/index.ts'
import { repositoryOf, serveHub } from '../support/hub.ts'
import type { Hub } from '../support/hub.ts'

const test = suite('pullback with names')
const main = new URL('../../cli/main.ts', import.meta.url).pathname
const fixtures = fileURLToPath(new URL('../fixtures/tasks', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'pullback-names-'))
const hubs: Hub[] = []
test.after(async () => {
  for (const hub of hubs) await hub.close()
  rmSync(scratch, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const pullback = (hub: Hub, ...words: readonly string[]): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [main, ...words], {
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(scratch, 'home'), HF_HUB_OFFLINE: '0' },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => done({ code, out, err }))
  })

test('run: a task with a name; progress stands beside the answer, once', async () => {
  const hub = await serveHub({ 'mill/classes': repositoryOf(join(fixtures, 'classes')) })
  hubs.push(hub)
  const words = ['run', 'text-classification', 'mill/classes', 'the old miller', '--json']
  const first = await pullback(hub, ...words)
  assert.is(first.code, 0, first.err)
  assert.type((JSON.parse(first.out) as readonly { label: string }[])[0]?.label, 'string')
  assert.match(first.err, /mill\/classes 100 %/)
  const again = await pullback(hub, ...words)
  assert.is(again.out, first.out)
  assert.not.match(again.err, 'mill/classes')
  const none = await pullback(hub, 'run', 'text-classification', 'mill/absent', 'x')
  assert.is(none.code, 1)
  assert.match(none.err, `${hub.url} has no model mill/absent`)
  assert.match(none.err, 'nor is there a folder mill/absent')
})

test('fill and finetune: a BERT that no run has made', async () => {
  const config = bertConfig({ vocabularySize: 300, width: 12, layers: 1, heads: 2, maxLength: 32 })
  const folder = join(scratch, 'pretrained')
  const params = bertForPreTraining(config).init(random.key(0))
  assert.ok(E.isRight(await saveModel(BertForPreTraining, folder, { config, params })()))
  cpSync(join(fixtures, 'masks/tokenizer.json'), join(folder, 'tokenizer.json'))
  const hub = await serveHub({ 'mill/bert': repositoryOf(folder) })
  hubs.push(hub)
  const filled = await pullback(hub, 'fill', 'mill/bert', 'the [MASK] boat', '--top', '3')
  assert.is(filled.code, 0, filled.err)
  assert.is(filled.out.trim().split('\n').length, 3)
  const task = join(scratch, 'task.tsv')
  const lines = Array.from({ length: 24 }, (_, i) => `the ${i % 2 === 0 ? 'miller' : 'heron'} ${i}\t${i % 2}`)
  writeFileSync(task, ['text\tlabel', ...lines].join('\n'))
  const tuned = await pullback(
    hub,
    'finetune',
    'mill/bert',
    '--task',
    task,
    '--epochs',
    '1',
    '--labels',
    '6',
    '--name',
    'tuned',
  )
  assert.is(tuned.code, 0, tuned.err)
  const about = JSON.parse(readFileSync(join(scratch, 'runs/tuned/run.json'), 'utf8')) as {
    readonly settings: Readonly<Record<string, unknown>>
  }
  assert.is(about.settings['from'], 'mill/bert')
})

test('a model that a command cannot use', async () => {
  const hub = await serveHub({ 'mill/texts': repositoryOf(join(fixtures, 'sequences')) })
  hubs.push(hub)
  const { code, err } = await pullback(hub, 'fill', 'mill/texts', 'x')
  assert.is(code, 1)
  assert.match(err, /holds a model of type t5; this takes a run, or one of bert, gpt2/)
})

test.run()
