/**
 * npm run test:pack: the package as a user gets it. Packs a copy of this checkout, installs the tarball in a
 * folder of its own, where nothing of ours applies, and there type-checks and runs a program that imports every
 * entry point, the README's programs, and the command; and a page that trains in Chromium, with Vite and without.
 * Needs npm's registry. Ends with `N passed, N failed`.
 */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { blocksOfPage } from './structure/block.ts'
import type { Manifest } from '../scripts/manifest.ts'
import { layOut, plainPage, treeShaking, vitePage, viteServer } from './consumer/browser.ts'
import { layOutRunners, runUnder } from './consumer/runner.ts'
import { chromiumPath, launchChromium, noChromium } from './support/browser.ts'

const root = new URL('..', import.meta.url).pathname
const tsc = `${root}node_modules/@typescript/compiler/bin/tsc`
const publint = `${root}node_modules/publint/src/cli.js`
const work = mkdtempSync(`${tmpdir()}/pullback-pack-`)
const checkout = `${work}/checkout`
const consumer = `${work}/consumer`
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest
const entries = Object.entries(manifest.exports).filter(([, source]) => source.endsWith('.ts'))
const ready = entries.filter(([, source]) => existsSync(root + source))

// resolves to what the command printed, rejects with all of it
const run = (cwd: string, command: string, ...words: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    // the npm that runs this script must not hand its settings on to the ones within
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/.test(name)),
    )
    execFile(command, words, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error)
        reject(new Error([stdout, stderr].filter((text) => text.trim() !== '').join('\n') || error.message))
      else resolve(stdout)
    })
  })

const node = (cwd: string, ...words: string[]): Promise<string> => run(cwd, process.execPath, ...words)

let passed = 0
let failed = 0
let skipped = 0

const skip = (name: string, reason: string): void => {
  skipped += 1
  console.log(`skipped: ${name} (${reason})`)
}

// one check: a word on what was seen, or the failure
const check = async (name: string, body: () => Promise<string>): Promise<void> => {
  const start = performance.now()
  const line = await body().then(
    (said) => {
      passed += 1
      return `✔ ${name}${said === '' ? '' : `: ${said}`}`
    },
    (error: unknown) => {
      failed += 1
      return `✘ ${name}\n${(error instanceof Error ? error.message : String(error)).trim()}`
    },
  )
  console.log(`${line}  (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

type Packed = {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}
let tarball = ''

const pack = async (): Promise<string> => {
  const kept = (path: string): boolean =>
    !['node_modules', 'dist', 'runs', '.git', '.cache'].includes(basename(path))
  cpSync(root, checkout, { recursive: true, filter: kept })
  symlinkSync(`${root}node_modules`, `${checkout}/node_modules`)
  const before = readFileSync(`${checkout}/package.json`, 'utf8')
  const printed = await run(checkout, 'npm', 'pack', '--json', '--silent', '--pack-destination', work)
  const [packed] = JSON.parse(printed.slice(printed.indexOf('['))) as Packed[]
  if (packed === undefined) throw new Error(`npm pack says ${printed}`)
  tarball = `${work}/${packed.filename}`
  const stray = packed.files
    .map(({ path }) => path)
    .filter((path) => /(?<!\.d)\.ts$|\.spec\.|node_modules/.test(path))
  if (stray.length > 0) throw new Error(`these do not belong in the package: ${stray.join(', ')}`)
  if (readFileSync(`${checkout}/package.json`, 'utf8') !== before)
    throw new Error('package.json was not put back')
  return `${packed.files.length} files, ${Math.round(packed.size / 1024)} kB`
}

const install = async (): Promise<string> => {
  mkdirSync(consumer)
  writeFileSync(`${consumer}/package.json`, '{ "name": "consumer", "private": true, "type": "module" }\n')
  const versions = manifest['devDependencies'] as Record<string, string>
  const beside = ['fast-check', 'uvu', '@types/node'].map((name) => `${name}@${versions[name]}`)
  await run(consumer, 'npm', 'install', '--no-audit', '--no-fund', tarball, ...beside)
  return ''
}

const program = async (): Promise<string> => {
  const door = (name: string): string => name.replace(/^\./, 'pullback')
  const text = [
    ...ready.map(([name], at) => `import * as part${at} from '${door(name)}'`),
    `const parts: readonly (readonly [string, object])[] = [`,
    ...ready.map(([name], at) => `  ['${door(name)}', part${at}],`),
    `]`,
    `for (const [name, part] of parts) {`,
    `  const names = Object.keys(part)`,
    '  if (names.length === 0) throw new Error(`${name} exports nothing`)',
    '  console.log(`${name} ${names.length}`)',
    `}`,
  ]
  writeFileSync(`${consumer}/program.ts`, `${text.join('\n')}\n`)
  const compilerOptions = {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    lib: ['esnext', 'dom'],
    types: [],
    noEmit: true,
  }
  writeFileSync(`${consumer}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  await node(consumer, tsc, '-p', '.', '--pretty', 'false')
  return (await node(consumer, 'program.ts')).trim().replaceAll('\n', ', ')
}

const readme = async (): Promise<string> => {
  const blocks = blocksOfPage('README.md', readFileSync(`${root}README.md`, 'utf8'))
  for (const { line, code } of blocks) writeFileSync(`${consumer}/readme-${line}.ts`, `${code}\n`)
  await node(consumer, tsc, '-p', '.', '--pretty', 'false')
  for (const { line } of blocks.filter((block) => block.run)) await node(consumer, `readme-${line}.ts`)
  return `${blocks.length} programs`
}

// the law kit as docs/laws.md tells it, with test runners of the consumer's own
const laws = async (): Promise<string> => {
  const folder = `${consumer}/laws`
  mkdirSync(folder)
  const blocks = blocksOfPage('docs/laws.md', readFileSync(`${root}docs/laws.md`, 'utf8'))
  for (const { line, code } of blocks) writeFileSync(`${folder}/${line}.ts`, `${code}\n`)
  const compilerOptions = { types: ['node'], noUncheckedIndexedAccess: true, moduleDetection: 'force' }
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] }),
  )
  await node(consumer, tsc, '-p', 'laws', '--pretty', 'false')
  for (const { line } of blocks) await node(consumer, `laws/${line}.ts`)
  return `${blocks.length} programs`
}

// its programs for test runners that nothing else of ours needs
const otherRunners = async (): Promise<void> => {
  const folder = `${work}/runner`
  layOutRunners(folder)
  const failure = await run(folder, 'npm', 'install', '--no-audit', '--no-fund', tarball).then(
    () => undefined,
    (error: Error) => error.message.trim().split('\n')[0] ?? '',
  )
  if (failure !== undefined)
    return skip('laws under vitest and jest', `npm cannot install them here: ${failure}`)
  await check('laws under other runners', () =>
    runUnder(folder, run, new URL('../docs/laws.md', import.meta.url)),
  )
}

// the page in spec/consumer, which needs Chromium, and for two of its ways Vite from the registry
const pages = async (): Promise<void> => {
  const folder = `${work}/page`
  layOut(folder)
  const failure = await run(folder, 'npm', 'install', '--no-audit', '--no-fund', tarball).then(
    () => undefined,
    (error: Error) => error.message.trim().split('\n')[0] ?? '',
  )
  if (failure !== undefined)
    await run(folder, 'npm', 'install', '--omit=dev', '--no-audit', '--no-fund', tarball)
  await check('what a page loads', () => treeShaking(folder))
  if (chromiumPath() === undefined) return skip('pages in Chromium', noChromium)
  const browser = await launchChromium()
  try {
    await check('a page without a bundler', () => plainPage(folder, browser))
    if (failure !== undefined) return skip('pages by Vite', `npm cannot install it here: ${failure}`)
    await check('a page built by Vite', () => vitePage(folder, browser))
    await check('a page from the server of Vite', () => viteServer(folder, browser))
  } finally {
    await browser.close()
  }
}

// what is asked for at run time alone: the codecs of images and the Hub's client
const late = async (): Promise<string> => {
  const image = readFileSync(`${root}spec/fixtures/images/files/whole.jpg`).toString('base64')
  const text = [
    `import { decodeImage, fetchModel } from 'pullback/models'`,
    `const found = await decodeImage(Uint8Array.from(Buffer.from('${image}', 'base64')))()`,
    `const hub = { endpoint: 'http://127.0.0.1:9', cache: 'cache', offline: false, token: null, tries: 1 }`,
    `const model = await fetchModel('mill/heron', hub)()`,
    'const size = found._tag === "Left" ? found.left : `${found.right.width} by ${found.right.height}`',
    'console.log(`${size}; ${model._tag === "Left" ? model.left : "fetched"}`)',
  ]
  writeFileSync(`${consumer}/late.mjs`, text.join('\n'))
  const said = (await node(consumer, 'late.mjs')).trim()
  if (!/^31 by 23; mill\/heron: .* cannot be reached/.test(said)) throw new Error(said)
  return said
}

const command = async (): Promise<string> => {
  const help = await run(consumer, 'npx', '--no-install', 'pullback', '--help')
  return help.trim().split('\n')[0] ?? ''
}

try {
  await check('npm pack', pack)
  if (tarball !== '') {
    await check('publint', () => node(checkout, publint, tarball, '--strict').then(() => ''))
    await check('npm install', install)
    await check('entry points', program)
    for (const [name] of entries.filter((entry) => !ready.includes(entry))) skip(name, 'has no sources yet')
    if (existsSync(`${root}README.md`)) await check('README', readme)
    await check('laws', laws)
    await check('codecs of images and the client of the Hub', late)
    await otherRunners()
    if (existsSync(`${root}cli/main.ts`)) await check('npx pullback --help', command)
    else skip('npx pullback', 'has no sources yet')
    await pages()
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
