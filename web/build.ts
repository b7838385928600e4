/** npm run build:web: the page as files that any static server can hand out, in web/dist. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { buildPage } from './bundle.ts'

const dist = new URL('dist/', import.meta.url).pathname
for (const [path, { body }] of Object.entries(await buildPage())) {
  const file = dist + (path === '/' ? 'index.html' : path.slice(1))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, body)
  console.log(`${file}: ${(body.length / 1000).toFixed(0)} kB`)
}
