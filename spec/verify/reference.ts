/** A folder with references of the original library: inputs, outputs, gradients, by case. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { fromArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsTensor } from '../../core/safetensors.ts'

/** How far the library's own float32 run was from float64. */
export interface Rounding {
  readonly outputs: number
  readonly gradients: number
}

export interface Reference {
  readonly folder: string
  /** The class of the library. */
  readonly name: string
  /** reference.json itself. */
  readonly file: Readonly<Record<string, unknown>>
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly roundingOf: (run: string) => Rounding
  /** What the file says about a tensor in words. */
  readonly wordsOf: (tensor: string) => string
}

interface ReferenceFile {
  readonly class?: string
  readonly float32_vs_float64?: Readonly<
    Record<string, { readonly out_max_abs?: number; readonly grad_max_abs?: number }>
  >
  readonly tensors?: Readonly<Record<string, { readonly desc?: string }>>
}

/** Where a file does not say, what most others do. */
const usual = 3e-6

const tensorOf = (one: SafetensorsTensor): Tensor => {
  switch (one.dtype) {
    case 'F32':
    case 'F64':
    case 'I32':
    case 'BOOL':
      return fromArray(one.data, one.shape)
    case 'I64':
      return fromArray(Int32Array.from(one.data, Number), one.shape)
    case 'U8':
    case 'I16':
    case 'I8':
    case 'U16':
      return fromArray(Int32Array.from(one.data), one.shape)
    default:
      throw new Error(`no tensor of ${one.dtype} was expected in a reference`)
  }
}

const tensorsIn = (path: string): ReadonlyMap<string, Tensor> => {
  if (!existsSync(path)) return new Map()
  const decoded = decodeSafetensors(readFileSync(path))
  if (E.isLeft(decoded)) throw new Error(`${path}: ${decoded.left}`)
  return new Map([...decoded.right.tensors].map(([name, one]) => [name, tensorOf(one)]))
}

/** Reads reference.json, and reference.safetensors where there is one. */
export const readReference = (folder: string): Reference => {
  const json = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as Record<string, unknown>
  const file = json as unknown as ReferenceFile
  return {
    folder,
    name: file.class ?? '',
    file: json,
    tensors: tensorsIn(join(folder, 'reference.safetensors')),
    roundingOf: (run) => {
      const told = file.float32_vs_float64 ?? {}
      const main = told['run']
      const own = told[run === '' ? 'run' : `${run}.run`]
      return {
        outputs: own?.out_max_abs ?? main?.out_max_abs ?? usual,
        gradients: own?.grad_max_abs ?? main?.grad_max_abs ?? usual,
      }
    },
    wordsOf: (tensor) => file.tensors?.[tensor]?.desc ?? '',
  }
}

/** The tensors of a reference whose names begin with a prefix, by what follows it. */
export const below = ({ tensors }: Reference, prefix: string): ReadonlyMap<string, Tensor> =>
  new Map(
    [...tensors].flatMap(([name, x]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [])),
  )

/** The names of cases beside the main one: what stands before `.in.` or `.out.`. */
export const casesOf = ({ tensors }: Reference): readonly string[] => [
  ...new Set([...tensors.keys()].flatMap((name) => /^(.+?)\.(?:in|out|grad)\./.exec(name)?.[1] ?? [])),
]
