/** Checks a folder of whatever kind it is. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import type { Tensor } from '../../core/index.ts'
import { fromArray, toArraySync } from '../../core/index.ts'
import {
  GPT2LMHeadModel,
  architectures,
  causalReader,
  decode,
  encodeIds,
  folderSource,
  generate,
  loadModel,
  paramEntries,
  tokenizerFromJson,
} from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import type { Check } from './check.ts'
import { compare, factor, holds } from './check.ts'
import { checkModel } from './model.ts'
import { checkProcessors } from './processor.ts'
import { readReference } from './reference.ts'
import { checkTokenizer } from './tokenizer.ts'
import { checkTraining, isRun } from './train.ts'

type File = Readonly<Record<string, unknown>>

const readJson = (path: string): File => JSON.parse(readFileSync(path, 'utf8')) as File

type Any = Architecture<never, unknown, never, unknown>

/** The tensors of a folder as its model has them. */
const tensorsOf = async (folder: string): Promise<ReadonlyMap<string, Tensor>> => {
  const [name] = readJson(join(folder, 'config.json'))['architectures'] as readonly [
    keyof typeof architectures,
  ]
  const architecture = architectures[name] as unknown as Any
  const loaded = await loadModel(architecture, folder)()
  if (E.isLeft(loaded)) throw new Error(loaded.left)
  const { config, layer, params } = loaded.right
  const entries = await paramEntries(layer, architecture.names(config), params)
  return new Map(entries.map(({ name, shape, data }) => [name, fromArray(data as Float32Array, shape)]))
}

/** Half a unit in the last place of numbers as they are stored, relative to them. */
const precisions: Readonly<Record<string, number>> = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8 }

/** A folder that is another one's weights, stored otherwise. */
const checkWeights = async (folder: string, other: string): Promise<readonly Check[]> => {
  const source = await folderSource(folder)()
  if (E.isLeft(source)) return [holds('weights', 0, [source.left])]
  const [own, expected] = [await tensorsOf(folder), await tensorsOf(other)]
  const dtypes = new Set([...source.right.tensors.values()].map(({ dtype }) => dtype))
  const relative = Math.max(...[...dtypes].map((dtype) => precisions[dtype] ?? 0))
  let largest = 0
  for (const x of expected.values())
    for (const value of toArraySync(x)) largest = Math.max(largest, Math.abs(value))
  return [await compare(`weights (${[...dtypes].join(', ')})`, own, expected, (relative * largest) / factor)]
}

/** Texts that a trained model writes, from words to words. */
const checkTexts = async (folder: string, file: File): Promise<readonly Check[]> => {
  const texts = Object.entries((file['greedy_text'] ?? {}) as Readonly<Record<string, string>>)
  if (texts.length === 0) return []
  const tokenizer = tokenizerFromJson(readJson(join(folder, 'tokenizer.json')))
  const loaded = await loadModel(GPT2LMHeadModel, folder)()
  if (E.isLeft(tokenizer) || E.isLeft(loaded))
    return [holds('texts', 0, ['model or tokenizer cannot be read'])]
  const { layer, params, config } = loaded.right
  const reader = causalReader(layer, params, { maxLength: config.maxLength })
  const complaints: string[] = []
  for (const [prompt, expected] of texts) {
    const ids = encodeIds(tokenizer.right, prompt)
    const count = encodeIds(tokenizer.right, expected).length
    // Texts need not be cut where a token of the whole would end.
    const [written] = await generate(reader, [ids], { maxTokens: count - ids.length + 8 })
    const text = decode(tokenizer.right, [...ids, ...(written?.ids ?? [])])
    if (!text.startsWith(expected))
      complaints.push(`${JSON.stringify(text)}, expected ${JSON.stringify(expected)}`)
  }
  return [holds('texts', texts.length, complaints)]
}

/** All checks of a folder; one that fails where nothing is known of its kind. */
export const checkFolder = async (folder: string): Promise<readonly Check[]> => {
  if (existsSync(join(folder, 'cases.json')) && existsSync(join(folder, 'tokenizer.json')))
    return checkTokenizer(folder)
  if (!existsSync(join(folder, 'reference.json'))) return [holds('folder', 0, ['there is no reference.json'])]
  const file = readJson(join(folder, 'reference.json'))
  if (file['class'] === undefined) {
    const other = /\.\.\/([\w-]+)/.exec(String(file['reference']))?.[1]
    return other === undefined
      ? [holds('folder', 0, ['reference.json names no class and no other folder'])]
      : checkWeights(folder, join(folder, '..', other))
  }
  const reference = readReference(folder)
  if (isRun(file)) {
    if (!existsSync(join(folder, 'tokenizer.json'))) return checkTraining(reference)
    return [...(await checkModel(reference)), ...(await checkTexts(folder, file))]
  }
  if (String(file['class']).includes('logits_process')) return checkProcessors(reference, file)
  return checkModel(reference)
}
