/** Random numbers against JAX's: the same bits from the same keys. */
import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArray, jit, random, toArray, vmap, withEngine } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { subjects } from '../support/engine.ts'
import { skip } from '../support/skip.ts'

interface Case {
  readonly seed: number
  readonly key: readonly number[]
  readonly split: readonly (readonly number[])[]
  readonly foldIn: Readonly<Record<string, readonly number[]>>
  readonly [name: string]: unknown
}

const file = new URL('../fixtures/jax/random.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }

const logits = () => fromArray(Float32Array.from([0.1, 0.2, 0.7, 0.5, 0.25, 0.25], Math.log), [2, 3])
const rows = () =>
  fromArray(
    Int32Array.from({ length: 12 }, (_, i) => i),
    [4, 3],
  )

/** Draws that must be the same bits, and those that elementary functions may round otherwise. */
const exact: Readonly<Record<string, (key: random.Key) => Tensor>> = {
  bits: (key) => random.bits(key, [3, 5]),
  uniform: (key) => random.uniform(key, [3, 5]),
  bernoulli: (key) => random.bernoulli(key, 0.3, [20]),
  randint: (key) => random.randint(key, [10], { low: -3, high: 17 }),
  categorical: (key) => random.categorical(key, logits()),
  categoricalShape: (key) => random.categorical(key, logits(), { shape: [4, 2] }),
  categoricalAxis: (key) => random.categorical(key, logits(), { axis: 0 }),
  permutation: (key) => random.permutation(key, 17),
  permutationMany: (key) => random.permutation(key, 5000),
  permutationRows: (key) => random.permutation(key, rows()),
  permutationAxis: (key) => random.permutation(key, rows(), { axis: 1 }),
}
const rounded: typeof exact = {
  uniformRange: (key) => random.uniform(key, [7], { low: -2.5, high: 3 }),
  normal: (key) => random.normal(key, [4, 4]),
  gumbel: (key) => random.gumbel(key, [6]),
}

const numbers = async (x: Tensor, like: readonly number[]): Promise<readonly number[]> =>
  Array.from(await toArray(x)).slice(0, like.length)

for (const { label, engine } of await subjects(['reference', 'wasm', 'gpujs:cpu'])) {
  const test = suite(`random on ${label}`)
  if (E.isLeft(engine)) skip(test, `random on ${label}`, engine.left)
  else
    for (const one of cases)
      test(`seed ${one.seed}`, async () => {
        const draw = (f: () => Tensor): Tensor => withEngine(engine.right, f)
        const key = withEngine(engine.right, () => random.key(one.seed))
        assert.equal(await numbers(key, one.key), one.key)
        for (const [i, part] of withEngine(engine.right, () => random.split(key, 5)).entries())
          assert.equal(await numbers(part, [0, 0]), one.split[i])
        for (const [n, expected] of Object.entries(one.foldIn))
          assert.equal(
            await numbers(
              draw(() => random.foldIn(key, Number(n))),
              expected,
            ),
            expected,
            `foldIn ${n}`,
          )
        for (const [name, f] of Object.entries(exact)) {
          const expected = one[name] as readonly number[]
          assert.equal(
            await numbers(
              draw(() => f(key)),
              expected,
            ),
            expected,
            name,
          )
          assert.equal(
            await numbers(
              draw(() => jit(f)(key)),
              expected,
            ),
            expected,
            `${name}, compiled`,
          )
        }
        for (const [name, f] of Object.entries(rounded)) {
          const expected = one[name] as readonly number[]
          const found = await numbers(
            draw(() => f(key)),
            expected,
          )
          found.forEach((x, i) => {
            const right = expected[i] as number
            assert.ok(
              Math.abs(x - right) <= 2e-6 * Math.max(1, Math.abs(right)),
              `${name} ${i}: ${x}, ${right} by JAX`,
            )
          })
        }
      })
  if (E.isRight(engine)) test.after(() => engine.right.close())
  test.run()
}

const test = suite('random')

test('a draw does not depend on how it is batched', async () => {
  const keys = random.splitMany(random.key(3), 4)
  const batched = await toArray(vmap((key: Tensor) => random.uniform(key as random.Key, [5]))(keys))
  const each = await Promise.all(
    random.split(random.key(3), 4).map(async (key) => [...(await toArray(random.uniform(key, [5])))]),
  )
  assert.equal([...batched], each.flat())
})

test('permutation has every number once', async () => {
  for (const n of [0, 1, 2, 100, 3000]) {
    const order = await toArray(random.permutation(random.key(n), n))
    assert.equal(
      [...order].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
    )
  }
})

test('what makes no sense is refused', () => {
  const key = random.key(0)
  assert.throws(
    () => random.randint(key, [1], { low: 3, high: 3 }),
    /expected integers with low < high, got 3 and 3/,
  )
  assert.throws(() => random.permutation(key, 1.5), /expected a count or a tensor, got 1.5/)
  assert.throws(
    () => random.categorical(key, logits(), { shape: [3] }),
    /must end with the logits' other axes/,
  )
  assert.throws(() => random.key(0.5), /the seed must be an integer/)
})

test.run()
