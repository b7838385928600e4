/** Rotary positions of every kind, as Transformers turns them. */
import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arange, random, tensor, toArray } from '../../core/index.ts'
import {
  decodeConfig,
  llama,
  llamaCodec,
  llamaConfig,
  ropeAmplitude,
  ropeScaling,
} from '../../models/index.ts'
import type { LlamaConfig, Rope } from '../../models/index.ts'
import { evaluation, rotaryFrequencies } from '../../nn/index.ts'

const test = suite('rotary positions')

interface Case {
  readonly file: Readonly<Record<string, unknown>>
  readonly length: number
  readonly frequencies: readonly number[]
  readonly amplitude: number
}

const { cases } = JSON.parse(
  readFileSync(new URL('../fixtures/models/rope.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] }

const configOf = (file: object): LlamaConfig => {
  const config = decodeConfig(llamaCodec, file)
  if (E.isLeft(config)) throw new Error(config.left.join('; '))
  return config.right
}

const isNear = (ours: ArrayLike<number>, theirs: readonly number[]): void => {
  assert.is(ours.length, theirs.length)
  for (const [i, x] of theirs.entries())
    assert.ok(Math.abs((ours[i] as number) - x) <= 2e-6 * Math.abs(x), `${i}: ${ours[i]} is not ${x}`)
}

for (const [i, { file, length, frequencies, amplitude }] of cases.entries())
  test(`${i}: ${JSON.stringify(file).slice(48)}, ${length} tokens`, async () => {
    const config = configOf(file)
    // A config that was written says the same.
    for (const { rope } of [config, configOf(llamaCodec.encode(config))]) {
      const scaled = ropeScaling(rope)(rotaryFrequencies(8, rope.base), arange(length))
      isNear(await toArray(scaled), frequencies)
      assert.ok(Math.abs(ropeAmplitude(rope) - amplitude) < 1e-12)
    }
  })

const factors = { shortFactors: [1, 2], longFactors: [3, 5] }

test('the longest text read at once decides', async () => {
  const rope: Rope = {
    ...llamaConfig().rope,
    base: 500,
    kind: 'longrope',
    factor: 2,
    originalLength: 6,
    ...factors,
  }
  const [one, two] = [1, 500 ** -0.5]
  const scaled = async (places: readonly (readonly number[])[]): Promise<ArrayLike<number>> =>
    toArray(ropeScaling(rope)(rotaryFrequencies(4, 500), tensor(places, { dtype: 'int32' })))
  isNear(await scaled([[0, 1, 2, 3, 4, 5]]), [one, two / 2])
  isNear(
    await scaled([
      [0, 1],
      [5, 6],
    ]),
    [one / 3, two / 5],
  )
})

test('texts are read together beyond the longest, and turned otherwise there', async () => {
  const config = llamaConfig({
    vocabularySize: 20,
    width: 8,
    heads: 2,
    layers: 1,
    hidden: 12,
    deviation: 0.5,
    maxLength: 6,
    rope: { ...llamaConfig().rope, kind: 'dynamic', factor: 3 },
  })
  assert.is(config.rope.originalLength, 6)
  const logitsOf = async (own: LlamaConfig, length: number): Promise<readonly number[]> => {
    const model = llama(own)
    const ids = tensor([Array.from({ length }, (_, i) => 3 + i)], { dtype: 'int32' })
    const { logits } = model.apply(model.init(random.key(3)), evaluation)({ ids })
    return Array.from(await toArray(logits)) as number[]
  }
  const plain = { ...config, rope: { ...config.rope, kind: 'default' as const } }
  assert.equal(await logitsOf(config, 6), await logitsOf(plain, 6))
  const [turned, unturned] = [await logitsOf(config, 8), await logitsOf(plain, 8)]
  assert.ok(turned.some((x, i) => Math.abs(x - (unturned[i] as number)) > 1e-3))
})

const refusals: readonly (readonly [string, object, string])[] = [
  ['another kind', { rope_type: 'proportional' }, 'expected rotary positions of type default, linear'],
  ['no object', [1], 'expected rotary positions of type'],
  ['a part of heads', { partial_rotary_factor: 0.5 }, 'whole heads'],
  ['a missing factor', { type: 'linear' }, 'positive numbers for factor of linear'],
  ['a factor of 0', { type: 'dynamic', factor: 0 }, 'positive numbers for factor of dynamic'],
  ['a text', { type: 'yarn', factor: 'x' }, 'positive numbers for factor of yarn'],
  ['a base below 0', { rope_theta: -1 }, 'positive numbers for rope_theta of default'],
  ['missing lists', { type: 'longrope' }, 'lists of positive numbers for short_factor, long_factor'],
  [
    'a list of another length',
    { type: 'longrope', short_factor: [1], long_factor: [1, 2, 3, 4] },
    '1 factors cannot divide the turns of 4 pairs of a head',
  ],
]

for (const [name, rope, message] of refusals)
  test(`${name} is refused`, () => {
    for (const key of ['rope_scaling', 'rope_parameters']) {
      const config = decodeConfig(llamaCodec, { hidden_size: 16, num_attention_heads: 2, [key]: rope })
      assert.match(E.isLeft(config) ? config.left.join('; ') : '', message)
    }
  })

test.run()
