/** What tasks refuse, in one sentence and before anything runs; and pooling by its definition. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../../../core/index.ts'
import {
  BertForPreTraining,
  bertConfig,
  bertForPreTraining,
  pipeline,
  saveModel,
  tasks,
} from '../../../models/index.ts'
import type { Pipeline, Task, Tasks } from '../../../models/index.ts'
import { refusal } from '../../support/refusal.ts'

const test = suite('tasks refuse')

const fixtures = fileURLToPath(new URL('../../fixtures/tasks', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'pullback-task-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

/** A copy of a folder that may be spoilt. */
const copy = (name: string, to: string): string => {
  const path = join(scratch, to)
  cpSync(join(fixtures, name), path, { recursive: true })
  return path
}

const opened = async <T extends Task>(
  task: T,
  folder: string,
  options: Tasks[T]['options'] = {},
): Promise<Pipeline<T>> => {
  const found = await pipeline(task, folder, options)()
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

const leftOf = async (task: Task, folder: string): Promise<string> => {
  const found = await pipeline(task, folder)()
  if (E.isRight(found)) throw new Error(`${folder} was opened for ${task}`)
  return found.left
}

test('a folder whose architecture does not do the task, for every pair', async () => {
  const doers: Readonly<Record<string, readonly string[]>> = {
    classes: ['text-classification', 'zero-shot-classification', 'feature-extraction'],
    tags: ['token-classification', 'feature-extraction'],
    answers: ['question-answering', 'feature-extraction'],
    masks: ['fill-mask', 'feature-extraction'],
    texts: ['text-generation', 'feature-extraction'],
    sequences: ['text2text-generation', 'summarization', 'translation'],
    features: ['feature-extraction'],
    follows: ['text-classification', 'zero-shot-classification'],
    judged: ['text-classification', 'zero-shot-classification'],
    rewarded: ['text-classification', 'zero-shot-classification'],
    'sentences-dense': ['feature-extraction'],
    counted: ['text-classification', 'zero-shot-classification', 'feature-extraction'],
    turned: ['text-generation', 'feature-extraction'],
    rules: ['text2text-generation', 'summarization', 'translation'],
    '../images/classes': ['image-classification', 'image-feature-extraction'],
    '../images/features': ['image-feature-extraction'],
    '../images/towers': ['zero-shot-image-classification', 'image-text-similarity'],
  }
  for (const [name, own] of Object.entries(doers))
    for (const task of tasks)
      if (own.includes(task)) await opened(task, join(fixtures, name))
      else
        assert.match(
          await leftOf(task, join(fixtures, name)),
          /which cannot do |has no mask token|has no tokenizer\.json/,
        )
})

test('a folder that has no tokenizer, none that can be read, or one of another model', async () => {
  const none = copy('classes', 'none')
  rmSync(join(none, 'tokenizer.json'))
  assert.match(await leftOf('text-classification', none), 'has no tokenizer.json')
  const broken = copy('classes', 'broken')
  writeFileSync(join(broken, 'tokenizer.json'), '{"model":')
  assert.match(await leftOf('text-classification', broken), 'tokenizer.json is not valid JSON')
  const other = copy('classes', 'other')
  cpSync(join(fixtures, 'texts/tokenizer.json'), join(other, 'tokenizer.json'))
  assert.match(await leftOf('text-classification', other), 'the tokenizer has 400 ids, the model 300')
  assert.match(await leftOf('text-classification', join(scratch, 'nowhere')), 'does not exist')
})

test('a tokenizer without a mask', async () => {
  const folder = copy('masks', 'unmasked')
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>
  const { mask_token: _, ...config } = read('tokenizer_config.json')
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
  const json = read('tokenizer.json')
  const added = (json['added_tokens'] as { content: string }[]).filter(({ content }) => content !== '[MASK]')
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, added_tokens: added }))
  assert.match(await leftOf('fill-mask', folder), 'the tokenizer has no mask token')
})

test('inputs that are too long, empty, or without a mask', async () => {
  const long = 'the old miller '.repeat(40)
  const at = (name: string): string => join(fixtures, name)
  const most = /has \d+ tokens, the model reads at most 4[78]/
  assert.match(await refusal((await opened('text-classification', at('classes')))(long)), most)
  assert.match(await refusal((await opened('token-classification', at('tags')))(long)), most)
  assert.match(await refusal((await opened('feature-extraction', at('features')))(long)), most)
  assert.match(await refusal((await opened('text-generation', at('texts')))(long)), most)
  // Positions are counted from the padding id on.
  assert.match(await refusal((await opened('text-classification', at('counted')))(long)), /at most 46$/)
  assert.match(await refusal((await opened('summarization', at('rules')))(long)), /at most 48$/)
  assert.match(await refusal((await opened('text-generation', at('texts')))('')), 'the text has no tokens')
  const fill = await opened('fill-mask', at('masks'))
  assert.match(await refusal(fill(`[MASK] ${long}`)), most)
  assert.match(await refusal(fill('the old miller')), 'the text has no [MASK]')
  const answer = await opened('question-answering', at('answers'))
  assert.match(await refusal(answer({ question: ' ', context: long })), 'empty')
  const overlong = await answer({ question: 'who', context: long.repeat(3) })
  assert.is(overlong.length, 1)
  assert.match(await refusal(answer({ question: long, context: long })), 'too short')
})

test('a BART is shown no text without the end at which it sums up', async () => {
  const folder = copy('follows', 'endless')
  const path = join(folder, 'tokenizer.json')
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  writeFileSync(path, JSON.stringify({ ...json, post_processor: null }))
  assert.match(
    await refusal((await opened('text-classification', folder))('the river')),
    'the text has no end (id 1), where it is summed up',
  )
})

test('options that cannot be', async () => {
  const at = (name: string): string => join(fixtures, name)
  const left = async (opening: Promise<E.Either<string, unknown>>): Promise<string> => {
    const found = await opening
    return E.isLeft(found) ? found.left : 'nothing was refused'
  }
  const tags = (options: Tasks['token-classification']['options']): Promise<string> =>
    left(pipeline('token-classification', at('tags'), options)())
  assert.match(await tags({ stride: 3 }), 'stride needs an aggregationStrategy')
  assert.match(await tags({ stride: 24, aggregationStrategy: 'first' }), 'a window has only 24 tokens')
  const answered = (options: Tasks['question-answering']['options']): Promise<string> =>
    left(pipeline('question-answering', at('answers'), options)())
  assert.match(await answered({ maxSeqLen: 99 }), 'maxSeqLen is 99')
  assert.match(await answered({ docStride: 48 }), 'docStride is 48')
  const twice = await opened('text-generation', at('texts'), { count: 2 })
  assert.match(await refusal(twice('The boat')), 'take a key (sample) or as many beams')
})

test('a folder of a BERT as it was pretrained fills in masks and has features', async () => {
  const config = bertConfig({ vocabularySize: 300, width: 12, layers: 1, heads: 2, maxLength: 32 })
  const params = bertForPreTraining(config).init(random.key(0))
  const path = join(scratch, 'pretrained')
  assert.ok(E.isRight(await saveModel(BertForPreTraining, path, { config, params })()))
  cpSync(join(fixtures, 'masks/tokenizer.json'), join(path, 'tokenizer.json'))
  const filled = await (await opened('fill-mask', path, { topK: 2 }))('the [MASK] boat')
  assert.is(filled.length, 2)
  const [row] = await (await opened('feature-extraction', path, { pooling: 'cls' }))('the boat')
  assert.is(row?.length, 12)
})

test('an architecture that is not built here is named, with those of its family that are', async () => {
  const path = copy('classes', 'unbuilt')
  const file = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as object
  const declare = (...entries: readonly object[]): void =>
    writeFileSync(join(path, 'config.json'), JSON.stringify(Object.assign({}, file, ...entries)))
  declare({ architectures: ['T5ForTokenClassification'], model_type: 't5' })
  assert.is(
    await leftOf('feature-extraction', path).then((left) => left.slice(path.length, left.indexOf('; Bert'))),
    ' holds "T5ForTokenClassification", which is not built here (of its family there are T5ForConditionalGeneration, T5EncoderModel) and cannot do feature-extraction',
  )
  declare({ architectures: ['MambaModel'], model_type: 'mamba' })
  assert.match(
    await leftOf('fill-mask', path),
    '"MambaModel", which is not built here and cannot do fill-mask; ',
  )
  declare({ architectures: ['__proto__'] })
  assert.match(
    await leftOf('fill-mask', path),
    '"__proto__", which is not built here (of its family there are BertModel',
  )
})

test('conversations are written by the templates beside the tokenizer, which win, or are refused', async () => {
  const path = copy('texts', 'talking')
  const config = JSON.parse(readFileSync(join(path, 'tokenizer_config.json'), 'utf8')) as object
  const own = { ...config, chat_template: '{{ messages[0].content }} and more' }
  writeFileSync(join(path, 'tokenizer_config.json'), JSON.stringify(own))
  const asked = [{ role: 'user', content: 'Seven' }]
  const written = async (chat = {}): Promise<unknown> =>
    (await opened('text-generation', path, { maxTokens: 4, chat }))(asked)
  const plainly = await (
    await opened('text-generation', path, { maxTokens: 4, returnFullText: false })
  )('Seven')
  assert.equal(await written({ template: 'short' }), plainly)
  assert.match(await refusal(written({ addGenerationPrompt: true, continueFinalMessage: true })), 'at once')
  assert.match(await refusal(written({ template: '{{ raise_exception("no such turn") }}' })), 'no such turn')
  assert.match(await refusal(written({ template: '{{ messages[0].content * 1' })), 'text-generation: chat: ')
  rmSync(join(path, 'chat_template.jinja'))
  assert.match(await refusal(written()), 'none of the templates (short) is the default')
  rmSync(join(path, 'additional_chat_templates'), { recursive: true })
  const more = await (
    await opened('text-generation', path, { maxTokens: 4, returnFullText: false })
  )('Seven and more')
  assert.equal(await written(), more)
})

test('where tokenizer_config.json names no types, the model is given none', async () => {
  const folder = copy('classes', 'untyped')
  const path = join(folder, 'tokenizer_config.json')
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const pair = { text: 'seven lanterns', textPair: 'behind the mill' }
  const typed = await (await opened('text-classification', folder, { topK: null }))(pair)
  writeFileSync(path, JSON.stringify({ ...config, model_input_names: ['input_ids', 'attention_mask'] }))
  const untyped = await (await opened('text-classification', folder, { topK: null }))(pair)
  // By Transformers' pipeline, with types and without.
  const known: Readonly<Record<string, readonly [number, number]>> = {
    good: [0.57887125, 0.68468809],
    bad: [0.34554982, 0.25110975],
    fair: [0.07557896, 0.06420215],
  }
  for (const [found, i] of [
    [typed, 0],
    [untyped, 1],
  ] as const)
    for (const { label, score } of found)
      assert.ok(Math.abs(score - (known[label]?.[i] as number)) < 2e-5, label)
  writeFileSync(path, JSON.stringify({ ...config, model_input_names: 'input_ids' }))
  assert.match(await leftOf('text-classification', folder), 'model_input_names: expected a list of names')
})

test('pooled features are the average and the first of the rows', async () => {
  const folder = join(fixtures, 'features')
  const text = 'the heron watched seven lanterns'
  const rows = await (await opened('feature-extraction', folder))(text)
  const [mean] = await (await opened('feature-extraction', folder, { pooling: 'mean' }))(text)
  const [cls] = await (await opened('feature-extraction', folder, { pooling: 'cls', normalize: true }))(text)
  const length = Math.hypot(...(rows[0] as readonly number[]))
  for (const i of (rows[0] as readonly number[]).keys()) {
    const average = rows.reduce((sum, row) => sum + (row[i] as number), 0) / rows.length
    assert.ok(Math.abs((mean?.[i] as number) - average) < 1e-6)
    assert.ok(Math.abs((cls?.[i] as number) - (rows[0]?.[i] as number) / length) < 1e-6)
  }
})

test.run()
