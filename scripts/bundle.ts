/**
 * dist/browser of the package: each door as one minified ES module that a page loads by a script tag, without a
 * bundler. What doors share, and gpu.js, which few pages need, stand in files of their own beside them.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Metafile, OutputFile } from 'esbuild'

/** What a file of the bundle weighs, and of which part of it what is. */
export interface Bundled {
  readonly path: string
  readonly bytes: number
  readonly packed: number
  readonly contents: Uint8Array
}

export interface BrowserBundle {
  readonly files: readonly Bundled[]
  readonly metafile: Metafile
}

const root = new URL('..', import.meta.url).pathname

/** The doors that a browser can open: all but the law kit, which needs the reader's own fast-check. */
export const browserDoors = {
  pullback: 'core/index.ts',
  nn: 'nn/index.ts',
  models: 'models/index.ts',
  training: 'training/index.ts',
  kernels: 'kernels/index.ts',
} as const

export const bundleForBrowsers = async (): Promise<BrowserBundle> => {
  const { outputFiles, metafile } = await build({
    entryPoints: Object.entries(browserDoors).map(([out, source]) => ({ out, in: root + source })),
    outdir: '/',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    // Asked for at run time in Node alone.
    external: ['node:*'],
    chunkNames: 'shared/[name]-[hash]',
    absWorkingDir: root,
    logLevel: 'warning',
    legalComments: 'none',
    write: false,
    metafile: true,
  })
  const files = outputFiles.map(({ path, contents }: OutputFile): Bundled => ({
    path: path.slice(1),
    bytes: contents.length,
    packed: gzipSync(contents, { level: 9 }).length,
    contents,
  }))
  return { files, metafile }
}

/** The packages of which something is in the bundle, and their licences: whoever hands it on hands these on too. */
export const notices = ({ metafile }: BrowserBundle): string => {
  const names = Object.keys(metafile.inputs).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  )
  return [...new Set(names)]
    .sort()
    .map((name) => {
      const folder = `${root}node_modules/${name}`
      const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
        readonly version: string
      }
      const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: folder })
      if (file === undefined) throw new Error(`${name} is bundled, but comes without a licence`)
      return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`
    })
    .join('\n----\n\n')
}

/** Writes the bundle into a folder. */
export const writeBundle = (bundle: BrowserBundle, folder: string): void => {
  const write = (path: string, contents: Uint8Array | string): void => {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true })
    writeFileSync(`${folder}/${path}`, contents)
  }
  for (const { path, contents } of bundle.files) write(path, contents)
  write('LICENSES.txt', notices(bundle))
}
