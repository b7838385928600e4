/** A program's kernels as the shaders that gpu.js makes of them. */
import { either as E } from 'fp-ts'
import type { BufferSpec, Program } from '../program/index.ts'
import { flatLaunches } from '../program/index.ts'
import { launchName } from '../profile/index.ts'
import type { KernelText } from '../webgpu/index.ts'
import type { KernelCache } from './cache.ts'
import { kernelCache } from './cache.ts'
import type { Input, Source } from './kernel.ts'
import { gpuJs } from './library.ts'
import { opened } from './open.ts'
import { stageFor } from './prepare.ts'

/** Browsers keep few contexts: one of these has to do for the page. */
let kept: KernelCache | undefined

const cacheFor = (): E.Either<string, KernelCache> => {
  if (kept !== undefined) return E.right(kept)
  const library = gpuJs()
  if (library === undefined) return E.left('gpujs: gpu.js is not loaded, await loadGpuJs() first')
  return E.map(
    ([gpu]: readonly [Parameters<typeof kernelCache>[0], unknown]) => (kept = kernelCache(gpu, 'webgl2')),
  )(opened(library, 'webgl2'))
}

/** A function's name, and all of its text. */
const definition = /^[a-z]\w* (\w+)\(.*?\)\s*\{[^]*?^\}\n?/gm

/** The shader without gpu.js' remarks, and without its functions that are not called: a compiler leaves both out. */
const called = (shader: string): string => {
  const functions = new Map<string, string>()
  for (const [text, name = ''] of shader.matchAll(definition))
    functions.set(name, (functions.get(name) ?? '') + text)
  const used = new Set<string>()
  const visit = (text: string): void => {
    for (const [word] of text.matchAll(/\w+(?=\()/g)) {
      const next = functions.get(word)
      if (next === undefined || used.has(word)) continue
      used.add(word)
      visit(next)
    }
  }
  visit('main(')
  return shader
    .replace(definition, (text: string, name: string) => (used.has(name) ? text : ''))
    .replace(/^\s*\/\/.*\n/gm, '')
    .replace(/^float _pow2\(float e\);\n/m, used.has('_pow2') ? '$&' : '')
    .replace(/\n{3,}/g, '\n\n')
}

/**
 * The fragment shaders that the engine `gpujs` runs for a program in mode webgl2, in the order of its launches, with
 * what runs on the host instead. Left where there is no WebGL2: gpu.js asks the device while it prints.
 *
 * @example
 * ```ts
 * import { jit, sin, tensor } from 'pullback'
 * import { loadGpuJs } from 'pullback/kernels'
 * await loadGpuJs()
 * const listed = glslKernels(jit(sin).program(tensor([1, 2, 3])))
 * console.log(listed._tag) // => Left
 * // in Node; in a browser listed.right[0].code is a shader of WebGL2
 * ```
 */
export const glslKernels = (program: Program): E.Either<string, readonly KernelText[]> =>
  E.map((cache: KernelCache) => {
    const listed = flatLaunches(program.launches).flatMap((launch): readonly KernelText[] => {
      const label = launchName(launch)
      const spec = (id: number): BufferSpec => program.buffers[id] as BufferSpec
      const stage = stageFor(launch, program, 'webgl2')
      if (typeof stage === 'string')
        return [{ label, code: `// ${stage}: it runs on the host, as JavaScript` }]
      const shader = ({ inputs, ...source }: Source): string => {
        const size = (input: Input): number => (input.kind === 'buffer' ? spec(input.id).size : stage.rows)
        const sizes = inputs.map((group) => group.reduce((total, input) => total + size(input), 0))
        const built = cache.build({ ...source, inputs }, sizes)
        if (typeof built === 'string') return `// ${built}: it runs on the host, as JavaScript`
        return called(built.kernel.kernel.compiledFragmentShader ?? '')
      }
      const { folds, outputs } = stage
      return [
        ...folds.map((source, index) => ({ label: `${label}, fold ${index + 1}`, code: shader(source) })),
        ...outputs.map(({ source }, index) => ({
          label: outputs.length === 1 ? label : `${label}, output ${index + 1}`,
          code: shader(source),
        })),
      ]
    })
    cache.sweep()
    return listed
  })(cacheFor())
