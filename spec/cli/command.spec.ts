/** The command as a person runs it, on small texts made up here. */
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSafetensors } from '../../core/safetensors.ts'
import { commands } from '../../cli/commands.ts'
import { hash32 } from '../../training/data/hash.ts'
import { readLog } from '../../training/index.ts'
import type { LogLine } from '../../training/index.ts'
import { pullbackHere } from './here.ts'
import type { Ended as Here } from './here.ts'

const test = suite('pullback')
const main = new URL('../../cli/main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'pullback-command-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command; `watch` sees what it says and may send it signals. */
const pullback = (
  words: readonly string[],
  watch?: (said: string, kill: () => void) => void,
): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [main, ...words], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      watch?.(out, () => child.killed || child.kill('SIGINT'))
    })
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => done({ code, out, err }))
  })

/** Runs the command in this process, which is quicker; whoever looks at signals or standard error needs another. */
const here = (...words: readonly string[]): Promise<Here> => pullbackHere(words, folder)

// Two kinds of text: what stands where is told by the words around it.
const animals = ['cat', 'dog', 'horse', 'mouse', 'bird', 'cow']
const foods = ['bread', 'cheese', 'apples', 'rice', 'soup', 'cake']
const pick = (from: readonly string[], i: number): string => from[hash32(`${i}`) % from.length] as string
// Names that no other line has, so that no text is a copy of another.
const name = (i: number): string => hash32(`name ${i}`).toString(36).replace(/\d/g, 'a')
const animalLine = (i: number): string =>
  `The ${pick(animals, i)} of ${name(i)} runs after the ${pick(animals, i + 500)} of ${name(i + 500)} in the garden.`
const foodLine = (i: number): string =>
  `We cook the ${pick(foods, i)} for ${name(i)} and eat it with ${pick(foods, i + 500)} from ${name(i + 500)} at noon.`
const paragraph = (line: (i: number) => string, start: number): string =>
  [0, 1, 2, 3].map((i) => line(start + i)).join(' ')

const corpus = join(folder, 'corpus')
mkdirSync(corpus)
for (let i = 0; i < 12; i++) {
  const line = i % 2 === 0 ? animalLine : foodLine
  writeFileSync(
    join(corpus, `text-${i}.txt`),
    Array.from({ length: 8 }, (_, j) => paragraph(line, 100 * i + 4 * j)).join('\n\n'),
  )
}
const task = join(folder, 'task.tsv')
writeFileSync(
  task,
  [
    'text\tlabel',
    ...Array.from(
      { length: 24 },
      (_, i) =>
        `${i % 2 === 0 ? animalLine(2000 + i) : foodLine(2000 + i)}\t${i % 2 === 0 ? 'animal' : 'food'}`,
    ),
  ].join('\n'),
)
const small = [
  '--corpus',
  corpus,
  '--vocabulary',
  '300',
  '--width',
  '32',
  '--layers',
  '1',
  '--heads',
  '2',
  '--length',
  '32',
  '--batch',
  '8',
]

const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
/** What fine-tuning came to, as a run's summary tells it. */
const summaryOf = (run: string, name: string): unknown =>
  json(join(folder, 'runs', run, 'summary.json'))[name]
/** Its report compares with the same network from scratch, and shows these. */
const reports = (run: string, ...parts: readonly string[]): void => {
  const html = readFileSync(join(folder, 'runs', run, 'report.html'), 'utf8')
  for (const part of ['What pretraining is worth', 'the same network from scratch', 'id="chart-0"', ...parts])
    assert.ok(html.includes(part), `${run}: ${part}`)
}
const lines = async (run: string): Promise<readonly LogLine[]> => {
  const log = await readLog(join(folder, run, 'metrics.jsonl'))()
  if (log._tag === 'Left') throw new Error(log.left)
  return log.right
}

test('start: from texts to a pretrained and fine-tuned run, with everything in its folder', async () => {
  const { code, out, err } = await pullback([
    'start',
    ...small,
    '--task',
    task,
    '--labels',
    '8',
    '--steps',
    '100',
    '--epochs',
    '40',
    '--task-rate',
    '0.003',
    '--name',
    'first',
  ])
  assert.is(code, 0, err)
  const at = join(folder, 'runs/first')
  for (const file of [
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'run.json',
    'metrics.jsonl',
    'summary.json',
    'report.html',
    'checkpoint/checkpoint.json',
    'classifier/config.json',
    'classifier/model.safetensors',
    'classifier/tokenizer.json',
  ])
    assert.ok(existsSync(join(at, file)), file)
  const { pretraining, classification } = json(join(at, 'summary.json')) as {
    pretraining: { evalLoss: number; unigramEntropy: number }
    classification: {
      pretrained: { accuracy: number }
      fromScratch: { accuracy: number }
      majority: { accuracy: number }
      labels: string[]
    }
  }
  // what is printed is what is written
  for (const number of [pretraining.evalLoss, pretraining.unigramEntropy])
    assert.ok(out.includes(number.toFixed(3)))
  for (const { accuracy } of [classification.pretrained, classification.fromScratch, classification.majority])
    assert.ok(out.includes(`${(100 * accuracy).toFixed(1)} %`))
  assert.ok(pretraining.evalLoss < Math.log(300) && classification.pretrained.accuracy > 0.8, out)
  assert.equal(classification.labels, ['animal', 'food'])
  const log = await lines('runs/first')
  assert.equal([...new Set(log.map(({ phase }) => phase))], ['pretrain', 'finetune', 'scratch'])
  assert.ok(
    log.some(({ trainLoss }) => typeof trainLoss === 'number') &&
      log.some(({ evalLoss }) => typeof evalLoss === 'number'),
  )
  assert.equal(Object.keys(json(join(at, 'classifier/config.json'))['id2label'] as object), ['0', '1'])
})

test('predict, fill and evaluate answer about a run', async () => {
  const predicted = await here('predict', 'runs/first', animalLine(3000))
  assert.is(predicted.code, 0, predicted.told.join())
  assert.match(predicted.out, /^(animal|food)\s+\d+\.\d %\n(animal|food)\s+\d+\.\d %\n$/)
  const ran = await here('run', 'text-classification', 'runs/first/classifier', animalLine(3000))
  assert.is(ran.code, 0, ran.told.join())
  assert.match(ran.out, /animal|food/)
  const filled = await here('fill', 'runs/first', 'The cat runs [MASK] the dog.', '--top', '3')
  assert.is(filled.code, 0, filled.told.join())
  assert.is(filled.out.trim().split('\n').length, 3)
  const evaluated = await here('evaluate', 'runs/first', '--task', task)
  assert.is(evaluated.code, 0, evaluated.told.join())
  // the same held-out text as when it was trained, so the same number
  const { pretraining } = json(join(folder, 'runs/first/summary.json')) as {
    pretraining: { evalLoss: number }
  }
  assert.ok(evaluated.out.includes(`held-out loss ${pretraining.evalLoss.toFixed(3)}`), evaluated.out)
  assert.match(evaluated.out, /24 labelled texts: accuracy/)
})

test('finetune makes a new run of its own', async () => {
  const { code, out, told } = await here(
    'finetune',
    'runs/first',
    '--task',
    task,
    '--labels',
    '4',
    '--epochs',
    '2',
    '--name',
    'second',
  )
  assert.is(code, 0, told.join())
  assert.match(out, /pretrained, then fine-tuned\s+\d/)
  reports('second', '8 labelled texts to learn from', 'always the most frequent class', 'class="confusion"')
  const { code: predicted } = await here('predict', 'runs/second', foodLine(3000))
  assert.is(predicted, 0)
  const { code: filled, told: why } = await here('fill', 'runs/second', 'the [MASK]')
  assert.is(filled, 1)
  assert.match(why.join(), /model\.safetensors|config\.json/)
})

for (const kind of ['bert', 'gpt'])
  test(`a ${kind} that is ended goes on where it was, and comes to the same parameters bit for bit`, async () => {
    const words = ['--model', kind, ...small, '--steps', '120']
    const [wholly, early] = [`${kind}-whole`, `${kind}-ended`]
    const whole = await pullback(['pretrain', ...words, '--name', wholly])
    assert.is(whole.code, 0, whole.err)
    const ended = await pullback(['pretrain', ...words, '--name', early], (said, kill) => {
      if (said.includes('pretraining 20 %')) kill()
    })
    assert.is(ended.code, 130, ended.out + ended.err)
    assert.ok(
      ended.err.includes(
        `stopped during pretraining; what was learnt so far is in runs/${early}, and pullback resume`,
      ),
      ended.err,
    )
    const used = kind === 'bert' ? 'fill' : 'generate'
    assert.is((await pullback([used, `runs/${early}`, 'The [MASK] runs.'])).code, 0)
    assert.not.ok(existsSync(join(folder, `runs/${early}/summary.json`)))
    const resumed = await pullback(['resume', `runs/${early}`])
    assert.is(resumed.code, 0, resumed.err)
    const model = (name: string): Buffer => readFileSync(join(folder, `runs/${name}/model.safetensors`))
    assert.ok(model(early).equals(model(wholly)))
    const told = (log: readonly LogLine[]) =>
      log.map(({ step, trainLoss, evalLoss }) => ({ step, trainLoss, evalLoss }))
    assert.equal(told(await lines(`runs/${early}`)).slice(-3), told(await lines(`runs/${wholly}`)).slice(-3))
    const steps = (await lines(`runs/${early}`)).map(({ step }) => step as number)
    assert.equal(
      steps,
      [...steps].sort((a, b) => a - b),
      'no step is told twice or out of order',
    )
    // at its end there is nothing to go on with, and what it came to is told once more
    const evaluation = (): unknown =>
      (
        json(join(folder, `runs/${early}/summary.json`)) as {
          readonly pretraining: { readonly evalLoss: number }
        }
      ).pretraining.evalLoss
    const came = evaluation()
    const logged = await lines(`runs/${early}`)
    const again = await pullback(['resume', `runs/${early}`])
    assert.is(again.code, 0, again.err)
    assert.type(came, 'number')
    assert.is(evaluation(), came)
    assert.equal(await lines(`runs/${early}`), logged)
  })

test('tagging: a BERT learns which words are which, and any task command reads it', async () => {
  const words = (i: number): readonly string[] => [
    `The\tO\n${pick(animals, i)}\tB-animal\nof\tO\n${name(i)}\tB-name\nruns\tO`,
    `We\tO\ncook\tO\nthe\tO\n${pick(foods, i)}\tB-food\nfor\tO\n${name(i)}\tB-name`,
  ]
  const tags = join(folder, 'tags.conll')
  writeFileSync(tags, Array.from({ length: 40 }, (_, i) => words(i)[i % 2]).join('\n\n'))
  const given = ['runs/first', '--objective', 'tagging', '--task', tags]
  const tuned = await here('finetune', ...given, '--epochs', '12', '--task-rate', '0.01', '--name', 'tagger')
  assert.is(tuned.code, 0, tuned.told.join())
  const { pretrained, labels } = summaryOf('tagger', 'tagging') as {
    readonly pretrained: { readonly f1: number; readonly support: number }
    readonly labels: readonly string[]
  }
  assert.equal(labels, ['B-animal', 'B-food', 'B-name', 'O'])
  assert.is(pretrained.support, 8)
  assert.ok(pretrained.f1 > 0.6, `F1 ${pretrained.f1}`)
  reports('tagger', '36 tagged texts to learn from', 'words right', '(animal)')
  const looked = await here('evaluate', 'runs/tagger')
  assert.match(looked.out, `4 tagged texts: precision`)
  assert.match(looked.out, `F1 ${(100 * pretrained.f1).toFixed(1)} %`)
  const ran = await here(
    'run',
    'token-classification',
    'runs/tagger',
    words(3)[1]?.replace(/\t\S+\n?/g, ' ') ?? '',
  )
  assert.is(ran.code, 0, ran.told.join())
  assert.match(ran.out, /^food/)
  const none = await here('finetune', ...given.slice(0, 3), '--name', 'none')
  assert.match(none.told.join(), /--task names the CoNLL file/)
  const wrong = await here('finetune', ...given.slice(0, 4), task, '--name', 'none')
  assert.match(wrong.told.join(), /1 text, too few to learn from: 10 at least are needed/)
})

test('question answering: a BERT learns where answers stand', async () => {
  const paragraphs = Array.from({ length: 30 }, (_, i) => {
    const [animal, food] = [pick(animals, i), pick(foods, i + 7)]
    const context = `The ${animal} runs. We eat ${food}.`
    const at = (text: string) => [{ text, answer_start: context.indexOf(text) }]
    const qas = [
      { question: 'What runs?', answers: at(animal) },
      { question: 'What is eaten?', answers: at(food) },
    ]
    return { context: `${context} ${name(i)}`, qas }
  })
  const questions = join(folder, 'questions.json')
  writeFileSync(questions, JSON.stringify({ data: [{ paragraphs }] }))
  const given = ['runs/first', '--objective', 'question-answering', '--task', questions]
  const tuned = await here(
    'finetune',
    ...given,
    '--epochs',
    '15',
    '--task-rate',
    '0.01',
    '--name',
    'answerer',
  )
  assert.is(tuned.code, 0, tuned.told.join())
  const { pretrained, heldOut } = summaryOf('answerer', 'questionAnswering') as {
    readonly pretrained: { readonly exact: number; readonly f1: number }
    readonly heldOut: number
  }
  assert.is(heldOut, 6, 'three passages with both their questions')
  assert.ok(pretrained.f1 >= pretrained.exact && pretrained.exact > 0.6, JSON.stringify(pretrained))
  const ran = await here(
    'run',
    'question-answering',
    'runs/answerer',
    'What runs?',
    'The cow runs. We eat rice.',
  )
  assert.is(ran.code, 0, ran.told.join())
  assert.match(ran.out, /cow/)
  reports('answerer', '54 questions to learn from', 'F1 of words', 'What is eaten?')
  const looked = await here('evaluate', 'runs/answerer')
  assert.match(looked.out, `6 questions: exact ${(100 * pretrained.exact).toFixed(1)} %`)
})

test('whatever is learnt, a file that will not do is refused alike, and nothing is made', async () => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content)
    return name
  }
  const kinds = {
    classification: {
      unreadable: [file('torn.tsv', 'text\tlabel\none\ta\nno label\n'), /line 3 has 1 columns/],
      empty: [file('empty.tsv', ''), /there are no examples in it$/],
      unknown: [file('new.tsv', 'text\tlabel\none\tx\ntwo\ty\n'), /the class "x", the classifier knows/],
      run: 'second',
    },
    tagging: {
      unreadable: [file('torn.conll', 'The\tO\ncat\n'), /line 2 has no tag behind its word$/],
      empty: [file('empty.conll', '\n\n'), /there are no tagged words in it$/],
      unknown: [file('new.conll', 'The\tO\ncat\tB-pet\n'), /the tag "B-pet", the tagger knows B-animal,/],
      run: 'tagger',
    },
    'question-answering': {
      unreadable: [
        file('torn.json', '{"data": [{"paragraphs": [{"context": "x", "qas": [{"question": 3}]}]}]}'),
        /it is not at data\/0\/paragraphs\/0\/qas\/0\/question$/,
      ],
      empty: [file('empty.json', '{"data": []}'), /there are no questions in it$/],
      unknown: undefined,
      run: 'answerer',
    },
  } as const
  for (const [objective, { unreadable, empty, unknown, run }] of Object.entries(kinds)) {
    const refused = async (words: readonly string[], reason: RegExp): Promise<void> => {
      const { code, told } = await here(...words)
      assert.is(code, 1, `${words.join(' ')}: ${told.join(' ')}`)
      assert.is(told.length, 1)
      assert.match(told[0] as string, reason)
    }
    const tune = (from: string, path: string): readonly string[] =>
      `finetune ${from} --objective ${objective} --task ${path} --name none`.split(' ')
    for (const [path, reason] of [unreadable, empty]) {
      await refused(tune('runs/first', path), reason)
      await refused(['evaluate', `runs/${run}`, '--task', path], reason)
    }
    await refused(tune('runs/first', corpus), /is a folder$|is neither \.tsv, \.csv nor \.jsonl$/)
    await refused(tune('./nowhere', empty[0]), /there is no run \.\/nowhere$/)
    if (unknown !== undefined) await refused(['evaluate', `runs/${run}`, '--task', unknown[0]], unknown[1])
  }
  assert.not.ok(existsSync(join(folder, 'runs/none')))
})

test('sequence to sequence: an encoder-decoder learns from pairs, and writes', async () => {
  const pairs = join(folder, 'pairs.tsv')
  const word = (i: number): string => pick(animals, i)
  writeFileSync(
    pairs,
    [
      'source\ttarget',
      ...Array.from({ length: 60 }, (_, i) => `${word(i)} ${word(i + 50)}\t${word(i + 50)}`),
    ].join('\n'),
  )
  const words = [
    '--task',
    pairs,
    '--vocabulary',
    '300',
    '--width',
    '32',
    '--heads',
    '2',
    '--layers',
    '1',
    '--length',
    '16',
  ]
  const trained = await here(
    'finetune',
    '--objective',
    'sequence-to-sequence',
    ...words,
    '--batch',
    '16',
    '--steps',
    '200',
    '--name',
    'pairs',
  )
  assert.is(trained.code, 0, trained.told.join())
  assert.match(trained.out, /\d+\.\d % of the targets are written exactly/)
  const written = await here('generate', 'runs/pairs', 'dog horse')
  assert.is(written.code, 0, written.told.join())
  assert.ok(animals.includes(written.out.trim()), written.out)
  assert.is((await here('evaluate', 'runs/pairs')).code, 0)
})

test('a GPT goes on with a prompt; the same seed writes the same', async () => {
  const write = (): Promise<Here> => here('generate', 'runs/gpt-whole', 'The cat', '--tokens', '8')
  const [first, second] = [await write(), await write()]
  assert.is(first.code, 0, first.told.join())
  assert.ok(first.out.startsWith('The cat') && first.out.length > 9)
  assert.is(first.out, second.out)
})

test('a draft or the text itself guesses, and the text is the same; what is no GPT has none and is none', async () => {
  const write = (...more: readonly string[]): Promise<Here> =>
    here('generate', 'runs/gpt-whole', 'The cat', '--tokens', '8', '--temperature', '0', ...more)
  const [alone, together] = [await write(), await write('--draft', 'runs/gpt-whole')]
  assert.is(together.code, 0, together.told.join())
  assert.is(together.out, alone.out)
  assert.is((await write('--prompt-lookup', '4')).out, alone.out)
  const pairs = await write('--draft', 'runs/pairs')
  assert.is(pairs.code, 1)
  assert.match(pairs.told.join(), 'draft')
  const none = await here('generate', 'runs/pairs', 'dog horse', '--draft', 'runs/gpt-whole')
  assert.match(none.told.join(), 'only a GPT has a draft')
})

test('the same seed gives the same run, another one another', async () => {
  const words = ['pretrain', ...small, '--steps', '12']
  for (const [name, seed] of [
    ['a', '5'],
    ['b', '5'],
    ['c', '6'],
  ] as const)
    assert.is((await here(...words, '--name', name, '--seed', seed)).code, 0)
  const model = (name: string): Buffer => readFileSync(join(folder, `runs/${name}/model.safetensors`))
  assert.ok(model('a').equals(model('b')))
  assert.not.ok(model('a').equals(model('c')))
})

test('a model is stored by its Hugging Face names', () => {
  const decoded = decodeSafetensors(readFileSync(join(folder, 'runs/first/model.safetensors')))
  assert.is(decoded._tag, 'Right')
  if (decoded._tag === 'Right') assert.ok(decoded.right.tensors.has('bert.embeddings.word_embeddings.weight'))
})

const copied = (name: string, change: (path: string) => void): string => {
  const path = join(folder, 'runs', name)
  cpSync(join(folder, 'runs/first'), path, { recursive: true })
  change(path)
  return `runs/${name}`
}

test('bad input is refused in one sentence, with exit code 1, and nothing is made or changed', async () => {
  const empty = join(folder, 'empty.txt')
  writeFileSync(empty, '')
  const binary = join(folder, 'binary.txt')
  writeFileSync(
    binary,
    Uint8Array.from({ length: 4096 }, (_, i) => (i * 37) % 256),
  )
  const oneClass = join(folder, 'one.tsv')
  writeFileSync(oneClass, 'text\tlabel\nhello there\tx\ngood morning\tx\n')
  const others = join(folder, 'others.tsv')
  writeFileSync(others, 'text\tlabel\nhello there\tx\ngood morning\ty\n')
  const noColumns = join(folder, 'columns.csv')
  writeFileSync(noColumns, 'a,b,c\n1,2,3\n4,5,6\n')
  const config = join(folder, 'config.json')
  writeFileSync(config, '{ "stpes": 3 }')
  const refusals: readonly (readonly [words: readonly string[], reason: RegExp])[] = [
    [['start', '--corpus', 'nowhere'], /^corpus: nowhere does not exist$/],
    [['start', '--corpus', empty], /empty\.txt is empty$/],
    [['start', '--corpus', binary], /binary\.txt is not UTF-8 text$/],
    [['start', '--corpus', corpus, '--task', 'nowhere.tsv'], /^task: nowhere\.tsv does not exist$/],
    [
      ['start', '--corpus', corpus, '--task', oneClass],
      /every example has the label "x", at least two classes are needed$/,
    ],
    [['start', '--corpus', corpus, '--task', noColumns], /columns\.csv/],
    [['start', '--config', config], /stpes is not known here; there are name,/],
    [['start', '--width', '30', '--heads', '4'], /--width 30 cannot be split into --heads 4 heads$/],
    [['start', '--engine', 'abacus'], /there is no engine abacus/],
    [['start', '--name', 'first'], /runs\/first is there already, and nothing in it will be overwritten/],
    [['predict', 'nowhere', 'x'], /there is no run nowhere$/],
    [['predict', corpus, 'x'], /corpus is no run: run\.json is missing$/],
    [['fill', 'runs/first', 'nothing open'], /the text has no \[MASK\] to fill in$/],
    [
      ['fill', copied('bare', (path) => rmSync(join(path, 'tokenizer.json'))), '[MASK]'],
      /bare has no tokenizer: tokenizer\.json is missing$/,
    ],
    [
      ['fill', copied('cut', (path) => truncateSync(join(path, 'model.safetensors'), 5000)), '[MASK]'],
      /model\.safetensors/,
    ],
    [
      [
        'fill',
        copied('foreign', (path) => writeFileSync(join(path, 'config.json'), '{ "model_type": "llama" }')),
        '[MASK]',
      ],
      /model_type/,
    ],
    [
      ['fill', copied('torn', (path) => writeFileSync(join(path, 'run.json'), '{ "kind"')), '[MASK]'],
      /run\.json is not JSON/,
    ],
    [
      ['resume', copied('unsaved', (path) => rmSync(join(path, 'checkpoint'), { recursive: true }))],
      /has no checkpoint to go on from$/,
    ],
    [['finetune', 'runs/first', '--task', oneClass], /at least two classes/],
    [['evaluate', 'runs/second', '--task', others], /has the class "x", the classifier knows animal, food$/],
  ]
  for (const [words, reason] of refusals) {
    const { code, told } = await here(...words)
    assert.is(code, 1, `${words.join(' ')}: ${told.join(' ')}`)
    assert.is(told.length, 1, `${words.join(' ')}: ${told.join(' ')}`)
    assert.not.match(told[0] as string, /\n/)
    assert.ok(reason.test(told[0] as string), `${words.join(' ')}: ${told[0]}`)
  }
  const { code, err } = await pullback(['predict', 'nowhere', 'x'])
  assert.is(code, 1)
  assert.is(err, 'pullback: there is no run nowhere\n')
  assert.not.ok(existsSync(join(folder, 'runs/start')))
  assert.not.ok(existsSync(join(folder, 'runs/classifier')))
})

test('every command has its help', async () => {
  const { out } = await pullback(['--help'])
  for (const { name } of commands) assert.match(out, new RegExp(`^ +${name} `, 'm'))
  const { out: help } = await pullback(['start', '--help'])
  for (const flag of ['--seed', '--corpus', '--task', '--config', '--steps', '--labels'])
    assert.ok(help.includes(flag), flag)
})

test('doctor tells what runs', async () => {
  const { code, out } = await pullback(['doctor'])
  assert.is(code, 0)
  assert.match(out, /^chosen {5}\w+, the best that works here$/m)
})

test.run()
