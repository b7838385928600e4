/** A gpu.js instance in the mode that is asked for. */
import { either as E } from 'fp-ts'
import { messageOf } from './cache.ts'
import type { Gpu, GpuJs } from './library.ts'
import { modeOfKernel } from './library.ts'
import type { Mode } from './mode.ts'
import { isMode } from './mode.ts'

/** The mode that a kernel really gets, found by building one. */
const modeOf = (gpu: Gpu): string => {
  const probe = gpu.createKernel('function () { return 1; }', {
    output: [1],
    precision: 'single',
    tactic: 'precision',
    loopMaxIterations: 1,
    dynamicArguments: false,
    onRequestFallback: () => {
      throw new Error('it falls back to another mode')
    },
  })
  probe.kernel.build()
  return modeOfKernel(probe)
}

/** The instance and the mode that it really runs in; left with a sentence where that is not the one asked for. */
export const opened = (library: GpuJs, asked: string): E.Either<string, readonly [Gpu, Mode]> => {
  try {
    const gpu = new library.GPU({ mode: asked })
    const mode = modeOf(gpu)
    if (asked !== 'gpu' && mode !== asked)
      return E.left(`gpujs: mode ${asked} is not available here, gpu.js would run ${mode} instead`)
    return isMode(mode)
      ? E.right([gpu, mode])
      : E.left(`gpujs: gpu.js would run in mode ${mode}, which pullback does not print for`)
  } catch (error) {
    const message = messageOf(error)
    const reason = message.includes('is not supported') ? 'gpu.js finds nothing to run it on' : message
    return E.left(`gpujs: mode ${asked} is not available here: ${reason}`)
  }
}
