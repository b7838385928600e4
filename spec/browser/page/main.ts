/** What the specs in this folder run inside the browser's page: the library, and laws, by name. */
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { grad, jit, mul, softmax, sum, tanh, tensor } from 'pullback'
import type { Tensor } from 'pullback'
import type { Engine } from 'pullback/kernels'
import { chooseEngineAsync, engines, glslKernels, loadGpuJs, machine } from 'pullback/kernels'
import { engineAgrees } from '../../law/engine.ts'
import { growth } from './growth.ts'
import type { Growth } from './growth.ts'
import { endedKernels } from './kernel.ts'
import { sameBits, withBrokenWorkers } from './thread.ts'
import { train } from './train.ts'
import { operationsAgree, operationUlps, specialRowsAgree } from '../../law/operation.ts'

const opened = new Map<string, Engine>()

const open = async (name: string): Promise<Engine> => {
  const known = opened.get(name)
  if (known !== undefined) return known
  const choice = await chooseEngineAsync(name)
  if (E.isLeft(choice)) throw new Error(choice.left)
  opened.set(name, choice.right.engine)
  return choice.right.engine
}

const page = {
  runtime: (): string => machine().runtime,
  isolated: (): boolean => globalThis.crossOriginIsolated,
  detail: async (name: string): Promise<string> => (await open(name)).detail,
  /** What each engine says, or why it cannot run. */
  available: async (): Promise<Readonly<Record<string, string>>> => {
    const told: Record<string, string> = {}
    for (const row of engines)
      for (const name of [row.name, ...row.variants.map((variant) => `${row.name}:${variant}`)]) {
        const choice = await chooseEngineAsync(name)
        told[name] = E.isLeft(choice) ? `no: ${choice.left}` : choice.right.engine.detail
        if (E.isRight(choice)) await choice.right.engine.close()
      }
    return told
  },
  agree: async (
    name: string,
    numRuns: number,
    kinds?: Parameters<typeof engineAgrees>[1],
  ): Promise<string> => {
    await fc.assert(engineAgrees(await open(name), kinds), { numRuns })
    return 'agrees'
  },
  operations: async (name: string, loose: boolean): Promise<string> => {
    const ulps = { ...operationUlps, div: 3, sqrt: 3, rsqrt: 4, pow: 200 }
    await operationsAgree(await open(name), loose ? { ulps, flushes: true } : {})
    await specialRowsAgree(await open(name))
    return 'agrees'
  },
  /** The shaders of the gradient of a softmax's entropy, for 6 numbers; what WebGL2 says of each. */
  shaders: async (): Promise<
    readonly { readonly label: string; readonly code: string; readonly log: string }[]
  > => {
    await loadGpuJs()
    const f = (x: Tensor): Tensor => sum(mul(softmax(x), tanh(x)))
    const listed = glslKernels(jit(grad(f)).program(tensor([1, 2, 3, 4, 5, 6])))
    if (E.isLeft(listed)) throw new Error(listed.left)
    const gl = new OffscreenCanvas(1, 1).getContext('webgl2') as WebGL2RenderingContext
    return listed.right.map(({ label, code }) => {
      const shader = gl.createShader(gl.FRAGMENT_SHADER) as WebGLShader
      gl.shaderSource(shader, code)
      gl.compileShader(shader)
      const done = gl.getShaderParameter(shader, gl.COMPILE_STATUS) === true
      return { label, code, log: done ? 'compiled' : (gl.getShaderInfoLog(shader) ?? '') }
    })
  },
  endedKernels: async (name: string): ReturnType<typeof endedKernels> => endedKernels(await open(name)),
  sameBits: (numRuns: number): Promise<readonly string[]> => sameBits(numRuns),
  withBrokenWorkers: (): ReturnType<typeof withBrokenWorkers> => withBrokenWorkers(),
  train: async (name: string, steps: number): Promise<readonly number[]> =>
    train(await open(name), steps, { layers: 1, width: 16, batch: 4, length: 8 }),
  growth: async (name: string, steps: number): Promise<Growth> => growth(await open(name), steps),
}

export type Page = typeof page

Object.assign(globalThis, { pullbackPage: page })
