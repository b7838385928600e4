/** Rotary positions of every kind, as Transformers turns them. */
import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arange, concatenate, expandDims, random, tensor, toArray } from '../../core/index.ts'
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
const long = { base: 500, kind: 'longrope', factor: 2, originalLength: 6, ...factors } as const
const dynamic = { base: 500, kind: 'dynamic', factor: 3, originalLength: 6 } as const

for (const given of [long, dynamic])
  test(`${given.kind}: texts of several lengths are read together as alone`, async () => {
    const { rope: plain } = llamaConfig()
    const rope: Rope = { ...plain, ...given }
    const config = llamaConfig({
      vocabularySize: 20,
      width: 8,
      heads: 2,
      layers: 1,
      hidden: 12,
      deviation: 0.5,
      maxLength: 6,
      rope,
    })
    const model = llama(config)
    const params = model.init(random.key(3))
    const texts = [
      [3, 4, 5, 6, 7, 8, 9, 10],
      [0, 0, 0, 0, 11, 12, 13, 14],
    ]
    const ids = tensor(texts, { dtype: 'int32' })
    const places = [0, 1, 2, 3, 4, 5, 6, 7]
    const positions = tensor([places, [0, 0, 0, 0, 0, 1, 2, 3]], { dtype: 'int32' })
    const keyMask = tensor(
      texts.map((row) => row.map((id) => id !== 0)),
      { dtype: 'bool' },
    )
    const run = model.apply(params, evaluation)
    const together = await toArray(run({ ids, positions, keyMask }).logits)
    const alone = [texts[0] as number[], (texts[1] as number[]).slice(4)].map(
      (text) => run({ ids: tensor([text], { dtype: 'int32' }) }).logits,
    )
    const rows = await Promise.all(alone.map((logits) => toArray(logits)))
    const close = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
      Array.from(a).every((x, i) => Math.abs(x - (b[i] as number)) < 1e-5)
    assert.ok(close(rows[0] as Float32Array, together))
    assert.ok(close(rows[1] as Float32Array, (together as Float32Array).slice(12 * 20)))
    // The first is long enough to be turned otherwise.
    const short = llama({ ...config, rope: { ...config.rope, originalLength: 8 } }).apply(params, evaluation)
    assert.not.ok(close(await toArray(short({ ids, positions, keyMask }).logits), together))
  })

test('the length of each text is told by its own places', async () => {
  const rope: Rope = { ...llamaConfig().rope, ...long }
  const places = concatenate([expandDims(arange(7), 0), expandDims(tensor([0, 0, 0, 0, 1, 2, 3]), 0)], 0)
  const scaled = ropeScaling(rope)(rotaryFrequencies(4, 500), places)
  assert.equal(scaled.shape, [2, 1, 2])
  const [one, two] = [1, 500 ** -0.5]
  isNear(await toArray(scaled), [one / 3, two / 5, one, two / 2])
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
