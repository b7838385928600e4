/** A text written greedily by a GPT-2 with a cache, measured in this process. */
import { either as E } from 'fp-ts'
import { GPT2LMHeadModel, causalReader, generate, loadQuantized } from '../../models/index.ts'
import type { Reader } from '../../models/index.ts'
import type { StoredPrecision } from '../../nn/index.ts'
import { median } from '../clock.ts'
import { folderOf } from '../folder.ts'
import type { WriterName } from '../size.ts'
import { promptOf, writers } from '../size.ts'
import { openEngine } from './engine.ts'

/** One line of `npm run bench -- generate --json`. */
export interface GenerateLine {
  readonly load: string
  readonly engine: string
  readonly threads: number
  /** The whole time, that of reading the prompt too, for each token. */
  readonly msPerToken: number
  readonly tokensPerSecond: number
  /** The most memory that the whole process has held until then. */
  readonly peakBytes: number
  /** What was written, which must be what others write; left out where weights are rounded. */
  readonly ids?: string
}

export interface GenerateOptions {
  readonly load: WriterName
  readonly engine: string
  readonly threads: number
  readonly seconds: number
}

const readerWith = async (load: WriterName, precision: StoredPrecision): Promise<Reader> => {
  const loaded = await loadQuantized(GPT2LMHeadModel, folderOf(load), { precision })()
  if (E.isLeft(loaded)) throw new Error(loaded.left)
  const { layer, params, config } = loaded.right
  return causalReader(layer, params, { maxLength: config.maxLength })
}

/** Lines of the weights as they are, and of weights rounded to 16 and to 8 bits. */
export const measureGenerate = async ({
  load,
  engine,
  threads,
  seconds,
}: GenerateOptions): Promise<readonly GenerateLine[]> => {
  const opened = await openEngine(engine, threads)
  const writer = writers[load]
  const measured = async (precision: StoredPrecision): Promise<GenerateLine> => {
    const reader = await readerWith(load, precision)
    const turn = async (): Promise<readonly [number, readonly number[]]> => {
      const before = performance.now()
      const [written] = await generate(reader, [promptOf(writer)], { maxTokens: writer.tokens })
      return [(performance.now() - before) / writer.tokens, written?.ids ?? []]
    }
    const [, ids] = await turn()
    const times: number[] = []
    const start = performance.now()
    while (times.length < 3 || performance.now() - start < seconds * 1e3) times.push((await turn())[0])
    const msPerToken = median(times)
    return {
      load,
      engine: precision === 'float32' ? engine : `${engine} ${precision}`,
      threads,
      msPerToken,
      tokensPerSecond: 1e3 / msPerToken,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      ...(precision === 'float32' ? { ids: ids.join(' ') } : {}),
    }
  }
  const lines = [await measured('float32'), await measured('bfloat16'), await measured('int8')]
  await opened.close()
  return lines
}
