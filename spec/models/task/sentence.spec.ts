/** Rows of whole texts against sentence-transformers' own. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pipeline } from '../../../models/index.ts'
import type { Tasks } from '../../../models/index.ts'

const test = suite('sentence-transformers')

const fixtures = fileURLToPath(new URL('../../fixtures/tasks', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'pullback-sentence-'))
test.after(() => rmSync(scratch, { recursive: true }))

interface Case {
  readonly folder: string
  readonly input: string
  readonly options: Tasks['feature-extraction']['options']
  readonly output: readonly (readonly number[])[]
}

const cases = JSON.parse(readFileSync(`${fixtures}/sentences.json`, 'utf8')) as readonly Case[]

for (const [i, { folder, input, options, output }] of cases.entries())
  test(`${i}: ${folder} ${JSON.stringify(options)}`, async () => {
    const opened = await pipeline('feature-extraction', `${fixtures}/${folder}`, options)()
    if (E.isLeft(opened)) throw new Error(opened.left)
    const found = await opened.right(input)
    assert.is(found.length, 1)
    assert.is(found[0]?.length, output[0]?.length)
    for (const [j, value] of (output[0] ?? []).entries()) {
      const own = found[0]?.[j] as number
      assert.ok(Math.abs(own - value) <= 1e-5 * Math.max(1, Math.abs(value)), `${j}: ${own} is not ${value}`)
    }
  })

const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>

let count = 0
/** A copy of a folder, one of whose files is what `change` makes of it. */
const changed = (name: string, file: string, change: (json: Record<string, unknown>) => unknown): string => {
  const folder = join(scratch, `${count++}`)
  cpSync(join(fixtures, name), folder, { recursive: true })
  writeFileSync(join(folder, file), JSON.stringify(change(read(join(folder, file)))))
  return folder
}

const rowOf = async (folder: string, text: string): Promise<readonly number[]> => {
  const opened = await pipeline('feature-extraction', folder, { pooling: 'model' })()
  if (E.isLeft(opened)) throw new Error(opened.left)
  return (await opened.right(text))[0] as readonly number[]
}

test('older folders say the same in other words', async () => {
  const text = 'A young HERON watched the boat by the river'
  const poolings = changed('sentences-dense', '1_Pooling/config.json', () => ({
    word_embedding_dimension: 8,
    pooling_mode_cls_token: true,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  }))
  assert.equal(await rowOf(poolings, text), await rowOf(join(fixtures, 'sentences-dense'), text))
  // What is longer is cut, and large letters are small ones.
  const short = changed('sentences-dense', 'sentence_bert_config.json', () => ({
    max_seq_length: 6,
    do_lower_case: true,
  }))
  const cut = await rowOf(short, text)
  assert.equal(cut, await rowOf(short, 'a YOUNG heron watched many other things'))
  assert.not.equal(cut, await rowOf(join(fixtures, 'sentences-dense'), text))
})

test('what cannot be read is said', async () => {
  const left = async (folder: string): Promise<string> => {
    const found = await pipeline('feature-extraction', folder, { pooling: 'model' })()
    return E.isLeft(found) ? found.left : 'nothing was refused'
  }
  const modules = (list: readonly object[]): string => changed('sentences', 'modules.json', () => list)
  const [first, second] = [
    { path: '', type: 'sentence_transformers.models.Transformer' },
    { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
  ]
  assert.match(await left(join(fixtures, 'features')), 'has no modules.json')
  assert.match(await left(modules([first])), 'must begin with a Transformer and a Pooling')
  assert.match(await left(modules([{ ...first, path: '0_Transformer' }, second])), 'only beside it')
  assert.match(await left(modules([first, { ...second, path: '../features' }])), 'no folder within')
  assert.match(await left(modules([first, second, { path: '2_CNN', type: 'x.CNN' }])), 'has a CNN')
  assert.match(
    await left(changed('sentences', '1_Pooling/config.json', () => ({ pooling_mode: 'deep' }))),
    'got "deep"',
  )
  const dense = (change: object): string =>
    changed('sentences-dense', '2_Dense/config.json', (json) => ({ ...json, ...change }))
  assert.match(
    await left(dense({ activation_function: 'torch.nn.modules.activation.Mish' })),
    'activation_function must be of Identity, Tanh',
  )
  const unprompted = changed('sentences-dense', '1_Pooling/config.json', (json) => ({
    ...json,
    include_prompt: false,
  }))
  assert.match(await left(unprompted), 'leaves the prompt out')
})

test.run()
