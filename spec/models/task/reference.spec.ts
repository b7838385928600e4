/** Tasks against Transformers' own pipelines, on small folders of every kind. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pipeline } from '../../../models/index.ts'
import type { Message, Task, Tasks } from '../../../models/index.ts'

const test = suite('pipelines as in Transformers')

const folder = fileURLToPath(new URL('../../fixtures/tasks', import.meta.url))

interface Case {
  readonly task: Task
  readonly folder: string
  readonly input: string | Readonly<Record<string, string>> | readonly Message[]
  readonly options: Readonly<Record<string, unknown>>
  readonly output: unknown
}

const cases = JSON.parse(readFileSync(`${folder}/pipelines.json`, 'utf8')) as readonly Case[]

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null

/** Where their names differ from ours by more than their writing. */
const names: Readonly<Record<string, string>> = {
  max_new_tokens: 'maxTokens',
  num_beams: 'beams',
  num_return_sequences: 'count',
  no_repeat_ngram_size: 'noRepeatNgram',
}

const camel = (name: string): string =>
  names[name] ?? name.replaceAll(/_(\w)/g, (_, c: string) => c.toUpperCase())

const renamed = (x: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(x).flatMap(([key, value]) => (key === 'do_sample' ? [] : [[camel(key), value]])),
  )

/** Their ranges count code points, ours what `slice` counts. */
const inUnits = (text: string, x: unknown): unknown => {
  const units = (n: unknown): number => [...text].slice(0, n as number).join('').length
  if (Array.isArray(x)) return x.map((y) => inUnits(text, y))
  return isRecord(x) && 'start' in x ? { ...x, start: units(x['start']), end: units(x['end']) } : x
}

interface Talk {
  readonly generated_text: readonly Message[]
}

/** They tell a conversation whole, we its last message. */
const answered = (talks: readonly Talk[]): unknown =>
  talks.map(({ generated_text }) => ({ generated_text: generated_text.at(-1)?.content }))

const near = (ours: unknown, theirs: unknown, path: string): void => {
  if (typeof theirs === 'number' && !Number.isInteger(theirs)) {
    assert.type(ours, 'number', path)
    assert.ok(
      Math.abs((ours as number) - theirs) <= 2e-5 * Math.max(1, Math.abs(theirs)),
      `${path}: ${String(ours)} is not ${theirs}`,
    )
  } else if (isRecord(theirs)) {
    assert.equal(Object.keys(ours as object).sort(), Object.keys(theirs).sort(), path)
    for (const [key, value] of Object.entries(theirs))
      near((ours as Readonly<Record<string, unknown>>)[key], value, `${path}/${key}`)
  } else assert.is(ours, theirs, path)
}

for (const [i, { task, folder: name, input, options, output }] of cases.entries())
  test(`${i}: ${task} ${JSON.stringify(options)}`, async () => {
    const opened = await pipeline(task, `${folder}/${name}`, renamed(options) as Tasks[Task]['options'])()
    if (E.isLeft(opened)) throw new Error(opened.left)
    const run = opened.right as (input: unknown) => Promise<unknown>
    const isTalk = Array.isArray(input)
    const found = await run(isRecord(input) && !isTalk ? renamed(input) : input)
    const text = typeof input === 'string' ? input : isRecord(input) ? String(input['context']) : ''
    // One answer is not in a list there; features are in a list of one text.
    const listed = isRecord(output) && !Array.isArray(output) ? [output] : output
    const theirs =
      task === 'feature-extraction'
        ? (listed as readonly unknown[])[0]
        : isTalk
          ? answered(listed as readonly Talk[])
          : inUnits(text, listed)
    near(found, theirs, 'output')
  })

test.run()
