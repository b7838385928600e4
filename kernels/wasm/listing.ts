/** A program's kernels as WebAssembly text. */
import type { BufferSpec, Program } from '../program/index.ts'
import { flatLaunches } from '../program/index.ts'
import { launchName } from '../profile/index.ts'
import type { KernelText } from '../webgpu/index.ts'
import type { Target } from './emitter.ts'
import { imports } from './emitter.ts'
import { kernelOf } from './launch.ts'
import { functionText } from './text.ts'

/** As on a runtime that has relaxed SIMD; constants stand in the code. */
const target: Target = { fused: true, constantAddress: () => undefined }

/**
 * The functions that the `wasm` engine compiles for a program, in the order of its launches. Each takes the address
 * of its operands' addresses and the range of the launch that it is to do; products call `packRows`, `packColumns`
 * and `multiply`, which every program shares. Nothing is compiled.
 *
 * @example
 * ```ts
 * import { jit, sin, tensor } from 'pullback'
 * const [kernel] = wasmKernels(jit(sin).program(tensor([1, 2, 3])))
 * console.log(kernel?.label, kernel?.code.slice(0, 25)) // => map 3: sin (func (param $block i32)
 * ```
 */
export const wasmKernels = ({ launches, buffers }: Program): readonly KernelText[] => {
  const called = (index: number): string => `$${imports[index]?.name ?? index}`
  return flatLaunches(launches).map((launch) => {
    const kernel = kernelOf(launch, (id) => (buffers[id] as BufferSpec).dtype, 1)
    const label = launchName(launch)
    if (kernel === undefined) return { label, code: ';; it has no WebAssembly form, and runs as JavaScript' }
    return { label, code: functionText(kernel.emit(target).code, called, ['block', 'begin', 'end']) }
  })
}
