/**
 * `node bench/loading.ts [--precision NAME] [--stored NAME] [--sources] [FOLDER]`: what it costs to load a checkpoint: a
 * GPT-2 of random weights, 124 million, stored as float32 (or as `--stored` says) in a temporary folder (or the GPT-2 in
 * FOLDER), loaded in a process of its own from the built package where there is one. With `--precision` its matrices are
 * held so, for reading alone. Prints the bytes that were read, the peak of resident memory, and the time. Linux.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { either as E } from 'fp-ts'
import type * as Models from '../models/index.ts'
import type { Precision } from '../models/index.ts'
import type { StoredPrecision } from '../nn/index.ts'

const built = fileURLToPath(new URL('../dist/models/index.js', import.meta.url))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: 'string' },
    stored: { type: 'string', default: 'float32' },
    sources: { type: 'boolean', default: false },
    load: { type: 'boolean', default: false },
  },
})
const isBuilt = existsSync(built) && !values.sources

/** As a user has it where it was built: from the sources, Node's type stripping would be measured too. */
const models = async (): Promise<typeof Models> =>
  (await import(isBuilt ? built : '../models/index.ts')) as typeof Models

/** GPT-2 as it was published first: 124 million numbers. */
const write = async (folder: string): Promise<void> => {
  const { GPT2LMHeadModel, gptConfig, saveModel } = await import('../models/index.ts')
  const { random } = await import('../core/index.ts')
  const sizes = { vocabularySize: 50257, width: 768, layers: 12, heads: 12, maxLength: 1024 }
  const config = gptConfig(sizes)
  const params = GPT2LMHeadModel.layer(config).init(random.key(0))
  const precision = values.stored as Precision
  const saved = await saveModel(GPT2LMHeadModel, folder, { config, params }, { precision })()
  if (E.isLeft(saved)) throw new Error(saved.left)
}

interface Cost {
  readonly read: number
  readonly peak: number
  readonly seconds: number
}

const bytesRead = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])

/** Of this program alone: what `getrusage` tells begins with what the process held that started it. */
const peakBytes = (): number =>
  1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

/** Loads the model in this process, and tells what that took. */
const load = async (folder: string): Promise<Cost> => {
  const { GPT2LMHeadModel, loadModel, loadQuantized } = await models()
  const precision = values.precision as StoredPrecision | undefined
  const [before, start] = [bytesRead(), performance.now()]
  const loaded =
    precision === undefined
      ? await loadModel(GPT2LMHeadModel, folder)()
      : await loadQuantized(GPT2LMHeadModel, folder, { precision })()
  if (E.isLeft(loaded)) throw new Error(loaded.left)
  return {
    read: bytesRead() - before,
    peak: peakBytes(),
    seconds: (performance.now() - start) / 1000,
  }
}

const millions = (n: number): string => `${(n / 1e6).toFixed(0)} MB`

const [folder] = positionals
if (folder !== undefined && values.load) console.log(JSON.stringify(await load(folder)))
else {
  const own = folder ?? mkdtempSync(join(tmpdir(), 'pullback-bench-'))
  try {
    if (folder === undefined) await write(own)
    const size = readdirSync(own).reduce((n, file) => n + statSync(join(own, file)).size, 0)
    const output = execFileSync(process.execPath, [
      fileURLToPath(import.meta.url),
      ...process.argv.slice(2).filter((word) => word !== folder),
      '--load',
      own,
    ])
    const { read, peak, seconds } = JSON.parse(String(output)) as Cost
    console.log(`${isBuilt ? 'the built package' : 'the sources'}`)
    console.log(`${millions(size)} on disk, ${millions(read)} read, ${seconds.toFixed(1)} s`)
    console.log(
      `peak of resident memory: ${millions(peak)}, ${(peak / size).toFixed(2)} times the checkpoint`,
    )
  } finally {
    if (folder === undefined) rmSync(own, { recursive: true })
  }
}
