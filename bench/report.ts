/** Results as a table for people and as files for later. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { machine } from '../kernels/diagnose.ts'
import type { Row } from './figure.ts'

const units: Readonly<Record<string, readonly [title: string, render: (value: number) => string]>> = {
  msPerStep: ['ms/step', (x) => x.toFixed(1)],
  msPerToken: ['ms/token', (x) => x.toFixed(1)],
  tokensPerSecond: ['tokens/s', (x) => x.toFixed(0)],
  tokensPerPass: ['tokens/pass', (x) => x.toFixed(2)],
  compileMs: ['compile ms', (x) => x.toFixed(0)],
  peakBytes: ['peak MB', (x) => (x / 1e6).toFixed(0)],
  gflops: ['GFLOP/s', (x) => x.toFixed(1)],
  nsPerElement: ['ns/element', (x) => x.toFixed(2)],
  microseconds: ['µs', (x) => x.toFixed(2)],
  milliseconds: ['ms', (x) => x.toFixed(2)],
  times: ['× the first', (x) => x.toFixed(2)],
}

/** One line for each case, engine and number of threads; each figure with its ratio to ours. */
export const tableOf = (rows: readonly Row[]): string => {
  const columns = [...new Set(rows.map(({ metric }) => metric))]
  const groups = Map.groupBy(rows, ({ case: name, engine, threads }) => [name, threads, engine].join('|'))
  const body = [...groups.values()].map((group) => {
    const [{ case: name, engine, threads }] = group as [Row, ...Row[]]
    const cells = columns.map((metric) => {
      const row = group.find((one) => one.metric === metric)
      if (row === undefined) return ''
      const ratio = Number.isFinite(row.ratio) && row.ratio !== 1 ? ` (×${row.ratio.toFixed(2)})` : ''
      return (units[metric]?.[1](row.value) ?? String(row.value)) + ratio
    })
    return [name, `${threads}`, engine, ...cells]
  })
  const all = [
    ['case', 'threads', 'engine', ...columns.map((metric) => units[metric]?.[0] ?? metric)],
    ...body,
  ]
  const widths = all[0]?.map((_, i) => Math.max(...all.map((cells) => (cells[i] as string).length))) ?? []
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
  return all.map((cells) => text(cells).trimEnd()).join('\n')
}

const versionsOf = (python: string | undefined): Readonly<Record<string, string>> => {
  const read = (path: string): string =>
    (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version
  const peers = [
    '@huggingface/transformers',
    'onnxruntime-node',
    '@jax-js/jax',
    '@tensorflow/tfjs-backend-wasm',
  ].flatMap((name): [string, string][] => {
    try {
      return [[name, read(`node_modules/${name}/package.json`)]]
    } catch {
      return []
    }
  })
  const ours: [string, string][] = [
    ['pullback', read('../package.json')],
    ['node', process.versions.node],
    ['v8', process.versions.v8],
  ]
  if (python === undefined) return Object.fromEntries([...ours, ...peers])
  const torch = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
  }).trim()
  return Object.fromEntries([...ours, ...peers, ['torch', torch]])
}

/** Writes `results/<name>.json`: machine, device, versions, every figure with its ratio. Gives the path. */
export const save = (
  name: string,
  rows: readonly Row[],
  python: string | undefined,
  device?: string,
): string => {
  const folder = fileURLToPath(new URL('results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const path = `${folder}${name}.json`
  const { runtime, processor, cores, memory } = machine()
  const content = {
    machine: { runtime, processor, cores, memory },
    ...(device === undefined ? {} : { device }),
    versions: versionsOf(python),
    figures: rows,
  }
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`)
  return path
}
