/** What a file has, beside what a model needs. */
import type { Shape } from '../../core/index.ts'
import { fileShape } from './layout.ts'
import type { Names, Place } from './name.ts'

/** A tensor as a file's header tells it. */
export interface Told {
  readonly dtype: string
  readonly shape: readonly number[]
}

export interface Match {
  /** Where each tensor of the model is in the file. */
  readonly found: readonly { readonly place: Place; readonly name: string }[]
  /** Tensors that the file lacks. */
  readonly missing: readonly Place[]
  /** Names in the file that are none of the model's. */
  readonly surplus: readonly string[]
  /** Tensors with another shape, or another kind of numbers, than the model's: in words. */
  readonly misshapen: readonly string[]
}

/** Older checkpoints call a norm's weight and bias gamma and beta. */
const modern = (name: string): string =>
  name.replace(/(LayerNorm|norm)\.gamma$/, '$1.weight').replace(/(LayerNorm|norm)\.beta$/, '$1.bias')

const floating = new Set(['F32', 'F16', 'BF16', 'F64'])

const written = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** The shape that a place has in the file: its parameters' side by side. */
export const shapeInFile = (
  { paths, layout }: Place,
  shapes: ReadonlyMap<string, Shape>,
): readonly number[] => {
  const own = paths.map((path) => shapes.get(path) as Shape)
  const [first] = own as [Shape, ...Shape[]]
  if (own.length === 1) return fileShape(layout, first)
  const width = own.reduce((n, shape) => n + (shape.at(-1) as number), 0)
  return fileShape(layout, [...first.slice(0, -1), width])
}

/** Compares a file's header with a model's places. */
export const match = (
  file: ReadonlyMap<string, Told>,
  places: readonly Place[],
  shapes: ReadonlyMap<string, Shape>,
  names: Names,
): Match => {
  const own = [...file.keys()]
  // Where a file has both spellings, the newer is read.
  const byName = new Map([
    ...own.map((name) => [modern(name), name] as const),
    ...own.map((name) => [name, name] as const),
  ])
  const used = new Set<string>()
  const found: { place: Place; name: string }[] = []
  const missing: Place[] = []
  const misshapen: string[] = []
  for (const place of places) {
    const spelling = [place.name, ...place.also].find((name) => byName.has(name))
    if (spelling === undefined) {
      missing.push(place)
      continue
    }
    const name = byName.get(spelling) as string
    used.add(name)
    found.push({ place, name })
    const { dtype, shape } = file.get(name) as Told
    const expected = shapeInFile(place, shapes)
    if (shape.join() !== expected.join())
      misshapen.push(`${name} ${written(shape)} (expected ${written(expected)})`)
    else if (!floating.has(dtype)) misshapen.push(`${name} of ${dtype} (expected floating-point numbers)`)
  }
  const tied = new Set(Object.keys({ ...names.tied, ...names.copies }))
  const surplus = own.filter(
    (name) =>
      !used.has(name) && !tied.has(modern(name)) && !names.ignored.some((pattern) => pattern.test(name)),
  )
  return { found, missing, surplus, misshapen }
}

/** What is wrong in one sentence, or undefined where nothing is. `lenient`: something missing or surplus is not wrong. */
export const complaint = ({ missing, surplus, misshapen }: Match, lenient: boolean): string | undefined => {
  const parts = [
    ...(lenient || missing.length === 0 ? [] : [`missing ${missing.map(({ name }) => name).join(', ')}`]),
    ...(lenient || surplus.length === 0 ? [] : [`surplus ${surplus.join(', ')}`]),
    ...(misshapen.length === 0 ? [] : [`misshapen ${misshapen.join(', ')}`]),
  ]
  return parts.length === 0 ? undefined : `the checkpoint does not fit the model: ${parts.join('; ')}`
}
