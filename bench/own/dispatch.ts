/**
 * How much JavaScript a dispatched kernel costs in a training step, on a device of Dawn's that computes nothing: what
 * runs there is all that the processor has to do, and no kernel in software takes its cores.
 */
import { either as E } from 'fp-ts'
import { withEngine } from '../../core/index.ts'
import type { Engine } from '../../core/index.ts'
import { openWebGpu, prepareWebGpu } from '../../kernels/index.ts'
import { median } from '../clock.ts'
import { trialOf } from '../load.ts'
import { loads } from '../size.ts'

export interface DispatchLine {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly microseconds: number
}

const openIdle = async () => {
  const { create } = (await import('webgpu')) as { readonly create: (options: string[]) => GPU }
  // Where the engine looks first, as in a browser.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: create(['backend=null']) } })
  await prepareWebGpu()
  const opened = openWebGpu({ software: true })
  if (E.isLeft(opened)) throw new Error(opened.left)
  return opened.right
}

/** The engine, and a clock that runs while its programs are given to the device. */
const clocked = (engine: Engine) => {
  let spent = 0
  const compile: Engine['compile'] = (program) => {
    const executable = engine.compile(program)
    return {
      ...executable,
      run: (given) => {
        const before = performance.now()
        const results = executable.run(given)
        spent += performance.now() - before
        return results
      },
    }
  }
  return {
    engine: { ...engine, compile } satisfies Engine,
    reset: () => {
      spent = 0
    },
    spent: () => spent,
  }
}

/** How often `f` dispatches. */
const dispatchesOf = (device: GPUDevice, f: () => void): number => {
  const pass = device.createCommandEncoder().beginComputePass()
  const own = Object.getPrototypeOf(pass) as GPUComputePassEncoder
  pass.end()
  const { dispatchWorkgroups } = own
  let count = 0
  own.dispatchWorkgroups = function (...groups) {
    count++
    return dispatchWorkgroups.apply(this, groups)
  }
  f()
  own.dispatchWorkgroups = dispatchWorkgroups
  return count
}

const [rounds, steps] = [30, 10]

export const measureDispatch = async (): Promise<readonly DispatchLine[]> => {
  const idle = await openIdle()
  const { engine, reset, spent } = clocked(idle)
  const lines: DispatchLine[] = []
  for (const load of ['X', 'S'] as const) {
    const trial = withEngine(engine, () => trialOf(loads[load]))
    let { state } = trial
    const step = (): void => withEngine(engine, () => void ([state] = trial.step(state, trial.batch)))
    for (let warm = 0; warm < 20; warm++) step()
    const count = dispatchesOf(idle.device, step)
    const times = { step: [] as number[], program: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      // Between tasks, memories that nobody holds are given back.
      await new Promise((resolve) => setTimeout(resolve, 5))
      reset()
      const before = performance.now()
      for (let n = 0; n < steps; n++) step()
      times.step.push((performance.now() - before) / steps)
      times.program.push(spent() / steps)
    }
    const line = (what: string, milliseconds: readonly number[]): DispatchLine => ({
      case: `step ${load}, ${count} kernels: ${what}`,
      engine: 'webgpu',
      threads: 1,
      microseconds: (median(milliseconds) * 1e3) / count,
    })
    lines.push(line('all for one', times.step), line('its program alone', times.program))
  }
  return lines
}
