/**
 * A user's kernel as source text. Engines compile it by itself (gpu.js for the GPU, others as JavaScript), so it
 * must be an ordinary function that uses nothing from around it: what can be seen of that is checked here.
 */
import { argumentError } from '../error.ts'

/** What `this` is in a kernel: which element of the output it computes, counted row-major. */
export interface KernelThread {
  readonly thread: { readonly x: number }
  /** The number of elements of the output. */
  readonly output: { readonly x: number }
  /** The numbers that `constants` gives for the shapes at hand; they are written into the source. */
  readonly constants: Readonly<Record<string, number>>
}

/** The elements of an input, flat and row-major. */
export type KernelInput = ArrayLike<number>

/** A kernel: the element `this.thread.x` of the output, computed from the inputs' elements. */
export type Kernel = (this: KernelThread, ...inputs: readonly KernelInput[]) => number

const keywords = new Set(
  'break case const continue default do else false for function if in let new null of return switch this true typeof undefined var void while Infinity Math NaN Number isFinite isNaN'.split(
    ' ',
  ),
)

const withoutText = (source: string): string =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/.*$/gm, ' ')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")

/** Names that the source reads and nowhere declares or assigns. */
const freeNames = (source: string): readonly string[] => {
  const code = withoutText(source)
  const declared = new Set<string>()
  for (const [, name = '', parameters = ''] of code.matchAll(/\bfunction\b\s*([\w$]*)\s*\(([^)]*)\)/g))
    for (const each of [name, ...parameters.split(',')]) declared.add(each.trim())
  for (const [, name = ''] of code.matchAll(/\b(?:const|let|var)\s+([\w$]+)/g)) declared.add(name)
  for (const [, name = ''] of code.matchAll(/([\w$]+)\s*=(?![=>])/g)) declared.add(name)
  const names = [...code.matchAll(/(?<![.\w$]|\.\s+)[A-Za-z_$][\w$]*/g)].map(([name]) => name)
  return [...new Set(names)].filter((name) => !keywords.has(name) && !declared.has(name))
}

const formOf = (source: string): string | undefined => {
  if (source.includes('[native code]')) return 'a function that has no source text (bound or built in)'
  if (/^async\b/.test(source)) return 'an async function'
  if (/^function\s*\*/.test(source)) return 'a generator'
  if (/^class\b/.test(source)) return 'a class'
  if (/^function\b/.test(source)) return undefined
  return /^(?:\(|[\w$]+\s*=>)/.test(source) ? 'an arrow function' : 'a method'
}

/** The source of a kernel, checked; throws with the reason why engines could not compile it. */
export const kernelSource = (operation: string, kernel: Kernel | string): string => {
  const source = (typeof kernel === 'string' ? kernel : Function.prototype.toString.call(kernel)).trim()
  const form = formOf(source)
  if (form !== undefined)
    throw argumentError(
      operation,
      `the kernel must be written with the word function, like function (x) { return 2 * x[this.thread.x] }, because gpu.js compiles nothing else; got ${form}`,
    )
  try {
    new Function(`return (${source})`)
  } catch (error) {
    // A page may forbid compiling text; its GPU still can.
    if (error instanceof SyntaxError)
      throw argumentError(operation, `the kernel is no JavaScript: ${error.message}`)
  }
  const free = freeNames(source)
  if (free.length > 0)
    throw argumentError(
      operation,
      `the kernel uses ${free.join(', ')} from outside, but it is compiled by itself; give numbers as constants, tensors as inputs, and write functions inside the kernel`,
    )
  return source
}

/** `this.constants.name` or `this.constants['name']`. */
const constant = /\bthis\s*\.\s*constants\s*(?:\.\s*([\w$]+)|\[\s*['"]([\w$]+)['"]\s*\])/g

/** The source with `this.constants.name` replaced by numbers: as literals they stay exact on every engine. */
export const withConstants = (
  operation: string,
  source: string,
  constants: Readonly<Record<string, number>>,
): string =>
  source.replace(constant, (_, dotted: string | undefined, quoted: string | undefined) => {
    const name = dotted ?? quoted ?? ''
    const value = constants[name]
    if (value === undefined || !Number.isFinite(value))
      throw argumentError(
        operation,
        `the kernel needs the constant ${name}, a finite number; there is ${
          Object.entries(constants)
            .map(([each, is]) => `${each} = ${is}`)
            .join(', ') || 'none'
        }`,
      )
    return value < 0 ? `(${value})` : String(value)
  })
