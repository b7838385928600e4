/** The page's files, bundled: by path, as a server hands them out. */
import { readFileSync } from 'node:fs'
import { build } from 'esbuild'

export interface PageFile {
  readonly type: string
  readonly body: Uint8Array
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', html: 'text/html' }

const folder = new URL('.', import.meta.url).pathname

export const buildPage = async (): Promise<Readonly<Record<string, PageFile>>> => {
  const { outputFiles } = await build({
    entryPoints: [`${folder}main.ts`, `${folder}worker.ts`, `${folder}main.css`],
    outdir: '/',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    // what the page, its worker and gpu.js share, once; gpu.js is loaded when an engine needs it
    splitting: true,
    chunkNames: 'shared/[name]-[hash]',
    external: ['node:*'],
    logLevel: 'warning',
    write: false,
  })
  return {
    '/': { type: 'text/html; charset=utf-8', body: readFileSync(`${folder}index.html`) },
    ...Object.fromEntries(
      outputFiles.map(({ path, contents }) => [
        path,
        { type: types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream', body: contents },
      ]),
    ),
  }
}
