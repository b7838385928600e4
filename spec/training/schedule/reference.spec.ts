/** Every schedule against Transformers' and PyTorch's rates over 100 steps, as numbers and as tensors. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arange, itemSync, tensor, toArraySync } from '../../../core/index.ts'
import * as s from '../../../training/schedule/index.ts'
import { assertPasses } from '../../verify/pass.ts'
import { assertClose } from '../fixture.ts'

const warm = { peak: 1e-3, warmupSteps: 10, totalSteps: 100 }
const initial = 1e-3

const ours: Readonly<Record<string, s.Schedule>> = {
  'hf/linear': s.linear(warm),
  'hf/cosine': s.cosine(warm),
  'hf/cosine/num_cycles=1.5': s.cosine({ ...warm, cycles: 1.5 }),
  'hf/cosine_with_restarts/num_cycles=3': s.cosineWithRestarts({ ...warm, cycles: 3 }),
  'hf/polynomial/power=2.0,lr_end=1e-07': s.polynomial({ ...warm, power: 2, end: 1e-7 }),
  'hf/polynomial': s.polynomial(warm),
  'hf/constant': s.constant(1e-3),
  'hf/constant_with_warmup': s.constant({ peak: 1e-3, warmupSteps: 10 }),
  'hf/inverse_sqrt': s.inverseSqrt(warm),
  'hf/inverse_sqrt/timescale=25': s.inverseSqrt({ ...warm, timescale: 25 }),
  'hf/cosine_with_min_lr/min_lr_rate=0.1': s.cosine({ ...warm, floor: 0.1 }),
  'hf/warmup_stable_decay/num_decay_steps=30,min_lr_ratio=0.05': s.warmupStableDecay({
    ...warm,
    decaySteps: 30,
    floor: 0.05,
  }),
  'torch/StepLR': s.stepwise({ initial, every: 15, gamma: 0.5 }),
  'torch/MultiStepLR': s.milestones({ initial, milestones: [20, 50, 70], gamma: 0.3 }),
  'torch/ExponentialLR': s.exponential({ initial, gamma: 0.97 }),
  'torch/CosineAnnealingLR': s.cosineAnnealing({ initial, halfPeriod: 40, floor: 2e-5 }),
  'torch/CosineAnnealingWarmRestarts': s.cosineAnnealingWarmRestarts({ initial, period: 10, stretch: 2 }),
  'torch/LinearLR': s.linearRamp({ initial, steps: 20, startFactor: 0.1 }),
  'torch/PolynomialLR': s.polynomialDecay({ initial, steps: 60, power: 1.5 }),
  'torch/OneCycleLR': s.oneCycle({ peak: 0.01, totalSteps: 101 }),
  'torch/CyclicLR': s.cyclic({ low: 1e-4, high: 1e-3, rising: 12 }),
  'torch/ConstantLR': s.constantThenFull({ initial, steps: 12, factor: 0.25 }),
}

const reference = suite('schedules')

reference('are the libraries’', () => assertPasses('schedules', 45))

reference('a traced step of any integer gives what the number gives', () => {
  const all = Object.entries(ours)
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.nat(150), ([name, schedule], step) => {
      const traced = itemSync(schedule(tensor(step, { dtype: 'int32' })))
      assertClose([traced], [schedule(step)], name, { relative: 2e-5, absolute: 1e-8 })
    }),
    { numRuns: 60 },
  )
})

reference('the rate of "Attention Is All You Need" peaks at the end of its warm-up', () => {
  const rate = s.noam({ width: 512, warmupSteps: 4000 })
  assertClose([rate(3999)], [512 ** -0.5 * 4000 ** -0.5], 'peak', { relative: 1e-12, absolute: 0 })
  assert.ok(rate(3998) < rate(3999) && rate(4000) < rate(3999))
})

reference('edges: a warm-up as long as the run, steps behind the last, restarts that make no sense', () => {
  const short = s.linear({ peak: 1, warmupSteps: 4, totalSteps: 4 })
  assert.equal(
    [3, 4, 5].map((step) => short(step)),
    [0.75, 0, 0],
  )
  assert.equal([...toArraySync(short(arange(6)))].slice(3), [0.75, 0, 0])
  const cycle = s.oneCycle({ peak: 1, totalSteps: 10, endDivisor: 1000 })
  assert.is(cycle(40), cycle(9))
  for (const [period, stretch] of [
    [0, 2],
    [-3, 2],
    [NaN, 1],
    [5, 0.5],
  ] as const)
    assert.throws(
      () => s.cosineAnnealingWarmRestarts({ initial: 1, period, stretch }),
      /period must be above 0/,
    )
})

reference('joined and scaled', () => {
  const both = s.join(s.constant(1), 3, s.linear({ peak: 2, totalSteps: 4 }))
  const expected = [1, 1, 1, 2, 1.5, 1, 0.5]
  assert.equal(
    expected.map((_, step) => both(step)),
    expected,
  )
  assert.equal([...toArraySync(both(arange(7)))], expected)
  assert.is(s.scale(0.5)(both)(4), 0.75)
  assert.is(itemSync(s.asSchedule(0.25)(tensor(9, { dtype: 'int32' }))), 0.25)
  assert.is(s.asSchedule(both), both)
})

reference.run()
