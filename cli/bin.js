#!/usr/bin/env node
// The `pullback` command. In a checkout it runs the sources by type stripping, so that it is never stale;
// in an installed package, which has no sources, it runs dist. Both want Node 22.18: where the node that was
// found is older, the one that npm installed beside us takes over.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 18)) {
  const main = existsSync(at('main.ts')) ? 'main.ts' : '../dist/cli/main.js'
  process.argv[1] = at(main)
  await import(new URL(main, import.meta.url).href)
} else {
  const node = ['../node_modules/node/bin/node', '../../node/bin/node'].map(at).find(existsSync)
  if (node === undefined) {
    console.error(`pullback needs Node 22.18 or newer, this is ${process.versions.node}`)
    process.exit(1)
  }
  const child = spawn(node, [at('bin.js'), ...process.argv.slice(2)], { stdio: 'inherit' })
  // a terminal sends Ctrl-C to both of us, and twice might mean "at once": there we only wait for the child
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
