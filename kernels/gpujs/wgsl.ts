/** gpu.js as a compiler to WGSL: its classes translate a kernel without a device and without running it. */
import { gpuJs } from './library.ts'

/** What one kernel becomes: bind group 0 holds the parameters, then the inputs, then the result. */
export interface Wgsl {
  readonly code: string
  /** Threads of one workgroup along x, y and z. */
  readonly workgroup: readonly number[]
  /** Bytes of the parameters: the output's three sizes, the threads along x, then four words for each input. */
  readonly parameterBytes: number
  /** Where each input's four words (its sizes along x, y and z and in all) begin, in bytes. */
  readonly sizesAt: readonly number[]
}

interface ParametersLayout {
  readonly byteLength: number
  readonly arrayArgs: readonly { readonly dimsOffset: number }[]
}

/** The part of gpu.js' WebGPUKernel that translates; it is exported but not described. */
interface Translator {
  output: number[]
  threadDim: number[]
  paramsLayout: ParametersLayout
  readonly translatedBody: string
  readonly workgroupSize: readonly number[]
  readonly setupConstants: () => void
  readonly setupArguments: (inputs: readonly unknown[]) => void
  readonly validateSettings: (inputs: readonly unknown[]) => void
  readonly translateSource: () => void
  readonly computeParamsLayout: () => ParametersLayout
  readonly assembleWGSL: () => string
}

type ArgumentType = 'Array' | 'Float'

interface HelperFunction {
  readonly name: string
  readonly source: string
  readonly settings: {
    readonly argumentTypes: Readonly<Record<string, 'Float'>>
    readonly returnType: 'Float'
  }
}

type TranslatorClass = new (
  source: string,
  settings: {
    readonly output: readonly number[]
    readonly argumentTypes: readonly ArgumentType[]
    readonly functions: readonly HelperFunction[]
    readonly loopMaxIterations: number
  },
) => Translator

const translated = (
  source: string,
  output: readonly number[],
  argumentTypes: readonly ArgumentType[],
  functions: readonly HelperFunction[] = [],
): Translator => {
  const library = gpuJs() as unknown as { readonly WebGPUKernel: TranslatorClass } | undefined
  if (library === undefined) throw new Error('gpujs: gpu.js is not loaded, await loadGpuJs() first')
  const kernel = new library.WebGPUKernel(source, {
    output,
    argumentTypes,
    functions,
    loopMaxIterations: 1e9,
  })
  const values = argumentTypes.map(() => 0)
  kernel.setupConstants()
  kernel.setupArguments(values)
  kernel.validateSettings(values)
  kernel.threadDim = [...kernel.output, 1, 1].slice(0, 3)
  kernel.translateSource()
  return kernel
}

/**
 * Translates a kernel of `inputs` flat arrays whose threads are numbered by `output`, x first.
 *
 * @example
 * ```ts
 * import { loadGpuJs, wgslOf } from 'pullback/kernels'
 * await loadGpuJs()
 * const { code, workgroup } = wgslOf('function (a) { return a[this.thread.x] * 2 }', [8], 1)
 * console.log(code.includes('@compute'), workgroup.length) // => true 3
 * ```
 */
export const wgslOf = (source: string, output: readonly number[], inputs: number): Wgsl => {
  const kernel = translated(source, output, new Array<'Array'>(inputs).fill('Array'))
  kernel.paramsLayout = kernel.computeParamsLayout()
  return {
    code: kernel.assembleWGSL(),
    workgroup: kernel.workgroupSize,
    parameterBytes: kernel.paramsLayout.byteLength,
    sizesAt: kernel.paramsLayout.arrayArgs.map(({ dimsOffset }) => dimsOffset),
  }
}

/** Definitions of float32 values, each by one expression over `parameters` and values before it. */
export interface Block {
  readonly parameters: readonly string[]
  readonly values: readonly { readonly name: string; readonly expression: string }[]
}

/** A function of float32 numbers that a block may call; whoever uses the translation supplies it. */
const helper = (name: string, count: number): HelperFunction => {
  const parameters = Array.from({ length: count }, (_, index) => `x${index}`)
  return {
    name,
    source: `function ${name}(${parameters.join(', ')}) { return ${parameters.join(' + ')}; }`,
    settings: {
      argumentTypes: Object.fromEntries(parameters.map((parameter) => [parameter, 'Float'])),
      returnType: 'Float',
    },
  }
}

const known = new Map<string, string>()

/**
 * Translates a block to WGSL statements over the same names. `helpers` are the functions that its expressions
 * call and how many arguments each takes; a call of `max` becomes one of `fn_max`.
 *
 * Throws where gpu.js refuses the block, or translates it in a form that is not the one known here.
 *
 * @example
 * ```ts
 * import { loadGpuJs, wgslBlock } from 'pullback/kernels'
 * await loadGpuJs()
 * console.log(wgslBlock({ parameters: ['a', 'b'], values: [{ name: 'c', expression: 'a * b + 1' }] }))
 * // => let c = ((a*b)+1.0);
 * ```
 */
export const wgslBlock = (
  { parameters, values }: Block,
  helpers: Readonly<Record<string, number>> = {},
): string => {
  const last = values.at(-1)
  if (last === undefined) return ''
  const statements = values.map(({ name, expression }) => `const ${name} = ${expression};`)
  const source = `function (${parameters.join(', ')}) {\n${statements.join('\n')}\nreturn ${last.name};\n}`
  const before = known.get(source)
  if (before !== undefined) return before
  const called = Object.entries(helpers).filter(([name]) => source.includes(`${name}(`))
  const { translatedBody } = translated(
    source,
    [1],
    parameters.map(() => 'Float'),
    called.map(([name, count]) => helper(name, count)),
  )
  const lines = translatedBody.trim().split('\n')
  const end = lines.pop()
  const names = values.map(({ name }, index) => lines[index]?.startsWith(`var user_${name} : f32 = `))
  if (end !== `result[data_index] = user_${last.name};return;` || lines.length !== values.length)
    throw new Error(`gpujs: gpu.js translated a block in a way that is not known here: ${translatedBody}`)
  if (names.includes(false))
    throw new Error(`gpujs: gpu.js made other than float32 values of a block: ${translatedBody}`)
  const code = lines
    .map((line) =>
      line
        .replace(/^var /, 'let ')
        .replace(/\b(?:params\.)?user_/g, '')
        .replace(' : f32', ''),
    )
    .join('\n')
  if (known.size >= 4096) known.delete(known.keys().next().value as string)
  known.set(source, code)
  return code
}
