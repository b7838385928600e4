/**
 * The package in a browser as its users have it there: installed from its tarball, the page beside this file is
 * bundled by Vite, handed out by Vite's development server, or loaded by a script tag as it is; then it trains.
 */
import { spawn } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { browserDoors } from '../../scripts/bundle.ts'
import type { Served } from '../support/browser.ts'
import { serve } from '../support/browser.ts'

const own = new URL('.', import.meta.url).pathname

declare const train: (
  engine: string,
  steps: number,
) => Promise<{ readonly detail: string; readonly losses: readonly number[] }>

const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript' }

const filesOf = (folder: string, pattern: string, prefix: string): Record<string, Served> =>
  Object.fromEntries(
    globSync(pattern, { cwd: folder }).map((path) => [
      `${prefix}${path}`,
      {
        type: types[path.split('.').at(-1) ?? ''] ?? 'text/plain',
        body: readFileSync(`${folder}/${path}`),
      },
    ]),
  )

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

/** How often each engine is to lower the loss, and by which way its losses may differ from the first one's. */
const steps = 12

/** Opens the page and trains on each of the engines; what they say of themselves. */
const drive = async (
  browser: Browser,
  url: string,
  threads: RegExp,
  names: readonly string[],
): Promise<string> => {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  try {
    await page.goto(url)
    await page
      .waitForFunction(() => document.querySelector('output')?.textContent === 'ready', null, {
        timeout: 30_000,
      })
      .catch(() => {
        throw new Error(`the page does not load: ${complaints.join('; ')}`)
      })
    const expected = await page.evaluate((n) => train('reference', n), steps)
    const [first = 0, last = 0] = [expected.losses[0], expected.losses.at(-1)]
    if (!(last < 0.7 * first)) throw new Error(`it does not learn: ${expected.losses.join(' ')}`)
    for (const name of names) {
      const { detail, losses } = await page.evaluate(([one, n]) => train(one, n), [name, steps] as const)
      if (name === 'wasm' && !threads.test(detail)) throw new Error(`wasm says ${detail}`)
      losses.forEach((loss, step) => {
        const right = expected.losses[step] as number
        if (!(Math.abs(loss - right) <= 1e-3 * right))
          throw new Error(`${name}, step ${step}: a loss of ${loss}, not ${right}`)
      })
    }
    if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`)
    return `${names.join(', ')} learn alike, from ${first.toFixed(2)} to ${last.toFixed(2)}`
  } finally {
    await page.close()
  }
}

const served = async (
  files: Readonly<Record<string, Served>>,
  isolated: boolean,
  use: (url: string) => Promise<string>,
): Promise<string> => {
  const { url, close } = await serve(files, isolated)
  try {
    return await use(url)
  } finally {
    close()
  }
}

const all = ['wasm', 'webgpu:software', 'gpujs:webgl2']
const many = /[2-9]\d* threads$/
const single = /1 thread \(memory cannot be shared here\)$/
const threadsOf = (isolated: boolean): RegExp =>
  isolated && navigator.hardwareConcurrency > 1 ? many : isolated ? /1 thread$/ : single

const bothWays = async (files: Readonly<Record<string, Served>>, browser: Browser): Promise<string> => {
  const said = await served(files, true, (url) => drive(browser, url, threadsOf(true), all))
  await served(files, false, (url) => drive(browser, url, threadsOf(false), ['wasm']))
  return said
}

/** The page's folder, with the package in its node_modules. */
export const layOut = (folder: string): void => {
  mkdirSync(folder)
  for (const name of ['package.json', 'index.html', 'main.js']) cpSync(own + name, `${folder}/${name}`)
}

/** No bundler: the package's own bundle for browsers, whose modules an import map names. */
export const plainPage = (folder: string, browser: Browser): Promise<string> => {
  const place = `node_modules/pullback/dist/browser`
  const imports = Object.fromEntries(
    Object.keys(browserDoors).map((door) => [
      door === 'pullback' ? door : `pullback/${door}`,
      `/${place}/${door}.js`,
    ]),
  )
  const html = readFileSync(`${folder}/index.html`, 'utf8').replace(
    '<!-- import map -->',
    `<script type="importmap">${JSON.stringify({ imports })}</script>`,
  )
  const files = {
    '/': { type: 'text/html', body: html },
    '/main.js': { type: 'text/javascript', body: readFileSync(`${folder}/main.js`) },
    ...filesOf(`${folder}/${place}`, '**/*.js', `/${place}/`),
  }
  return bothWays(files, browser)
}

const vite = 'node_modules/vite/bin/vite.js'

/** What a command prints, once it has ended; an error with all of it where it fails. */
const printed = (folder: string, ...words: string[]): Promise<string> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, words, { cwd: folder })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    child.on('close', (code) => (code === 0 ? done(text) : fail(new Error(text))))
  })

export const vitePage = async (folder: string, browser: Browser): Promise<string> => {
  rmSync(`${folder}/dist`, { recursive: true, force: true })
  await printed(folder, vite, 'build', '--logLevel', 'warn')
  const files = filesOf(`${folder}/dist`, '**/*.{html,js}', '/')
  const said = await bothWays({ ...files, '/': files['/index.html'] as Served }, browser)
  const html = (files['/index.html'] as Served).body.toString()
  const first = /src="([^"]+)"/.exec(html)?.[1] ?? ''
  const body = files[first]?.body as Buffer
  const later = Object.entries(files).filter(([path]) => path.endsWith('.js') && path !== first)
  return `${said}; ${kilobytes(body.length)}, ${kilobytes(gzipSync(body).length)} with gzip, and ${later
    .map(
      ([path, file]) =>
        `${path.replace(/^.*\//, '').replace(/-[^-]*$/, '')} later, ${kilobytes(file.body.length)}`,
    )
    .join(', ')}`
}

/** Vite's development server, in which each page is isolated. */
export const viteServer = async (folder: string, browser: Browser): Promise<string> => {
  writeFileSync(
    `${folder}/vite.config.js`,
    `export default { server: { headers: {
  'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } } }\n`,
  )
  const child = spawn(process.execPath, [vite, '--port', '0'], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
  })
  try {
    const url = await new Promise<string>((found, fail) => {
      let text = ''
      const keep = (chunk: Buffer): void => {
        text += chunk.toString()
        const address = /http:\/\/localhost:\d+\//.exec(text)?.[0]
        if (address !== undefined) found(address)
      }
      child.stdout.on('data', keep)
      child.stderr.on('data', keep)
      child.on('close', () => fail(new Error(text)))
    })
    return await drive(browser, url, threadsOf(true), all)
  } finally {
    child.kill()
  }
}

/** What a program has to load that imports so much, and the folders of the package that it brings. */
const brought = async (folder: string, program: string) => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['node:*', 'gpu.js'],
    logLevel: 'silent',
    absWorkingDir: folder,
    write: false,
    metafile: true,
  })
  const [{ contents } = { contents: new Uint8Array() }] = outputFiles
  const inputs = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {})
  const folders = new Map<string, number>()
  for (const [path, { bytesInOutput }] of inputs) {
    const name = /pullback\/dist\/(kernels\/(?:wasm|webgpu|gpujs)|\w+)/.exec(path)?.[1]
    if (name !== undefined && bytesInOutput > 0) folders.set(name, (folders.get(name) ?? 0) + bytesInOutput)
  }
  return { bytes: contents.length, packed: gzipSync(contents, { level: 9 }).length, folders }
}

/** What is imported is what is loaded: the doors apart, and within a door what nobody asked for left out. */
export const treeShaking = async (folder: string): Promise<string> => {
  const core = await brought(folder, `export { grad, jit, tensor } from 'pullback'`)
  const strangers = [...core.folders.keys()].filter((name) => /^(nn|models|training|cli|spec)$/.test(name))
  if (strangers.length > 0) throw new Error(`the core alone drags in ${strangers.join(', ')}`)
  const nothing = await brought(
    folder,
    `import 'pullback'; import 'pullback/models'; import 'pullback/training'`,
  )
  if (nothing.bytes > 1000) throw new Error(`an import of nothing brings ${nothing.bytes} bytes`)
  const one = await brought(folder, `export { gpt } from 'pullback/models'`)
  const every = await brought(folder, `export * from 'pullback/models'`)
  if (one.bytes > 0.8 * every.bytes) throw new Error(`one model brings ${one.bytes} of ${every.bytes} bytes`)
  const engines = ['wasm', 'webgpu', 'gpujs'].map(
    (name) => `${name} ${kilobytes(core.folders.get(`kernels/${name}`) ?? 0)}`,
  )
  const told = ([name, { bytes, packed }]: readonly [string, typeof core]): string =>
    `${name} ${kilobytes(bytes)} (${kilobytes(packed)} with gzip)`
  return [
    ...(
      [
        ['grad, jit and tensor', core],
        ['gpt', one],
        ['all models', every],
      ] as const
    ).map(told),
    `of the first ${engines.join(', ')}`,
  ].join('; ')
}
