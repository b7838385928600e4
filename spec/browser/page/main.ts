/** What the specs in this folder run inside the browser's page: the library, and laws, by name. */
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import * as core from 'pullback'
import type { Engine } from 'pullback/kernels'
import { chooseEngineAsync, engines, machine } from 'pullback/kernels'
import { engineAgrees } from '../../law/engine.ts'
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

/** A few steps of training, by gradients; the losses. */
const train = async (engine: Engine, steps: number): Promise<readonly number[]> => {
  const { add, fromArray, grad, item, jit, matmul, mean, mul, square, sub, tanh, withEngine } = core
  return withEngine(engine, async () => {
    const numbers = (count: number, scale: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * scale)
    const place = (data: Float32Array, shape: readonly number[]): core.Tensor => fromArray(data, shape)
    const x = place(numbers(64 * 8, 1), [64, 8])
    const y = place(numbers(64, 0.5), [64, 1])
    type Params = { readonly up: core.Tensor; readonly down: core.Tensor }
    const loss = ({ up, down }: Params) => mean(square(sub(matmul(tanh(matmul(x, up)), down), y)))
    const step = jit((params: Params) => {
      const by = grad(loss)(params)
      return {
        params: { up: sub(params.up, mul(0.3, by.up)), down: sub(params.down, mul(0.3, by.down)) },
        loss: add(loss(params), 0),
      }
    })
    let params: Params = { up: place(numbers(8 * 32, 0.4), [8, 32]), down: place(numbers(32, 0.3), [32, 1]) }
    const losses: number[] = []
    for (let count = 0; count < steps; count++) {
      const next = step(params)
      params = next.params
      losses.push(await item(next.loss))
    }
    return losses
  })
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
  train: async (name: string, steps: number): Promise<readonly number[]> => train(await open(name), steps),
}

export type Page = typeof page

Object.assign(globalThis, { pullbackPage: page })
