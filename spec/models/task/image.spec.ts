/** Tasks with images against Transformers' pipelines, and what they refuse before anything runs. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pipeline, readImage } from '../../../models/index.ts'
import type { Pipeline, Task, Tasks } from '../../../models/index.ts'
import { refusal } from '../../support/refusal.ts'

const test = suite('tasks with images')

const folder = fileURLToPath(new URL('../../fixtures/images', import.meta.url))
const file = (name: string): string => `${folder}/files/${name}`
const scratch = mkdtempSync(join(tmpdir(), 'pullback-image-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

interface Case {
  readonly task:
    | 'image-classification'
    | 'image-feature-extraction'
    | 'zero-shot-image-classification'
    | 'image-text-similarity'
  readonly folder: string
  readonly image: string | readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly called: Readonly<Record<string, unknown>>
  readonly output: unknown
}

const cases = JSON.parse(readFileSync(`${folder}/pipelines.json`, 'utf8')) as readonly Case[]

const camel = (x: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(x).map(([key, value]) => [
      key.replaceAll(/_(\w)/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  )

const near = (ours: unknown, theirs: unknown, path: string): void => {
  if (typeof theirs === 'number')
    assert.ok(
      Math.abs((ours as number) - theirs) <= 2e-5 * Math.max(1, Math.abs(theirs)),
      `${path}: ${String(ours)} is not ${theirs}`,
    )
  else if (typeof theirs === 'object' && theirs !== null) {
    assert.equal(Object.keys(ours as object).sort(), Object.keys(theirs).sort(), path)
    for (const [key, value] of Object.entries(theirs))
      near((ours as Readonly<Record<string, unknown>>)[key], value, `${path}/${key}`)
  } else assert.is(ours, theirs, path)
}

const opened = async <T extends Task>(
  task: T,
  name: string,
  options: Tasks[T]['options'] = {},
): Promise<Pipeline<T>> => {
  const found = await pipeline(task, name.startsWith('/') ? name : `${folder}/${name}`, options)()
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

for (const [i, { task, folder: name, image, options, called, output }] of cases.entries())
  test(`${i}: ${task} ${JSON.stringify(options)}`, async () => {
    const run = (await opened(task, name, camel(options) as never)) as (input: unknown) => Promise<unknown>
    const input =
      task === 'image-text-similarity'
        ? { images: (image as readonly string[]).map(file), ...called }
        : task === 'zero-shot-image-classification'
          ? { image: file(image as string), ...camel(called) }
          : file(image as string)
    // Features are in a list of one image there; what sums it up is not in another.
    const theirs =
      task === 'image-feature-extraction' && options['pool'] !== true
        ? (output as readonly unknown[])[0]
        : output
    near(await run(input), theirs, 'output')
  })

test('a file, what is in it, and its image are the same', async () => {
  const run = await opened('image-classification', 'classes')
  const wanted = await run(file('turned.jpg'))
  assert.equal(await run(new Uint8Array(readFileSync(file('turned.jpg')))), wanted)
  const image = await readImage(file('turned.jpg'))()
  if (E.isLeft(image)) throw new Error(image.left)
  assert.equal(await run(image.right), wanted)
  assert.is(wanted.length, 5)
})

test('processor_config.json, where it says how, wins over preprocessor_config.json', async () => {
  const nested = join(scratch, 'nested')
  cpSync(join(folder, 'towers'), nested, { recursive: true })
  const config = readFileSync(join(nested, 'preprocessor_config.json'), 'utf8')
  const input = { images: [file('colour.png')], texts: ['a mill'] }
  const wanted = await (await opened('image-text-similarity', 'towers'))(input)
  writeFileSync(join(nested, 'preprocessor_config.json'), '{"size": 3}')
  writeFileSync(
    join(nested, 'processor_config.json'),
    `{"processor_class":"CLIPProcessor","image_processor":${config}}`,
  )
  assert.equal(await (await opened('image-text-similarity', nested))(input), wanted)
  rmSync(join(nested, 'preprocessor_config.json'))
  assert.equal(await (await opened('image-text-similarity', nested))(input), wanted)
  writeFileSync(join(nested, 'preprocessor_config.json'), config)
  writeFileSync(join(nested, 'processor_config.json'), '{"processor_class":"CLIPProcessor"}')
  assert.equal(await (await opened('image-text-similarity', nested))(input), wanted)
})

test('images that are none, or not whole', async () => {
  const run = await opened('image-classification', 'classes')
  assert.match(await refusal(run('nowhere.png')), 'nowhere.png does not exist')
  assert.match(await refusal(run(file('table.gif'))), 'it is no PNG, JPEG or WebP')
  const bytes = new Uint8Array(readFileSync(file('whole.jpg')))
  assert.match(await refusal(run(bytes.subarray(0, 900))), 'the image cannot be seen: it is cut off')
  assert.match(await refusal(run({ data: new Uint8Array(0), width: 0, height: 0 })), 'the image is 0 by 0')
  assert.match(await refusal(run({ data: new Uint8Array(27), width: 3, height: 3 })), 'has 3 numbers a point')
  const compare = await opened('zero-shot-image-classification', 'towers')
  const image = file('colour.png')
  assert.match(await refusal(compare({ image, candidateLabels: [] })), 'no label among which to choose')
  assert.match(
    await refusal(compare({ image, candidateLabels: ['miller '.repeat(40)] })),
    'the model reads at most 24',
  )
  const plain = await opened('zero-shot-image-classification', 'towers', { hypothesisTemplate: 'a photo' })
  assert.match(await refusal(plain({ image, candidateLabels: ['x'] })), 'has no {}')
  const similar = await opened('image-text-similarity', 'towers')
  assert.match(await refusal(similar({ images: [], texts: ['x'] })), 'got 0 and 1')
})

test('folders that say nothing of images, or something that does not fit', async () => {
  const left = async (task: Task, path: string, options: object = {}): Promise<string> => {
    const found = await pipeline(task, path, options)()
    return E.isLeft(found) ? found.left : 'it was opened'
  }
  const copy = (name: string, to: string): string => {
    const path = join(scratch, to)
    cpSync(join(folder, name), path, { recursive: true })
    return path
  }
  const none = copy('classes', 'none')
  rmSync(join(none, 'preprocessor_config.json'))
  assert.match(
    await left('image-classification', none),
    'has no preprocessor_config.json, without which images are no numbers',
  )
  const broken = copy('classes', 'broken')
  writeFileSync(join(broken, 'preprocessor_config.json'), '{"size": "large"}')
  assert.match(
    await left('image-classification', broken),
    'preprocessor_config.json: size: expected a number',
  )
  const other = copy('classes', 'other')
  writeFileSync(join(other, 'preprocessor_config.json'), '{"size": 16}')
  const run = await opened('image-classification', other)
  assert.match(
    await refusal(run(file('colour.png'))),
    'comes out 16 by 16 as the folder has it, the model sees 12 by 12',
  )
  assert.match(
    await left('image-feature-extraction', `${folder}/classes`, { pool: true }),
    'has no summary (pool)',
  )
})

test.run()
