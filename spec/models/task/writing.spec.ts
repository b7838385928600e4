/** What generation_config.json says of writing, against what Transformers writes by it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../../core/index.ts'
import { pipeline } from '../../../models/index.ts'
import type { Tasks } from '../../../models/index.ts'

const test = suite('writing as a folder says')

const fixtures = fileURLToPath(new URL('../../fixtures/tasks', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'pullback-writing-'))
test.after(() => rmSync(scratch, { recursive: true }))

interface Case {
  readonly folder: 'texts' | 'sequences'
  readonly config: Readonly<Record<string, unknown>>
  readonly output: string
}

const cases = JSON.parse(readFileSync(`${fixtures}/writing.json`, 'utf8')) as readonly Case[]

let count = 0
/** A copy of a folder with another generation_config.json. */
const saying = (name: string, config: Case['config']): string => {
  const folder = join(scratch, `${count++}`)
  cpSync(join(fixtures, name), folder, { recursive: true })
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(config))
  return folder
}

const written = async (
  name: Case['folder'],
  folder: string,
  options: Tasks['text2text-generation']['options'] = {},
): Promise<string | undefined> => {
  const opened = await (
    name === 'texts'
      ? pipeline('text-generation', folder, { ...options, returnFullText: false })
      : pipeline('text2text-generation', folder, options)
  )()
  if (E.isLeft(opened)) throw new Error(opened.left)
  return (await opened.right('seven lanterns'))[0]?.generated_text
}

for (const [i, { folder, config, output }] of cases.entries())
  test(`${i}: ${folder}`, async () => {
    assert.is(await written(folder, saying(folder, config)), output)
  })

test('what is drawn is drawn as the folder says, and in place of beams', async () => {
  for (const name of ['texts', 'sequences'] as const) {
    const plain = saying(name, { eos_token_id: 1, max_new_tokens: 9 })
    const greedy = await written(name, plain, { beams: 1 })
    const sample = random.key(3)
    assert.is.not(await written(name, plain, { sample, temperature: 3 }), greedy)
    const only = saying(name, { eos_token_id: 1, max_new_tokens: 9, num_beams: 3, temperature: 3, top_k: 1 })
    assert.is(await written(name, only, { sample }), greedy)
    const cold = saying(name, { eos_token_id: 1, max_new_tokens: 9, temperature: 1e-4, top_k: 0, top_p: 1 })
    assert.is(await written(name, cold, { sample }), greedy)
  }
})

test('a text ends at one of stopStrings or where stop says so, whichever comes first', async () => {
  const folder = saying('texts', { eos_token_id: 0, max_new_tokens: 9 })
  const whole = (await written('texts', folder)) as string
  const last = whole.at(-1) as string
  const stop = ({ ids, prompt }: { readonly ids: readonly number[]; readonly prompt: number }): boolean =>
    ids.length - prompt === 2
  const short = (await written('texts', folder, { stop })) as string
  assert.ok(short.length < whole.length && whole.startsWith(short))
  assert.is(await written('texts', folder, { stop, stopStrings: [`${last}nowhere`] }), short)
})

test.run()
