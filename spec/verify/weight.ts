/** Checks what a folder says of a model's parameters: how many, which are one, which no gradient reaches. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { either as E } from 'fp-ts'
import { fromArray, toArraySync } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  architectures,
  decodeConfig,
  folderSource,
  loadModel,
  paramEntries,
  readConfigFile,
  saveModel,
} from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import type { Check } from './check.ts'
import { compare, factor, holds } from './check.ts'
import { below } from './reference.ts'
import type { Reference } from './reference.ts'
import { spellingIn } from './runner.ts'

type Any = Architecture<object, unknown, never, unknown>

/** The tensors of a folder as its model has them. */
export const tensorsOf = async (folder: string, className?: string): Promise<ReadonlyMap<string, Tensor>> => {
  const file = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
  const [own] = (file['architectures'] ?? []) as readonly string[]
  const name = (className ?? own) as keyof typeof architectures
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
export const checkStored = async (folder: string, other: string): Promise<readonly Check[]> => {
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

interface Config {
  readonly max_position_embeddings?: number
  readonly d_model?: number
}

const count = ({ shape }: Tensor): number => shape.reduce((n, size) => n * size, 1)

/** How many numbers there are, which names are one tensor, and that every other one has a gradient. */
const checkParameters = (reference: Reference, own: ReadonlyMap<string, Tensor>): readonly Check[] => {
  const { file } = reference
  // BART's and Marian's last biases are no parameters there.
  const buffers = [
    'final_logits_bias',
    ...((file['file_keys_not_in_named_parameters'] ?? []) as readonly string[]),
  ]
  const checks: Check[] = []
  const params = [...own].filter(([name]) => !buffers.includes(name))
  if (typeof file['parameters'] === 'number') {
    // Tables of positions that are computed are parameters there, and in no file.
    const computed = (file['named_parameters_not_in_file'] ?? []) as readonly string[]
    const config = JSON.parse(readFileSync(join(reference.folder, 'config.json'), 'utf8')) as Config
    const table = (config.max_position_embeddings ?? 0) * (config.d_model ?? 0)
    const total = params.reduce((n, [, x]) => n + count(x), computed.length * table)
    const wrong = total === file['parameters'] ? [] : [`${total}, expected ${file['parameters']}`]
    checks.push(holds('parameters: their number', 1, wrong))
  }
  const tied = (file['tied'] ?? []) as readonly (readonly string[])[]
  // Of names that are one tensor the file has one, or several alike.
  const apart = tied.flatMap((names) => {
    const found = names.flatMap((name) => own.get(name) ?? [])
    return found.length > 1 ? [`${names.join(' = ')} are ${found.length} tensors here`] : []
  })
  if (tied.length > 0) checks.push(holds('parameters: tied', tied.length, apart))
  const gradients = below(reference, 'grad.')
  const without = (file['parameters_without_gradient'] ?? []) as readonly string[]
  if (gradients.size > 0) {
    const left = params.flatMap(([name]) => (gradients.has(name) || without.includes(name) ? [] : [name]))
    checks.push(holds('parameters: each has its gradient', params.length, left))
  }
  return checks
}

/** Saved again, and read again, it is the same model: the same names, shapes and numbers. */
const checkSaved = async (reference: Reference): Promise<readonly Check[]> => {
  const architecture = architectures[reference.name as keyof typeof architectures] as unknown as Any
  const loaded = await loadModel(architecture, reference.folder)()
  if (E.isLeft(loaded)) return [holds('saved again', 0, [loaded.left])]
  const { config, params } = loaded.right
  const folder = mkdtempSync(join(tmpdir(), 'pullback-verify-'))
  try {
    const saved = await saveModel(architecture, folder, { config, params })()
    if (E.isLeft(saved)) return [holds('saved again', 0, [saved.left])]
    const [before, after] = [
      await tensorsOf(reference.folder, reference.name),
      await tensorsOf(folder, reference.name),
    ]
    const again = await compare('saved again', after, before, 0)
    return [{ ...again, tolerance: 0, passed: again.passed && again.deviation === 0, covers: [] }]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A config without what nobody here reads. */
const known = (config: object): object => ({ ...config, extra: undefined })

/** The same config in the spelling of older files means the same. */
const checkLegacy = async (reference: Reference): Promise<readonly Check[]> => {
  const path = join(reference.folder, 'config.legacy.json')
  if (!existsSync(path)) return []
  const architecture = architectures[reference.name as keyof typeof architectures] as unknown as Any
  const now = await readConfigFile(reference.folder)()
  if (E.isLeft(now)) return [holds('older config', 0, [now.left])]
  const old = JSON.parse(readFileSync(path, 'utf8')) as unknown
  const [a, b] = [now.right, old].map((one) => decodeConfig(architecture.codec, one))
  const wrong =
    a !== undefined &&
    b !== undefined &&
    E.isRight(a) &&
    E.isRight(b) &&
    isDeepStrictEqual(known(a.right), known(b.right))
      ? []
      : [`${JSON.stringify(b)}, expected ${JSON.stringify(a)}`]
  return [holds('older config', 1, wrong)]
}

/** The tensors by the names that they have in the folder. */
const asThere = async (
  { folder, name }: Reference,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> => {
  const architecture = architectures[name as keyof typeof architectures] as unknown as Any
  const file = await readConfigFile(folder)()
  const config = E.isRight(file) ? decodeConfig(architecture.codec, file.right) : E.left([file.left])
  if (E.isLeft(config)) throw new Error(config.left.join('; '))
  const spelling = await spellingIn(folder, architecture.names(config.right))
  return new Map([...tensors].map(([name, x]) => [spelling(name), x]))
}

export const checkParams = async (reference: Reference): Promise<readonly Check[]> => [
  ...checkParameters(reference, await asThere(reference, await tensorsOf(reference.folder, reference.name))),
  ...(await checkSaved(reference)),
  ...(await checkLegacy(reference)),
]
