/** `pullback run` on folders as Hugging Face's libraries write them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pipeline } from '../../models/index.ts'
import { pullbackHere } from './here.ts'
import type { Ended } from './here.ts'

const test = suite('pullback run')

const folder = (name: string): string => fileURLToPath(new URL(`../fixtures/tasks/${name}`, import.meta.url))

const seen = (name: string): string => folder(`../images/${name}`)
const image = (name: string): string => seen(`files/${name}`)

const pullback = (...words: readonly string[]): Promise<Ended> => pullbackHere(['run', ...words])

test('prints what the pipeline gives, as JSON, a line for each input', async () => {
  const texts = ['the old miller', 'seven lanterns'] as const
  const { code, out } = await pullback(
    'text-classification',
    folder('classes'),
    ...texts,
    '--json',
    '--top',
    '2',
  )
  assert.is(code, 0)
  const opened = await pipeline('text-classification', folder('classes'), { topK: 2 })()
  if (E.isLeft(opened)) throw new Error(opened.left)
  const wanted = [await opened.right(texts[0]), await opened.right(texts[1])]
  assert.equal(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    wanted,
  )
})

test('a template of labels is that of texts, too', async () => {
  const words = ['zero-shot-classification', folder('classes'), 'the old miller', 'good', 'bad'] as const
  const said = await pullback(...words, '--template', 'It is {}.', '--json')
  const opened = await pipeline('zero-shot-classification', folder('classes'), {
    hypothesisTemplate: 'It is {}.',
  })()
  if (E.isLeft(opened)) throw new Error(opened.left)
  const wanted = await opened.right({ text: 'the old miller', candidateLabels: ['good', 'bad'] })
  assert.equal(JSON.parse(said.out), wanted)
  assert.is.not((await pullback(...words, '--json')).out, said.out, 'the task has a template of its own')
  const { code, told } = await pullback(...words, '--template', 'nothing')
  assert.is(code, 1)
  assert.match(told.join(), 'has no {}')
})

test('prints aligned lines', async () => {
  const { code, out } = await pullback('text-classification', folder('classes'), 'seven lanterns')
  assert.is(code, 0)
  assert.match(out, /^(\w+ +\d+\.\d %\n){3}$/)
  const lines = out.trimEnd().split('\n')
  assert.is(new Set(lines.map(({ length }) => length)).size, 1)
})

test('does every task', async () => {
  const asked: readonly (readonly [words: readonly string[], out: RegExp])[] = [
    [['token-classification', folder('tags'), 'the old miller', '--aggregation', 'none'], /\d–\d/],
    [['question-answering', folder('answers'), 'who?', 'the old miller', '--top', '1'], /% +\d+–\d+\n$/],
    [['fill-mask', folder('masks'), 'the [MASK] boat'], /^(.*%\n){5}$/],
    [['text-generation', folder('texts'), 'The old', '--tokens', '3', '--temperature', '0'], /^The old/],
    [['text-generation', folder('texts'), 'The old', '--tokens', '3'], /^The old/],
    [['text2text-generation', folder('sequences'), 'the river', '--tokens', '4'], /\S/],
    [['summarization', folder('sequences'), 'the river', '--tokens', '4'], /\S/],
    [['translation', folder('sequences'), 'the river', '--tokens', '4'], /\S/],
    [['feature-extraction', folder('features'), 'the river'], /^(-?\d+\.\d{4} ?){12}\n$/],
    [
      ['zero-shot-classification', folder('several-classes'), 'the old miller', 'water', 'night'],
      /^((water|night) +\d+\.\d %\n){2}$/,
    ],
    [['image-classification', seen('classes'), image('colour.png'), '--top', '2'], /^(\w+ +\d+\.\d %\n){2}$/],
    [['image-feature-extraction', seen('features'), image('turned.jpg')], /^(-?\d+\.\d{4} ?){16}\n$/],
    [
      [
        'zero-shot-image-classification',
        seen('towers'),
        image('lossy.webp'),
        'a mill',
        'boats',
        '--template',
        'old {}',
      ],
      /^((a mill|boats) +\d+\.\d %\n){2}$/,
    ],
    [
      [
        'image-text-similarity',
        seen('towers'),
        image('colour.png'),
        'a mill',
        image('turned.jpg'),
        'boats',
        'rivers',
      ],
      /^((-?\d\.\d{4} ?){3}\n){2}$/,
    ],
  ]
  for (const [words, wanted] of asked) {
    const { code, out, told } = await pullback(...words)
    assert.is(code, 0, `${words.join(' ')}: ${told.join(' ')}`)
    assert.match(out, wanted, words.join(' '))
  }
})

test('refuses in one sentence', async () => {
  const refused: readonly (readonly [words: readonly string[], reason: RegExp])[] = [
    [['juggling', folder('classes'), 'x'], /^there is no task juggling; there are text-classification,/],
    [['fill-mask', folder('classes'), 'x'], /which cannot do fill-mask; /],
    [['fill-mask', folder('masks'), 'nothing open'], /the text has no \[MASK\]$/],
    [['question-answering', folder('answers'), 'who?'], /takes a question and a context, got 1 inputs$/],
    [['image-classification', seen('classes'), 'nowhere.png'], /nowhere\.png does not exist$/],
    [
      ['image-classification', folder('classes'), image('colour.png')],
      /which cannot do image-classification;/,
    ],
    [
      ['zero-shot-image-classification', seen('towers'), image('colour.png')],
      /takes an image and what it may be of$/,
    ],
    [['image-text-similarity', seen('towers'), 'only', 'texts'], /images and texts to compare, got 0 and 2$/],
    [['text-classification', 'nowhere', 'x'], /nor is there a folder nowhere$/],
    [['text-classification', './nowhere', 'x'], /nowhere\/config\.json does not exist$/],
    [['text-classification', folder('classes'), 'the old '.repeat(60)], /the model reads at most 48$/],
    [
      ['text-classification', folder('classes'), 'x', '--pooling', 'deep'],
      /^--pooling: expected one of none/,
    ],
  ]
  for (const [words, reason] of refused) {
    const { code, out, told } = await pullback(...words)
    assert.is(code, 1, words.join(' '))
    assert.is(out, '', words.join(' '))
    assert.is(told.length, 1)
    assert.match(told[0] as string, reason)
  }
})

test('a smaller model guesses ahead, or the text itself: greedy texts are the same', async () => {
  const words = [
    'text-generation',
    folder('texts'),
    'The old miller',
    '--temperature',
    '0',
    '--tokens',
    '9',
    '--json',
  ]
  const alone = await pullback(...words)
  assert.is(alone.code, 0)
  for (const draft of ['turned', 'texts']) {
    const { code, out } = await pullback(...words, '--draft', folder(draft))
    assert.is(code, 0)
    assert.is(out, alone.out, draft)
  }
  const looked = await pullback(...words, '--prompt-lookup', '3')
  assert.is(looked.code, 0)
  assert.is(looked.out, alone.out)
  const both = await pullback(...words, '--prompt-lookup', '3', '--draft', folder('turned'))
  assert.is(both.code, 1)
  assert.match(both.told.join(), 'by a draft or by promptLookup, not by both')
  const other = await pullback(...words, '--draft', folder('masks'))
  assert.is(other.code, 1)
  assert.match(other.told.join(), 'their tokens differ, the first at id 0')
  const beams = await pullback(...words, '--draft', folder('turned'), '--beams', '2')
  assert.is(beams.code, 1)
  assert.match(beams.told.join(), 'beams are searched without guesses')
  const filled = await pullback('fill-mask', folder('masks'), '[MASK]', '--draft', folder('turned'))
  assert.is(filled.code, 1)
  assert.match(filled.told.join(), 'draft: fill-mask has none')
  const guessed = await pullback('fill-mask', folder('masks'), '[MASK]', '--prompt-lookup', '3')
  assert.is(guessed.code, 1)
  assert.match(guessed.told.join(), 'prompt-lookup: fill-mask guesses nothing')
})

test('what is said is answered, as conversations are written', async () => {
  const words = ['--chat', '--temperature', '0', '--tokens', '7', '--json'] as const
  const [system, asked] = ['Night.', 'The boat'] as const
  const conversation = [
    { role: 'user', content: asked },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'a' },
  ]
  const scratch = mkdtempSync(join(tmpdir(), 'pullback-chat-'))
  test.after(() => rmSync(scratch, { recursive: true }))
  const file = join(scratch, 'said.json')
  writeFileSync(file, JSON.stringify(conversation))
  const { code, out } = await pullback(
    'text-generation',
    folder('texts'),
    asked,
    file,
    ...words,
    '--system',
    system,
  )
  assert.is(code, 0)
  const opened = await pipeline('text-generation', folder('texts'), { maxTokens: 7, returnFullText: false })()
  if (E.isLeft(opened)) throw new Error(opened.left)
  const first = { role: 'system', content: system }
  const wanted = [
    await opened.right([first, { role: 'user', content: asked }]),
    await opened.right([first, ...conversation]),
  ]
  assert.equal(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    wanted,
  )
  for (const [content, complaint] of [
    ['[{"content": "no role"}]', 'holds no conversation'],
    ['[]', 'without messages'],
    ['{', 'is not JSON'],
  ] as const) {
    writeFileSync(file, content)
    const refused = await pullback('text-generation', folder('texts'), file, ...words)
    assert.is(refused.code, 1)
    assert.match(refused.told.join(), complaint)
  }
  assert.match(
    (await pullback('fill-mask', folder('masks'), 'x', '--chat')).told.join(),
    'chat: fill-mask takes no',
  )
  assert.match(
    (await pullback('text-generation', folder('texts'), 'x', '--system', 'y')).told.join(),
    'system: only conversations begin so',
  )
  assert.match(
    (await pullback('text-generation', folder('turned'), 'x', '--chat')).told.join(),
    /chat template/,
  )
})

test.run()
