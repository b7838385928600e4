/**
 * npm run build: dist/ for the package. tsc writes the JavaScript and the declarations; what it leaves alone is
 * done here: the file names in declarations, those of worker files in `new URL('./worker.ts', import.meta.url)`,
 * files that are no TypeScript, and dist/browser, for pages without a bundler.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { bundleForBrowsers, writeBundle } from './bundle.ts'

const root = new URL('..', import.meta.url).pathname
const dist = `${root}dist`
const tsc = `${root}node_modules/@typescript/compiler/bin/tsc`

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })

const rewrite = (pattern: string, from: RegExp, to: string): number => {
  const paths = globSync(pattern, { cwd: dist })
  for (const path of paths) {
    const text = readFileSync(`${dist}/${path}`, 'utf8')
    const changed = text.replace(from, to)
    if (changed !== text) writeFileSync(`${dist}/${path}`, changed)
  }
  return paths.length
}
const modules = rewrite('**/*.js', /(new URL\(\s*['"][^'"]+)\.ts(['"],\s*import\.meta\.url)/g, '$1.js$2')
rewrite('**/*.d.ts', /(\b(?:from|import) ?\(?['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2')

const assets = globSync('{kernels,core,nn,models,training,cli}/**/*.{json,html,css,svg,wgsl,wasm}', {
  cwd: root,
})
for (const path of assets) {
  mkdirSync(dirname(`${dist}/${path}`), { recursive: true })
  copyFileSync(`${root}${path}`, `${dist}/${path}`)
}

if (!existsSync(`${dist}/core/index.js`))
  throw new Error('core/index.ts is missing: the package has no main door')
const bundle = await bundleForBrowsers()
writeBundle(bundle, `${dist}/browser`)
for (const { path, bytes, packed } of bundle.files)
  console.log(
    `dist/browser/${path}: ${(bytes / 1000).toFixed(1)} kB, ${(packed / 1000).toFixed(1)} kB with gzip`,
  )
console.log(`dist: ${modules} modules${assets.length > 0 ? `, ${assets.length} other files` : ''}`)
