/**
 * A text written greedily by a GPT-2 with a cache, measured in this process: token by token, and with guesses that the text
 * itself makes (prompt lookup). These save passes only as far as a text repeats itself, so there are two texts: that of
 * everybody, of random weights, which hardly does, and one that the scores are bent to, the prompt over and over.
 */
import { either as E } from 'fp-ts'
import { GPT2LMHeadModel, causalReader, generate, loadQuantized } from '../../models/index.ts'
import type { GenerateOptions, Processor, Reader, Reading } from '../../models/index.ts'
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
  /** Tokens that a pass over the weights wrote, that over the prompt included: 1 where nothing is guessed. */
  readonly tokensPerPass: number
  /** What was written, which must be what others write; left out where weights are rounded or scores bent. */
  readonly ids?: string
}

export interface Measured {
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

/** The reader, and how often it has read until then. */
const counted = (reader: Reader): readonly [Reader, () => number] => {
  let passes = 0
  const around = (reading: Reading): Reading => {
    passes++
    const { through } = reading
    return {
      ...reading,
      next: async (tokens, from) => around(await reading.next(tokens, from)),
      ...(through && {
        through: async (tokens, back) => {
          const passage = await through(tokens, back)
          return { ...passage, reading: around(passage.reading) }
        },
      }),
    }
  }
  return [{ ...reader, start: async (texts) => around(await reader.start(texts)) }, () => passes]
}

/** How many tokens the text proposes: with the last one as many rows as products read without packing weights at most. */
const guessed = 4

/** Only what stood so many tokens before may come next. */
const repeating =
  (period: number): Processor =>
  (scores, { ids }) => {
    const only = new Float32Array(scores.length).fill(-Infinity)
    only[ids.at(-period) as number] = 0
    return only
  }

/** Lines of the weights as they are, with and without guesses, and of weights rounded to 16 and to 8 bits. */
export const measureGenerate = async ({
  load,
  engine,
  threads,
  seconds,
}: Measured): Promise<readonly GenerateLine[]> => {
  const opened = await openEngine(engine, threads)
  const writer = writers[load]
  const measured = async (
    name: string,
    reader: Reader,
    further: Partial<GenerateOptions> = {},
  ): Promise<GenerateLine> => {
    const [watched, passes] = counted(reader)
    const turn = async (): Promise<readonly [number, readonly number[]]> => {
      const before = performance.now()
      const options = { maxTokens: writer.tokens, ...further }
      const [written] = await generate(watched, [promptOf(writer)], options)
      return [(performance.now() - before) / writer.tokens, written?.ids ?? []]
    }
    const [, ids] = await turn()
    const tokensPerPass = ids.length / passes()
    const times: number[] = []
    const start = performance.now()
    while (times.length < 3 || performance.now() - start < seconds * 1e3) times.push((await turn())[0])
    const msPerToken = median(times)
    return {
      load,
      engine: name,
      threads,
      msPerToken,
      tokensPerSecond: 1e3 / msPerToken,
      tokensPerPass,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      ids: ids.join(' '),
    }
  }
  const exact = await readerWith(load, 'float32')
  const lines = [
    await measured(engine, exact),
    await measured(`${engine} prompt lookup`, exact, { promptLookup: guessed }),
  ]
  const others = [
    ['prompt lookup, repeating', exact, { promptLookup: guessed, processors: [repeating(writer.prompt)] }],
    ['bfloat16', await readerWith(load, 'bfloat16'), {}],
    ['int8', await readerWith(load, 'int8'), {}],
  ] as const
  for (const [name, reader, further] of others) {
    const { ids: _, ...line } = await measured(`${engine} ${name}`, reader, further)
    lines.push(line)
  }
  await opened.close()
  return lines
}
