/** Attention on an engine: its output and its gradients, for laws of several engines. */
import * as assert from 'uvu/assert'
import { attention, grad, jit, mul, random, sum, withEngine } from '../../core/index.ts'
import type { Engine, Tensor } from '../../core/index.ts'
import type { HostArray } from '../../kernels/index.ts'

export interface AttentionCase {
  readonly batch: readonly number[]
  readonly queries: number
  readonly keys: number
  readonly width: number
  readonly valueWidth: number
  readonly causal?: number
  readonly masked?: boolean
  readonly rate?: number
}

/** The output and the gradients of all three. */
export const attentionResults = (
  engine: Engine,
  { batch, queries, keys, width, valueWidth, ...how }: AttentionCase,
): readonly Tensor[] =>
  withEngine(engine, () => {
    const draw = (seed: number, shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
    const inputs = {
      query: draw(0, [...batch, queries, width]),
      key: draw(1, [...batch, keys, width]),
      value: draw(2, [...batch, keys, valueWidth]),
    }
    const weights = draw(3, [...batch, queries, valueWidth])
    const options = {
      causal: how.causal,
      mask: how.masked === true ? random.bernoulli(random.key(4), 0.7, [queries, keys]) : undefined,
      dropout: how.rate === undefined ? undefined : { rate: how.rate, key: random.key(5) },
    }
    const run = jit(({ query, key, value }: typeof inputs): Tensor => attention(query, key, value, options))
    const gradient = jit(
      grad(({ query, key, value }: typeof inputs): Tensor =>
        sum(mul(attention(query, key, value, options), weights)),
      ),
    )
    assert.equal(gradient.plan(inputs).onHost, [])
    const by = gradient(inputs)
    return [run(inputs), by.query, by.key, by.value]
  })

/** Results agree with the reference's, to the rounding of the largest number of each. */
export const assertResults = (actual: readonly HostArray[], expected: readonly HostArray[]): void =>
  actual.forEach((values, i) => {
    const wanted = expected[i] as HostArray
    let scale = 1
    for (const x of wanted) scale = Math.max(scale, Math.abs(x))
    values.forEach((x, j) => {
      if (!(Math.abs(x - (wanted[j] as number)) <= 3e-5 * scale))
        assert.unreachable(`result ${i}[${j}] is ${x}, not ${wanted[j]}`)
    })
  })
