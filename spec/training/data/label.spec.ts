import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  fewShotSplit,
  kindTask,
  parseExamples,
  readExamples,
  type Example,
} from '../../../training/data/label.ts'
import type { Document } from '../../../training/data/document.ts'
import type { Format } from '../../../training/data/table.ts'

const label = suite('label')

const right = <A>(either: E.Either<string, A>): A =>
  E.isRight(either) ? either.right : assert.unreachable(either.left)!

const left = (either: E.Either<string, unknown>): string =>
  E.isLeft(either) ? either.left : assert.unreachable('should have been refused')!

/** A table as spreadsheets write it: every cell between quotation marks. */
const stringify = (table: readonly (readonly string[])[], delimiter: string): string =>
  table.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(delimiter)).join('\n')

const cell = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => `x${text.trim()}`)
const oneLine = cell.map((text) => text.replace(/[\t\r\n\v\f\u0085\u2028\u2029"]/g, ' ').trim())
const rows = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly Example[]> =>
  fc
    .array(fc.record({ text, label: fc.constantFrom('good', 'bad', 'so so') }, { noNullPrototype: true }), {
      minLength: 2,
      maxLength: 20,
    })
    .filter((some) => new Set(some.map((row) => row.label)).size > 1)

label('what is written as csv, tsv and jsonl is read as it was', () => {
  fc.assert(
    fc.property(rows(cell), fc.constantFrom(',', ';', '\t'), (examples, delimiter) => {
      const table = [['id', 'review', 'category'], ...examples.map((row, i) => [`${i}`, row.text, row.label])]
      assert.equal(right(parseExamples(stringify(table, delimiter), 'csv', 'f')), examples)
      const lines = examples.map((row) => JSON.stringify({ label: row.label, text: row.text, id: 1 }))
      assert.equal(right(parseExamples(lines.join('\n'), 'jsonl', 'f')), examples)
    }),
  )
  fc.assert(
    fc.property(rows(oneLine), fc.constantFrom('\n', '\r\n'), (examples, end) => {
      const lines = ['sentence\tlabel', ...examples.map((row) => `${row.text}\t${row.label}`), '']
      assert.equal(right(parseExamples(lines.join(end), 'tsv', 'f')), examples)
    }),
  )
})

const two: readonly Example[] = [
  { text: 'fine', label: 'good' },
  { text: 'poor', label: 'bad' },
]

const accepted: readonly (readonly [string, Format, string])[] = [
  ['names in any case and order', 'csv', 'Label,x,TEXT\ngood,1,fine\nbad,2,poor\n'],
  ['a byte order mark', 'csv', '\ufefftext,label\nfine,good\npoor,bad'],
  ['quotation marks', 'csv', 'text,label\n"fine","good"\n"poor",bad'],
  ['two columns, one of them named', 'csv', 'phrase,sentiment\nfine,good\npoor,bad'],
  ['two columns, the text named', 'tsv', 'what\ttext\ngood\tfine\nbad\tpoor'],
  ['quotation marks of a spreadsheet', 'tsv', 'text\tlabel\n"fine"\tgood\npoor\t"bad"'],
  ['blank lines', 'csv', 'text,label\n\nfine,good\n\npoor,bad\n\n'],
  ['pairs', 'jsonl', '["fine","good"]\n["poor","bad"]'],
  ['objects', 'jsonl', '{"text":"fine","label":"good"}\n\n{"text":"poor","label":"bad"}\n'],
  ['objects of two fields, one named', 'jsonl', '{"a":"fine","label":"good"}\n{"label":"bad","a":"poor"}'],
]

for (const [what, format, table] of accepted)
  label(`accepted: ${what} (${format})`, () => assert.equal(right(parseExamples(table, format, 'f')), two))

label('two columns without names: the labels are those that repeat', () => {
  const plain = 'ham\ta b\nspam\tc d\nham\te f\nspam\tg h\n'
  assert.equal(right(parseExamples(plain, 'tsv', 'f'))[1], { text: 'c d', label: 'spam' })
  const headed = `v1\tv2\n${plain}`
  assert.is(right(parseExamples(headed, 'tsv', 'f')).length, 4)
  const turned = 'a b,ham\nc d,spam\ne f,ham\n'
  assert.equal(right(parseExamples(turned, 'csv', 'f'))[0], { text: 'a b', label: 'ham' })
})

label('numbers and truth values are labels too', () => {
  const found = right(parseExamples('{"text":"a","label":1}\n{"text":"b","label":false}', 'jsonl', 'f'))
  assert.equal(
    found.map((one) => one.label),
    ['1', 'false'],
  )
})

const refused: readonly (readonly [string, Format, string, string])[] = [
  ['nothing', 'csv', '', 'there are no examples in it'],
  ['nothing', 'jsonl', '\n\n', 'there are no examples in it'],
  ['only names', 'tsv', 'text\tlabel\n', 'there are no examples in it'],
  [
    'one class',
    'csv',
    'text,label\na,x\nb,x\n',
    'every example has the label "x", at least two classes are needed',
  ],
  ['one column', 'csv', 'text\na\nb\n', 'no column for the label among "text", expected one of "label",'],
  [
    'no text',
    'csv',
    'id,label,when\n1,a,2\n',
    'no column for the text among "id", "label", "when", expected one of',
  ],
  ['no names', 'tsv', 'a\tb\tc\nd\te\tf\n', 'no column for the text among "a", "b", "c"'],
  ['an empty text', 'csv', 'text,label\na,x\n  ,y\n', 'line 3 has no text'],
  ['an empty label', 'tsv', 'text\tlabel\na\tx\nb\t\n', 'line 3 has no label'],
  ['a short row', 'csv', 'text,label\na,x\nb\n', 'line 3 has 1 columns, the first has 2'],
  ['a long row', 'tsv', 'text\tlabel\na\tx\tz\n', 'line 2 has 3 columns, the first has 2'],
  ['an open quotation', 'csv', 'text,label\n"a,x\nb,y\n', 'not a valid table: Quote Not Closed'],
  ['no JSON', 'jsonl', '{"text":"a","label":"x"}\ntext', 'line 2 is not valid JSON'],
  ['no object', 'jsonl', '5', 'line 1 is not an object'],
  [
    'no field',
    'jsonl',
    '{"text":"a","label":"x"}\n{"text":"b"}',
    'line 2 has no field for the label among "text"',
  ],
  [
    'a text that is a list',
    'jsonl',
    '{"text":["a"],"label":"x"}',
    'line 1 has no field for the text among "label"',
  ],
]

for (const [what, format, table, reason] of refused)
  label(`refused: ${what} (${format})`, () => {
    const message = left(parseExamples(table, format, 'f.x'))
    assert.ok(message.startsWith(`task: f.x: ${reason}`), message)
    assert.not.match(message, /\n/)
  })

label('the line of a row that spans several is its last', () => {
  assert.match(left(parseExamples('text,label\n"a\nb",x\n,y\n', 'csv', 'f')), 'line 4 has no text')
})

const examples = fc
  .array(
    fc.record({ text: fc.string({ minLength: 1, maxLength: 6 }), label: fc.constantFrom('a', 'b', 'c') }),
    {
      minLength: 12,
      maxLength: 80,
    },
  )
  .map((some) => [
    ...some,
    ...['a', 'b', 'c'].flatMap((one) =>
      [`${one} first`, `${one} second`].map((text) => ({ text, label: one })),
    ),
  ])

label('few-shot splits: each class alike, no text on both sides, the order of rows without effect', () => {
  fc.assert(
    fc.property(examples, fc.nat(), fc.integer({ min: 1, max: 8 }), (some, seed, perClass) => {
      const config = { seed, perClass, heldOutPerClass: 1000 }
      const { labels, train, heldOut } = right(fewShotSplit(some, config))
      assert.equal(labels, ['a', 'b', 'c'])
      const learnt = new Set(train.map(({ text }) => text))
      assert.is(learnt.size, train.length)
      for (const { text } of heldOut) assert.not.ok(learnt.has(text))
      assert.is(train.length + heldOut.length, new Set(some.map(({ text }) => text)).size)
      for (const one of labels) {
        const count = (side: readonly Example[]): number =>
          side.filter((example) => example.label === one).length
        const all = count(train) + count(heldOut)
        assert.is(count(train), Math.min(perClass, Math.floor(all / 2)))
      }
    }),
  )
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 12 }), fc.nat(), (texts, seed) => {
      const some = texts.map((text, i) => ({ text, label: i % 2 ? 'a' : 'b' }))
      const config = { seed, perClass: 3, heldOutPerClass: 4 }
      assert.equal(right(fewShotSplit([...some].reverse(), config)), right(fewShotSplit(some, config)))
    }),
  )
})

label('a class of one example, or one class, cannot be split', () => {
  const config = { seed: 0, perClass: 8, heldOutPerClass: 8 }
  assert.match(
    left(fewShotSplit([...two, { text: 'nice', label: 'good' }], config)),
    'class "bad" has too few',
  )
  assert.match(left(fewShotSplit([two[0]!, two[0]!], config)), 'every example has the label "good"')
})

const document = (path: string, kind: Document['kind'], passages: number): Document => ({
  path,
  group: path.split('/')[0]!,
  kind,
  passages: Array.from({ length: passages }, (_, i) => [`Passage ${i} of ${path}.`, 'And more.']),
})

label('the default task: kinds of files, learnt from few and checked elsewhere', () => {
  const split = {
    train: [document('a/1', 'documentation', 30), document('b/2', 'source', 50), document('a/3', 'data', 20)],
    heldOut: [
      document('a/4', 'documentation', 30),
      document('c/5', 'source', 90),
      document('a/6', 'data', 3),
    ],
    leaking: 0,
  }
  const { labels, train, heldOut } = right(kindTask(split, { seed: 1, perClass: 8, heldOutPerClass: 40 }))
  assert.equal(labels, ['documentation', 'source'], 'three passages of data say too little')
  const count = (side: readonly Example[], one: string): number => side.filter((x) => x.label === one).length
  assert.equal([count(train, 'documentation'), count(train, 'source')], [8, 8])
  assert.equal([count(heldOut, 'documentation'), count(heldOut, 'source')], [30, 40])
  const single = { train: [document('a/1', 'text', 30)], heldOut: [document('a/2', 'text', 30)], leaking: 0 }
  assert.match(
    left(kindTask(single, { seed: 1, perClass: 8, heldOutPerClass: 40 })),
    'give labelled texts with --task',
  )
})

label('files: by their extension, and refused with their path', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pullback-task-'))
  try {
    writeFileSync(join(root, 'a.CSV'), 'text,label\nfine,good\npoor,bad')
    writeFileSync(join(root, 'b.jsonl'), Uint8Array.of(0xff, 0xff))
    writeFileSync(join(root, 'c.tsv'), 'text\tlabel\n')
    assert.equal(right(await readExamples(join(root, 'a.CSV'))()), two)
    assert.is(left(await readExamples(join(root, 'b.jsonl'))()), `task: ${root}/b.jsonl is not UTF-8 text`)
    assert.is(
      left(await readExamples(join(root, 'c.tsv'))()),
      `task: ${root}/c.tsv: there are no examples in it`,
    )
    assert.is(left(await readExamples(join(root, 'd.csv'))()), `task: ${root}/d.csv does not exist`)
    assert.is(left(await readExamples('a.xlsx')()), 'task: a.xlsx is neither .tsv, .csv nor .jsonl')
  } finally {
    rmSync(root, { recursive: true })
  }
})

label.run()
