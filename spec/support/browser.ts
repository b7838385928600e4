/** Chromium for the specs in spec/browser: bundles a page, serves it, and opens it with WebGPU and WebGL in software. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import type { BuildOptions, BuildResult } from 'esbuild'
import type { Browser, Page as BrowserPage } from 'playwright-core'
import { chromium } from 'playwright-core'

const root = new URL('../..', import.meta.url).pathname

/** The browser's program; `undefined` where there is none. */
export const chromiumPath = (): string | undefined =>
  [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path !== undefined && existsSync(path),
  )

/** Why the specs in spec/browser cannot run here. */
export const noChromium = 'no Chromium here: install it, or name it in CHROMIUM'

const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--js-flags=--expose-gc',
]

/** Milliseconds that a page may take to do what is waited for, on a machine that has much else to do. */
export const patience = 120_000

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath() ?? 'chromium', args: flags })

/** An ES module for browsers of the file, with all that it imports. */
export const bundle = (
  entry: string,
  options: BuildOptions = {},
): Promise<BuildResult<{ readonly write: false; readonly metafile: true }>> =>
  build({
    entryPoints: [`${root}${entry}`],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Asked for at run time in Node alone.
    external: ['node:*'],
    logLevel: 'silent',
    absWorkingDir: root,
    ...options,
    write: false,
    metafile: true,
  })

/** The one file of such a module; whatever the bundler warns of is an error. */
export const moduleOf = async (entry: string, options: BuildOptions = {}): Promise<Uint8Array> => {
  const { outputFiles, warnings } = await bundle(entry, options)
  const [file] = outputFiles
  if (file === undefined || warnings.length > 0)
    throw new Error(`${entry}: ${warnings.map(({ text }) => text).join('; ')}`)
  return file.contents
}

/** What is served at a path. */
export interface Served {
  readonly type: string
  readonly body: string | Uint8Array
}

/**
 * Serves files from memory on a free port; `isolated` sends the headers that let memory be shared, `policy` that of a
 * Content-Security-Policy.
 */
export const serve = async (
  files: Readonly<Record<string, Served>>,
  isolated: boolean,
  policy?: string,
): Promise<{ readonly url: string; readonly close: () => void }> => {
  const server: Server = createServer((request, response) => {
    const file = files[new URL(request.url ?? '/', 'http://localhost').pathname]
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin')
      response.setHeader('cross-origin-embedder-policy', 'require-corp')
    }
    if (policy !== undefined) response.setHeader('content-security-policy', policy)
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': file?.type ?? 'text/plain' })
    response.end(file?.body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { url: `http://localhost:${port}/`, close: () => server.close() }
}

/** A page that runs the module `code`, once it has; what it complains about is collected. */
export const openPage = async (
  browser: Browser,
  code: string | Uint8Array,
  isolated: boolean,
  policy?: string,
): Promise<{
  readonly page: BrowserPage
  readonly complaints: string[]
  readonly close: () => Promise<void>
}> => {
  const { url, close } = await serve(
    {
      '/': {
        type: 'text/html',
        body: '<!doctype html><title>pullback</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
      },
      '/main.js': { type: 'text/javascript', body: code },
    },
    isolated,
    policy,
  )
  const page = await browser.newPage()
  page.setDefaultTimeout(patience)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  // what is said of threads must not hang on the machine: two processors, though there be one
  await page.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 2 }),
  )
  await page.goto(url)
  await page.waitForLoadState('load')
  return {
    page,
    complaints,
    close: async () => {
      await page.close()
      close()
    },
  }
}
