import { either as E } from 'fp-ts'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultCorpusConfig, type Corpus } from '../../../training/data/corpus.ts'
import { documentLength } from '../../../training/data/document.ts'
import { ownCorpus, packageCorpus, packageOf } from '../../../training/data/folder.ts'
import { splitDocuments } from '../../../training/data/split.ts'
import { kindTask } from '../../../training/data/label.ts'
import { prose } from './prose.ts'

const folder = suite<{ root: string }>('folder')

folder.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'pullback-corpus-'))
})

folder.after.each(({ root }) => rmSync(root, { recursive: true }))

const write = (root: string, path: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const right = (corpus: E.Either<string, Corpus>): Corpus =>
  E.isRight(corpus) ? corpus.right : assert.unreachable(corpus.left)!

const left = (corpus: E.Either<string, Corpus>): string =>
  E.isLeft(corpus) ? corpus.left : assert.unreachable('should have been refused')!

const paths = ({ documents }: Corpus): readonly string[] => documents.map(({ path }) => path)

folder('packages: every kind of text, in order, and nothing else', async ({ root }) => {
  write(root, 'b/README.md', prose(1, 20))
  write(root, 'b/LICENSE', prose(2, 20))
  write(root, 'b/index.d.ts', prose(3, 20).replace(/^/gm, '// '))
  write(root, 'a/index.js', prose(4, 20).replace(/^/gm, '// '))
  write(root, 'a/notes.txt', prose(5, 20))
  write(root, 'a/index.min.js', prose(6, 20).replace(/^/gm, '// '))
  write(root, 'a/binary.md', new Uint8Array(4000))
  write(root, '.bin/README.md', prose(7, 20))
  write(
    root,
    '@scope/c/node_modules/d/package.json',
    JSON.stringify({ description: prose(8, 20).split(/\.\s+/) }, null, 2),
  )
  write(root, 'big/README.md', 'a word '.repeat(700_000))
  symlinkSync(root, join(root, 'a', 'loop'))
  const corpus = right(await packageCorpus(root, { ...defaultCorpusConfig, fewestDocuments: 1 })())
  assert.equal(paths(corpus), [
    '@scope/c/node_modules/d/package.json',
    'a/index.js',
    'b/LICENSE',
    'b/README.md',
    'b/index.d.ts',
  ])
  assert.equal(
    corpus.documents.map(({ group, kind }) => `${group} ${kind}`),
    ['d data', 'a source', 'b licence', 'b documentation', 'b declarations'],
  )
  assert.equal(corpus.omitted, { 'over 4 MB': 1, 'not text': 1 })
})

folder('the package of a path', () => {
  assert.is(packageOf('a/lib/b.js'), 'a')
  assert.is(packageOf('@a/b/c.js'), '@a/b')
  assert.is(packageOf('a/node_modules/@b/c/d.js'), '@b/c')
  assert.is(packageOf('README.md'), 'README.md')
})

folder("one's own file, in any language, is cut into parts that can be held out", async ({ root }) => {
  const german = Array.from(
    { length: 300 },
    (_, i) => `${prose(i, 1).trim()} Das ist nicht das Ende der Welt.`,
  )
  write(root, 'buch.txt', german.join('\n\n'))
  const corpus = right(await ownCorpus(join(root, 'buch.txt'))())
  assert.ok(corpus.documents.length >= 10)
  assert.ok(corpus.documents.every(({ kind, group }) => kind === 'text' && group === 'buch.txt'))
  assert.ok(E.isRight(splitDocuments(corpus.documents, { seed: 1, heldOut: 0.1 })))
})

folder("one's own folder: subfolders are groups, and can be the classes", async ({ root }) => {
  for (let i = 0; i < 40; i++) write(root, `${i % 2 ? 'good' : 'bad'}/${i}.txt`, prose(i, 12))
  for (const path of [root, `${root}/`]) {
    const { documents } = right(await ownCorpus(path)())
    assert.equal([...new Set(documents.map(({ group }) => group))], ['bad', 'good'])
    const split = splitDocuments(documents, { seed: 1, heldOut: 0.3 })
    const task = E.isRight(split)
      ? kindTask(split.right, { seed: 1, perClass: 4, heldOutPerClass: 20 })
      : split
    assert.ok(E.isRight(task))
    assert.equal(task.right.labels, ['bad', 'good'])
  }
})

folder('a large file is read in pieces from all over it', async ({ root }) => {
  write(root, 'large.txt', Array.from({ length: 400 }, (_, i) => `Part ${i}. ${prose(i, 16)}`).join('\n\n'))
  const config = { ...defaultCorpusConfig, characters: 100_000 }
  const { documents } = right(await ownCorpus(join(root, 'large.txt'), config)())
  const length = documents.reduce((sum, document) => sum + documentLength(document), 0)
  assert.ok(length > 50_000 && length < 120_000, `${length}`)
})

folder('what cannot be a corpus is refused in one sentence', async ({ root }) => {
  write(root, 'empty.txt', '')
  write(root, 'numbers.txt', '1 2 3\n'.repeat(100))
  write(root, 'latin1.txt', Uint8Array.of(0x63, 0x61, 0x66, 0xe9))
  write(root, 'image.txt', new Uint8Array(100))
  write(root, 'images/a.png', 'x')
  mkdirSync(join(root, 'nothing'))
  const cases = {
    missing: 'does not exist',
    'missing/file.txt': 'does not exist',
    'empty.txt': 'is empty',
    'numbers.txt': 'holds no sentences',
    'latin1.txt': 'is not UTF-8 text',
    'image.txt': 'is a binary file, not text',
    nothing: 'holds no files of text',
    images: 'holds no files of text',
  }
  for (const [name, reason] of Object.entries(cases)) {
    const path = join(root, name)
    const refusal = left(await ownCorpus(path)())
    assert.ok(refusal.startsWith(`corpus: ${path} ${reason}`), refusal)
    assert.not.match(refusal, /\n/)
  }
  assert.match(left(await packageCorpus(join(root, 'node_modules'))()), 'node_modules does not exist')
})

folder('the installed packages here give a varied corpus, the same each time', async () => {
  const installed = fileURLToPath(new URL('../../../node_modules', import.meta.url))
  const config = { ...defaultCorpusConfig, characters: 400_000 }
  const corpus = right(await packageCorpus(installed, config)())
  const length = corpus.documents.reduce((sum, document) => sum + documentLength(document), 0)
  assert.ok(length > 250_000 && length < 600_000, `${length}`)
  for (const kind of ['documentation', 'declarations', 'source', 'licence'])
    assert.ok(
      corpus.documents.some((document) => document.kind === kind),
      kind,
    )
  assert.ok(new Set(corpus.documents.map(({ group }) => group)).size > 20)
  assert.equal(right(await packageCorpus(installed, config)()), corpus)

  const split = splitDocuments(corpus.documents, { seed: 0, heldOut: 0.1 })
  const task = E.isRight(split)
    ? kindTask(split.right, { seed: 0, perClass: 16, heldOutPerClass: 100 })
    : split
  assert.ok(E.isRight(task) && task.right.labels.length >= 3)
})

folder.run()
