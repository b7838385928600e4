/** Reading in parts with a cache is reading at once. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatenate, jit, random, sliceAxis, tensor, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Cache, Mask } from '../../nn/index.ts'
import { messageOf } from './message.ts'
import { assertSame } from './reference.ts'

const cache = suite('caches')

const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const int = (n: number): Tensor => tensor(n, { dtype: 'int32' })

const configs: Readonly<Record<string, Partial<nn.BlockConfig>>> = {
  plain: {},
  'norm in front': { preNorm: true },
  rotary: { attention: { rotary: {} } },
  'grouped queries': { attention: { keyValueHeads: 1, rotary: { interleaved: true } } },
  sinks: { attention: { learnedSink: true, zeroSink: true } },
}

/** Cuts of a text into parts, by their lengths. */
const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })

for (const [name, config] of Object.entries(configs))
  cache(`a stack reads in parts as at once: ${name}`, async () => {
    const sizes = { width: 8, heads: 2, hidden: 8, ...config }
    const layer = nn.scanLayers(2, nn.encoderLayer(sizes))
    const params = layer.init(random.key(1))
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat({ max: 3 }), fc.nat(), async (lengths, spare, seed) => {
        const time = lengths.reduce((a, b) => a + b, 0)
        const capacity = time + spare
        const x = normal(seed, 2, time, 8)
        const whole = layer.apply(params, nn.evaluation)({ x, causal: true })
        const read = nn.withCache(layer, capacity).apply(params, nn.evaluation)
        let [known, start] = [{} as Cache, 0]
        const parts: Tensor[] = []
        for (const length of lengths) {
          const input = { x: sliceAxis(x, 1, start, start + length), causal: true }
          const { output, cache: kept } = read({ input, cache: known, length: int(start) })
          parts.push(output)
          ;[known, start] = [kept, start + length]
        }
        await assertSame(concatenate(parts, 1), whole, 'output')
        assert.equal(Object.keys(known), ['0/attention', '1/attention'])
      }),
      { numRuns: 10 },
    )
  })

cache('a decoder makes keys of the memory once, and masks cover the capacity', async () => {
  const layer = nn.decoder({ layers: 2, width: 8, heads: 2, hidden: 8 })
  const params = layer.init(random.key(1))
  const [x, memory] = [normal(1, 2, 4, 8), normal(2, 2, 3, 8)]
  const memoryMask = tensor([
    [true, true, false],
    [true, true, true],
  ]) as Mask
  const keyMask = tensor([
    [false, true, true, true],
    [true, true, true, true],
  ]) as Mask
  const whole = layer.apply(params, nn.evaluation)({ x, memory, memoryMask, keyMask })
  const wide = tensor([
    [false, true, true, true, true, true],
    [true, true, true, true, true, true],
  ]) as Mask
  const step = jit((p: typeof params, part: Tensor, seen: Tensor, known: Cache, length: Tensor) =>
    nn.withCache(layer, 6).apply(p, nn.evaluation)({
      input: { x: part, memory: seen, memoryMask, keyMask: wide },
      cache: known,
      length,
    }),
  )
  const first = step(params, sliceAxis(x, 1, 0, 3), memory, {}, int(0))
  // Where keys of the memory are kept, the memory is not read again.
  const second = step(params, sliceAxis(x, 1, 3, 4), zeros([2, 3, 8]), first.cache, int(3))
  await assertSame(
    sliceAxis(concatenate([first.output, second.output], 1), 1, 1),
    sliceAxis(whole, 1, 1),
    'output',
  )
  assert.equal(Object.keys(first.cache).sort(), [
    'block/0/attention',
    'block/0/crossAttention',
    'block/1/attention',
    'block/1/crossAttention',
  ])
})

cache('attention that looks ahead cannot be read in parts', () => {
  const layer = nn.encoderLayer({ width: 8, heads: 2, hidden: 8 })
  const read = nn.withCache(layer, 4).apply(layer.init(random.key(0)), nn.evaluation)
  assert.is(
    messageOf(() => read({ input: { x: zeros([1, 2, 8]) }, cache: {}, length: int(0) })),
    'attention: only causal attention can be read in parts with a cache, in attention',
  )
})

cache.run()
