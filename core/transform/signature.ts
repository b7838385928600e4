/** What a compiled function is told apart by, in words: for the report of compiling it too often. */
import type { Engine } from '../../kernels/index.ts'
import { isTensor } from '../tensor.ts'
import { isRecord } from '../tree.ts'

/** What stands at each path of the arguments: a dtype and shape, or a value that is part of the structure. */
export type Signature = ReadonlyMap<string, string>

const named = (x: unknown): string => {
  if (typeof x === 'function') return x.name === '' ? 'a function' : `the function ${x.name}`
  if (typeof x === 'object' && x !== null) return `a ${x.constructor.name}`
  return typeof x === 'string' ? JSON.stringify(x) : String(x)
}

export const signatureOf = (args: readonly unknown[], engine: Engine): Signature => {
  const found = new Map<string, string>([['the engine', engine.name]])
  const walk = (x: unknown, path: string): void => {
    if (isTensor(x)) found.set(path, x.toString())
    else if (typeof x === 'number') found.set(path, 'float32[]')
    else if (Array.isArray(x)) x.forEach((part, i) => walk(part, `${path}/${i}`))
    else if (isRecord(x)) for (const name of Object.keys(x).sort()) walk(x[name], `${path}/${name}`)
    else found.set(path, named(x))
  }
  args.forEach((arg, i) => walk(arg, `argument ${i}`))
  return found
}

const most = 4

const listed = (items: readonly string[]): string =>
  items.length > most ? `${items.slice(0, most).join(', ')}, …` : items.join(', ')

/** What changed from the signature before the last to the last one, with what else has stood there. */
export const changes = (all: readonly Signature[]): readonly string[] => {
  const [last, before] = [all.at(-1), all.at(-2)]
  if (last === undefined || before === undefined) return []
  const paths = [...new Set([...last.keys(), ...before.keys()])].filter(
    (path) => last.get(path) !== before.get(path),
  )
  // Values that are equal only to themselves look the same in words.
  if (paths.length === 0) return ['an argument is another function or object of the same name']
  const lines = paths.map((path) => {
    const [now, then] = [last.get(path), before.get(path)]
    if (now === undefined) return `${path} is gone, before ${then}`
    if (then === undefined) return `${path} is ${now}, before there was none`
    const others = all.toReversed().map((each) => each.get(path))
    const known = new Set(others.filter((other) => other !== undefined && other !== now))
    return `${path} is ${now}, before ${listed([...known] as string[])}`
  })
  return lines.length > most ? [...lines.slice(0, most), `and ${lines.length - most} more`] : lines
}

/** The whole sentence. */
export const recompilation = (name: string, all: readonly Signature[]): string =>
  [
    `${name} was compiled ${all.length} times, the last time because`,
    ...changes(all).map((line) => `  ${line}`),
    "pad what varies to a few sizes, pass as tensors what is no shape, or raise 'limit' in the options of jit",
  ].join('\n')
