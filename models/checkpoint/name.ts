/**
 * Names of parameters in checkpoints. A family of models says by a table which part of ours is which module of
 * Hugging Face's; `placesOf` makes of it, for a model's parameters, the list of all tensors that its file holds.
 */
import { argumentError } from '../../core/error.ts'
import type { Layout } from './layout.ts'

/** What a part of ours is in a file. `*` in its name is the position of a block, as in our path. */
export interface Rule {
  readonly name: string
  /** Whether its weight is a linear layer's. */
  readonly linear?: boolean
  /** How many axes of size 1 the file puts in front. */
  readonly lead?: number
  /** A convolution's kernel: [channels, height, width]. */
  readonly kernel?: readonly number[]
  /** Which of how many parts, side by side in one tensor, this one is. */
  readonly part?: readonly [index: number, count: number]
}

/** Rules by path, in which `*` is the position of a block. */
export type Rules = Readonly<Record<string, Rule>>

/** `weight` and `bias` as ours (norms, embeddings, GPT-2's Conv1D), or one tensor where the path is a parameter. */
export const plain = (name: string): Rule => ({ name })
/** A linear layer: the weight is transposed. */
export const dense = (name: string): Rule => ({ name, linear: true })
/** A linear layer of patches that the file keeps as a convolution. */
export const convolution = (name: string, kernel: readonly number[]): Rule => ({ name, linear: true, kernel })
/** One tensor that the file keeps behind `lead` axes of size 1. */
export const led = (name: string, lead: number): Rule => ({ name, lead })
/** One of several of ours that the file keeps as one, side by side along the last axis. */
export const share = (name: string, index: number, count: number): Rule => ({ name, part: [index, count] })

export interface Names {
  /** Names of the parts that all models of the family have. */
  readonly body: Rules
  /** What stands before the body's names where there is a head: `bert.`; empty for the model without one. */
  readonly prefix: string
  /** What stands before them in files of other models of the family. */
  readonly otherPrefix: string
  /** Names of the parts of the head. */
  readonly head: Rules
  /** Tied weights: tensors that may be there, and are others of the file under another name. */
  readonly tied: Readonly<Record<string, string>>
  /** Tensors that are written once more under another name, and read from there where they are not elsewhere. */
  readonly copies?: Readonly<Record<string, string>>
  /** Tensors that may be there and hold nothing that is trained. */
  readonly ignored: readonly RegExp[]
}

/** One tensor of a file. */
export interface Place {
  readonly name: string
  /** By what names it may go in other files, the likelier first. */
  readonly also: readonly string[]
  /** Our parameters that it holds; several lie side by side. */
  readonly paths: readonly string[]
  readonly layout: Layout
}

const isPosition = (segment: string): boolean => /^\d+$/.test(segment)

/** Rules of a model that no other library knows: each tensor is called by its path, with dots. */
export const ownNames: Names = {
  body: { '**': plain('**') },
  prefix: '',
  otherPrefix: '',
  head: {},
  tied: {},
  ignored: [],
}

/** The rule of a path, and what is left of the path behind it; a rule for the path itself comes first. */
const ruleOf = (path: string, rules: Rules): readonly [rule: Rule, rest: string] | undefined => {
  if (rules['**'] !== undefined) return [plain(path.replaceAll('/', '.')), '']
  const pattern = path
    .split('/')
    .map((segment) => (isPosition(segment) ? '*' : segment))
    .join('/')
  const whole = rules[pattern]
  if (whole !== undefined) return [whole, '']
  const cut = pattern.lastIndexOf('/')
  const rule = rules[pattern.slice(0, cut)]
  return rule === undefined ? undefined : [rule, pattern.slice(cut + 1)]
}

const layoutOf = ({ linear = false, lead = 0, kernel }: Rule, leaf: string): Layout => {
  const isWeight = leaf === 'weight'
  return { transposed: linear && isWeight, lead, kernel: isWeight ? kernel : undefined }
}

/**
 * The tensors of a model's file: every path is in exactly one of them.
 *
 * @throws PullbackError when the names lack a path, or a part of a tensor that several share.
 */
export const placesOf = (paths: readonly string[], names: Names): readonly Place[] => {
  const places = new Map<string, { place: Place; parts: (string | undefined)[] }>()
  for (const path of paths) {
    const inBody = ruleOf(path, names.body)
    const found = inBody ?? ruleOf(path, names.head)
    if (found === undefined) throw argumentError('checkpoint', `no name is known for the parameter ${path}`)
    const [rule, leaf] = found
    const { name: pattern, part = [0, 1] } = rule
    const positions = path.split('/').filter(isPosition)
    const filled = pattern.replaceAll('*', () => positions.shift() ?? '*')
    const own = leaf === '' ? filled : `${filled}.${leaf}`
    const [name, also] =
      inBody === undefined ? [own, []] : [`${names.prefix}${own}`, [`${names.otherPrefix}${own}`]]
    const [index, count] = part
    const known = places.get(name) ?? {
      place: { name, also, paths: [], layout: layoutOf(rule, leaf) },
      parts: Array.from({ length: count }, () => undefined),
    }
    known.parts[index] = path
    places.set(name, known)
  }
  return [...places.values()].map(({ place, parts }) => {
    const missing = parts.indexOf(undefined)
    if (missing >= 0)
      throw argumentError('checkpoint', `no parameter is part ${missing} of the tensor ${place.name}`)
    const ties = Object.entries({ ...names.tied, ...names.copies }).flatMap(([other, one]) =>
      one === place.name ? [other] : [],
    )
    return { ...place, also: [...place.also, ...ties], paths: parts as readonly string[] }
  })
}
