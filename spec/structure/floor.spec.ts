import { globSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cycles, floorViolations, plan } from './floor.ts'
import { importsOf, readSources } from './source.ts'
import type { Source } from './source.ts'

type Manifest = Partial<Record<'dependencies' | 'peerDependencies' | 'optionalDependencies', object>>

const root = new URL('../..', import.meta.url).pathname
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest
const packages = new Set(
  [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies].flatMap((part) =>
    Object.keys(part ?? {}),
  ),
)
const sources = readSources(root, Object.keys(plan))

const project = suite('floor plan')

project('holds for every import', () => {
  assert.equal(floorViolations(sources, packages), [])
})

project('has a place for every source', () => {
  const elsewhere = globSync('*/**/*.ts', { cwd: root, exclude: ['node_modules', 'dist', 'runs'] })
  assert.equal(
    elsewhere.filter((path) => plan[path.split(/[\\/]/)[0] ?? ''] === undefined),
    [],
  )
})

project('no file imports itself by way of others', () => {
  assert.equal(cycles(sources), [])
})

project.run()

const source = (path: string, text: string): Source => ({ path, text, imports: importsOf(path, text) })

const reading = suite('reading imports')

reading(
  'sees every form and its kind, and nothing in strings, comments, templates or regular expressions',
  () => {
    const text = `
    import a, { type B } from './a.ts'
    import type { C } from './c.ts'
    import './d.ts'
    export { e } from './e.ts'
    export type { F } from './f.ts'
    export * from './g.ts'
    const h = (await import('./h.ts')).h
    type I = import('./i.ts').I
    // import j from './j.ts'
    const k = "import k from './k.ts'" + /import l from '.\\/l.ts'/.source
    const m = \`import m from './m.ts' \${await import(\`./n.ts\`)}\`
  `
    assert.equal(
      importsOf('x.ts', text).map(({ line, specifier, kind }) => `${line} ${specifier} ${kind}`),
      [
        '2 ./a.ts static',
        '3 ./c.ts type',
        '4 ./d.ts static',
        '5 ./e.ts static',
        '6 ./f.ts type',
        '7 ./g.ts static',
        '8 ./h.ts dynamic',
        '9 ./i.ts type',
        '12 ./n.ts dynamic',
      ],
    )
  },
)

reading.run()

const planted = suite('planted violations')

const violations = (path: string, text: string): string[] =>
  floorViolations([source(path, text)], new Set(['gpu.js', 'fp-ts', 'fast-check']))

const refused: readonly (readonly [path: string, text: string, reason: string])[] = [
  ['kernels/a.ts', "import '../core/tensor.ts'", 'kernels must not import core'],
  ['kernels/a.ts', "import type { T } from '../core/tensor.ts'", 'kernels must not import core'],
  ['core/a/b.ts', "export * from '../../nn/index.ts'", 'core must not import nn'],
  ['core/a.ts', "import 'pullback/nn'", 'core must not import nn'],
  ['nn/a.ts', "await import('../training/step.ts')", 'nn must not import training'],
  ['models/a.ts', "import '../training/step.ts'", 'models must not import training'],
  ['training/a.ts', "import '../models/bert.ts'", 'training must not import models'],
  ['cli/a.ts', "import '../spec/index.ts'", 'cli must not import spec'],
  ['core/a.ts', "import 'gpu.js'", 'gpu.js belongs in kernels alone'],
  ['nn/a.ts', "import 'uvu/assert'", 'uvu belongs in spec alone'],
  ['training/a.ts', "import 'fast-check'", 'fast-check belongs in spec, examples alone'],
  ['core/a.ts', "import 'node:fs'", 'core runs in browsers too'],
  ['kernels/a.ts', "export * from 'node:os'", 'kernels runs in browsers too'],
  ['cli/a.ts', "import 'eslint'", 'eslint is no dependency of the package'],
]

for (const [path, text, reason] of refused) {
  planted(`${path}: ${text}`, () => {
    const [first, ...rest] = violations(path, text)
    assert.ok(first?.startsWith(`${path}:1 imports `), first)
    assert.ok(first?.includes(reason), first)
    assert.equal(rest, [])
  })
}

const allowed: readonly (readonly [path: string, text: string])[] = [
  ['kernels/a.ts', "import { GPU } from 'gpu.js'"],
  ['kernels/a.ts', "const fs = await import('node:fs')"],
  ['kernels/a.ts', "import type { Worker } from 'node:worker_threads'"],
  ['core/a.ts', "import '../kernels/index.ts'"],
  ['training/a.ts', "import { either } from 'fp-ts'"],
  ['cli/a.ts', "import 'node:fs'; import '../models/bert.ts'; import '../training/step.ts'"],
  ['examples/a.ts', "import { grad } from 'pullback'; import { differentiable } from 'pullback/spec'"],
  ['spec/a.ts', "import 'uvu'; import '../cli/main.ts'"],
]

for (const [path, text] of allowed) {
  planted(`allowed: ${path}: ${text}`, () => assert.equal(violations(path, text), []))
}

planted('cycles, through any number of files, but not of types', () => {
  const ring = [
    source('core/a.ts', "import './b.ts'; import type { D } from './d.ts'"),
    source('core/b.ts', "export * from './c/index.ts'"),
    source('core/c/index.ts', "import '../a.ts'"),
    source('core/d.ts', "import './a.ts'; await import('./e.ts')"),
    source('core/e.ts', "import './d.ts'"),
  ]
  assert.equal(cycles(ring), ['core/a.ts -> core/b.ts -> core/c/index.ts -> core/a.ts'])
  assert.equal(cycles(ring.slice(1)), [])
})

planted.run()
