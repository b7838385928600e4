/** The floor plan as rules over sources: who may import whom, and what from outside. */
import { posix } from 'node:path'
import type { Import, Source } from './source.ts'

export type Violation = string

const library = ['kernels', 'core', 'nn', 'models', 'training'] as const

/** The folders that each folder may import from, besides itself. Examples are users' code: they use the law kit. */
export const plan: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  core: ['kernels'],
  nn: ['core', 'kernels'],
  models: ['nn', 'core', 'kernels'],
  training: ['nn', 'core', 'kernels'],
  cli: library,
  examples: [...library, 'cli', 'spec'],
  web: library,
  bench: [...library, 'cli'],
  scripts: [],
  spec: [...library, 'cli', 'examples', 'web', 'bench', 'scripts'],
}

/** Packages that live in some folders alone. */
const homes: Readonly<Record<string, readonly string[]>> = {
  'gpu.js': ['kernels'],
  'fast-check': ['spec', 'examples'],
  uvu: ['spec'],
}

const runsInBrowser = new Set<string>(library)

const folderOf = (path: string): string => path.split('/')[0] ?? ''

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

// pullback, pullback/nn … as a file of the project; undefined for everything else that is not relative
const target = (from: string, specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  if (specifier === 'pullback') return 'core/index.ts'
  return specifier.startsWith('pullback/') ? `${specifier.slice('pullback/'.length)}/index.ts` : undefined
}

const complaint = (
  source: Source,
  { kind, specifier }: Import,
  packages: ReadonlySet<string>,
): string | undefined => {
  const folder = folderOf(source.path)
  const file = target(source.path, specifier)
  if (file !== undefined) {
    const other = folderOf(file)
    if (other === folder || (plan[folder] ?? []).includes(other)) return undefined
    return `${folder} must not import ${other}`
  }
  if (specifier.startsWith('node:')) {
    return runsInBrowser.has(folder) && kind === 'static'
      ? `${folder} runs in browsers too: await import('${specifier}') where it is needed`
      : undefined
  }
  const name = packageOf(specifier)
  const home = homes[name]
  if (home !== undefined && !home.includes(folder)) return `${name} belongs in ${home.join(', ')} alone`
  if ((runsInBrowser.has(folder) || folder === 'cli') && kind !== 'type' && !packages.has(name)) {
    return `${name} is no dependency of the package: a user would not have it`
  }
  return undefined
}

/**
 * Every import that the floor plan forbids, as `path:line imports 'x': reason`.
 * `packages` are the names that a user's install brings with it.
 */
export const floorViolations = (sources: readonly Source[], packages: ReadonlySet<string>): Violation[] =>
  sources.flatMap((source) =>
    source.imports.flatMap((each) => {
      const reason = complaint(source, each, packages)
      return reason === undefined
        ? []
        : [`${source.path}:${each.line} imports '${each.specifier}': ${reason}`]
    }),
  )

/**
 * Cycles among files, each as `a.ts -> b.ts -> a.ts`. Only imports that happen when a file loads count:
 * types are erased, and a dynamic import waits until it is called.
 */
export const cycles = (sources: readonly Source[]): Violation[] => {
  const known = new Set(sources.map(({ path }) => path))
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports
        .filter(({ kind }) => kind === 'static')
        .flatMap(({ specifier }) => target(path, specifier) ?? [])
        .filter((file) => known.has(file)),
    ]),
  )
  const done = new Set<string>()
  const found: Violation[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) return void found.push([...trail.slice(at), path].join(' -> '))
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}
