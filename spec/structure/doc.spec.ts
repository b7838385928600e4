/** Everything that the documentation shows works: its code, its commands and its links. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOfPage, blocksOfSource, commandsOf, linksOf } from './block.ts'
import { check } from './program.ts'
import { plan } from './floor.ts'
import { publicValues } from './public.ts'

const root = new URL('../..', import.meta.url).pathname
const find = (pattern: string): string[] =>
  globSync(pattern, { cwd: root, exclude: ['**/node_modules'] })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
const read = (path: string): string => readFileSync(root + path, 'utf8')

const pages = [...find('*.md'), ...find(`{docs,${Object.keys(plan).join(',')}}/**/*.md`)].filter(
  (path) => !path.includes('fixtures/'),
)
// the structural tests' own files speak about examples
const sources = find(`{${Object.keys(plan).join(',')}}/**/*.ts`).filter(
  (path) => !/^spec\/structure\/|\.spec\.ts$/.test(path),
)

const blocks = [
  ...pages.flatMap((path) => blocksOfPage(path, read(path))),
  ...sources.flatMap((path) => (read(path).includes('@example') ? blocksOfSource(path, read(path)) : [])),
]
const verdicts = await check(root, blocks)

const code = suite('code in the documentation')
for (const [at, { path, line }] of blocks.entries()) {
  code(`${path}:${line}`, () => assert.ok(verdicts[at] === null, `${path}:${line}\n${verdicts[at]}`))
}
code.run()

const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
}

const examples = suite('examples of what is public')
for (const [name, entry] of Object.entries(manifest.exports).filter(([, path]) => path.endsWith('.ts'))) {
  examples(name.replace('.', 'pullback'), () => {
    const values = publicValues(posix.normalize(entry), read)
    assert.ok(values.length > 0)
    const bare = values.filter(({ docstring }) => !docstring.includes('@example'))
    assert.equal(
      bare.map((value) => `${value.path}: ${value.name} has no @example`),
      [],
    )
  })
}
examples.run()

const { scripts } = manifest
const cli = find('cli/**/*.ts').map(read).join('\n')

const page = suite('pages of the documentation')
for (const path of pages) {
  page(path, () => {
    for (const { line, kind, name } of commandsOf(read(path))) {
      const known =
        kind === 'npm' ? scripts[name] !== undefined : cli === '' || new RegExp(`['"\`]${name}\\b`).test(cli)
      assert.ok(known, `${path}:${line}: there is no ${kind} command '${name}'`)
    }
    for (const link of linksOf(read(path))) {
      assert.ok(existsSync(root + posix.join(posix.dirname(path), link)), `${path}: '${link}' is not there`)
    }
  })
}
page.run()
