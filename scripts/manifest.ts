/**
 * package.json names the sources, so that a checkout needs no build; the package names dist.
 *
 *   node scripts/manifest.ts publish   writes the published form (npm's prepack)
 *   node scripts/manifest.ts restore   puts the original back (postpack)
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

export type Manifest = {
  readonly exports: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

type Entry = string | { readonly types: string; readonly default: string }

const ours = ['scripts', 'devDependencies', 'overrides', 'allowScripts'] as const

// ./core/index.ts stands for ./dist/core/index.js and its declarations
const entry = (source: string): Entry => {
  if (!source.endsWith('.ts')) return source
  const base = source.replace(/^\.\/(.*)\.ts$/, './dist/$1')
  return { types: `${base}.d.ts`, default: `${base}.js` }
}

/** The manifest that users get: the entry points that `built` has in dist, nothing for development alone. */
export const published = (manifest: Manifest, built: (path: string) => boolean): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(manifest).filter(([field]) => !ours.some((own) => own === field))),
  exports: {
    ...Object.fromEntries(
      Object.entries(manifest.exports)
        .map(([name, source]) => [name, entry(source)] as const)
        .filter(([, to]) => built(typeof to === 'string' ? to : to.default)),
    ),
    // for pages without a bundler; only the package has it
    ...(built('./dist/browser/pullback.js') ? { './browser/*': './dist/browser/*' } : {}),
  },
})

const root = new URL('..', import.meta.url).pathname
const path = `${root}package.json`
const original = `${root}.cache/package.json`

const commands: Readonly<Record<string, () => void>> = {
  publish: () => {
    const text = readFileSync(path, 'utf8')
    mkdirSync(`${root}.cache`, { recursive: true })
    writeFileSync(original, text)
    const manifest = published(JSON.parse(text) as Manifest, (file) => existsSync(root + file))
    writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)
  },
  restore: () => {
    if (existsSync(original)) renameSync(original, path)
  },
}

const [command] = process.argv.slice(2)
if (command !== undefined) commands[command]?.()
