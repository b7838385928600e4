import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOfPage, blocksOfSource, commandsOf, linksOf } from './block.ts'
import { check } from './program.ts'
import { instrument } from './promise.ts'

const root = new URL('../..', import.meta.url).pathname

const fence = (info: string, ...lines: string[]): string => ['```' + info, ...lines, '```', ''].join('\n')

const reading = suite('reading documentation')

reading('finds ts blocks with their lines, and joins those that continue', () => {
  const page = [
    '# Page',
    fence('ts', 'const a = 1', 'const b = 2'),
    'text',
    fence('sh', 'npm test'),
    fence('ts continue', 'console.log(a + b) // => 3'),
    fence('typescript no-run', 'document.title'),
  ].join('\n')
  const [first, second, ...rest] = blocksOfPage('page.md', page)
  assert.equal(rest, [])
  assert.is(first?.line, 3)
  const lines = page.split('\n')
  const code = first?.code.split('\n') ?? []
  assert.equal(
    code.filter((line) => line !== ''),
    ['const a = 1', 'const b = 2', 'console.log(a + b) // => 3'],
  )
  assert.ok(
    code.every((line, at) => line === '' || line === lines[at]),
    'every line keeps its place',
  )
  assert.is(second?.run, false)
})

reading('finds examples in docstrings, fenced or plain, up to the next tag', () => {
  const source = `
    /**
     * Doubles.
     *
     * @example
     * const four = double(2)
     *
     * console.log(four)
     * @returns twice as much
     */
    export const double = (x: number): number => 2 * x
    const text = '/** @example nothing */'
    export type Box = {
      /**
       * @example
       * Some words.
       * \`\`\`ts
       * if (true) {
       *   open()
       * }
       * \`\`\`
       */
      open: () => void
    }
  `
  const [plain, fenced, ...rest] = blocksOfSource('double.ts', source)
  assert.equal(rest, [])
  assert.is(plain?.line, 6)
  assert.match(plain?.code ?? '', "from '../../double.ts';\n")
  assert.is(plain?.code.split('\n').slice(5).join('\n').trim(), 'const four = double(2)\n\nconsole.log(four)')
  assert.is(fenced?.line, 18)
  assert.is(fenced?.code.trim(), 'if (true) {\n  open()\n}')
  assert.is(fenced?.code.split('\n').indexOf('if (true) {'), 17)
})

reading(
  "puts a file's own exports that an example uses in scope, those that it defines or imports left out",
  () => {
    const source = `
    export const a = 1, b = 2, c = 3
    export type D = number
    export function e(): void {}
    /**
     * @example
     * import { b } from 'pullback'
     * const c: D = a
     */
    export const f = (): void => e()
  `
    const [block] = blocksOfSource('core/x.ts', source)
    const [first] = block?.code.split('\n') ?? []
    assert.is(first, "import { a } from '../../core/x.ts'; import type { D } from '../../core/x.ts';")
  },
)

reading('finds promises behind statements and on the next lines, and keeps every line in its place', () => {
  const code = [
    'const a = 1 // => 1',
    'a + 1 // => 2',
    'for (const b of [a]) {',
    '  console.log(b, a) // => 1 1',
    '}',
    'await Promise.resolve([',
    '  a, // => nothing',
    '])',
    '// => [',
    '//    1 ]',
    "const text = '// => no'",
  ].join('\n')
  const { code: changed, promises } = instrument(code)
  assert.equal(
    promises.map(({ line, text }) => `${line} ${text}`),
    ['1 1', '2 2', '4 1 1', '6 [\n1 ]'],
  )
  assert.is(changed.split('\n').length, code.split('\n').length)
  assert.ok(changed.includes("  show__(2, 'log', b, a) // => 1 1"), changed)
})

reading('finds commands and links', () => {
  const page = [
    fence(
      'sh',
      'npm ci && npm start',
      'npm run bench -- --json',
      'npx pullback fill runs/a "x"',
      'npm install pullback',
    ),
    '[a](docs/a.md#top) [b](https://example.org) [c](#here)',
    fence('ts', 'f[0](x)'),
  ].join('\n')
  assert.equal(
    commandsOf(page).map(({ line, kind, name }) => `${line} ${kind} ${name}`),
    ['2 npm start', '3 npm bench', '4 pullback fill'],
  )
  assert.equal(linksOf(page), ['docs/a.md'])
})

reading.run()

const checking = suite('checking programs')
let folder = ''

checking.before(() => {
  folder = mkdtempSync(`${tmpdir()}/pullback-block-`)
  mkdirSync(`${folder}/core`)
  symlinkSync(`${root}node_modules`, `${folder}/node_modules`)
  cpSync(`${root}tsconfig.json`, `${folder}/tsconfig.json`)
  writeFileSync(
    `${folder}/package.json`,
    '{ "name": "pullback", "type": "module", "exports": "./core/index.ts" }',
  )
  writeFileSync(`${folder}/core/index.ts`, 'export const double = (x: number): number => 2 * x\n')
})

checking.after(() => rmSync(folder, { recursive: true, force: true }))

checking('tells sound blocks from those that do not compile, throw, or print something else', async () => {
  const door = "import { double } from 'pullback'"
  const page = [
    fence('ts', door, 'console.log(double(2)) // => 4'),
    fence('ts', door, "double('2')"),
    fence('ts', door, 'double(2)', "throw new Error('no')"),
    fence('ts', door, 'console.log(double(2)) // => 5'),
    fence('ts no-run', "throw new Error('no')"),
    fence('ts', "import { double } from 'pullback/nowhere'"),
    fence('ts', 'await Promise.resolve([1, 2].map((x) => x))'),
    fence('ts', door, '[double(1)]', '// => [2]', 'const six = double(3) // => 6'),
    fence('ts', door, 'if (double(1) > 2) double(1) // => 2'),
    fence('ts', 'process.exit(0)'),
  ].join('\n')
  const verdicts = await check(folder, blocksOfPage('page.md', page))
  const [fine, type, thrown, printed, unrun, path, waits, kept, missed, exits] = verdicts
  assert.equal([fine, unrun, waits, kept], [null, null, null, null])
  assert.match(type ?? '', /^\(8,8\): error TS2345/)
  assert.match(thrown ?? '', /^Error: no/)
  assert.is(printed, 'line 19 promises 5\nand gives 4')
  assert.match(path ?? '', /pullback\/nowhere/)
  assert.match(missed ?? '', /was not reached/)
  assert.match(exits ?? '', /did not come to an end/)
})

checking.run()
