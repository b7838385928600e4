/** Laws of recurrent layers; their numbers are compared with PyTorch's in `reference.spec.ts`. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatenate, random, reverse, sliceAxis, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Layer, Recurrent, RecurrentInput, RecurrentParams } from '../../nn/index.ts'
import { batchInvariant, check, differentiable, gradientFlow, tensors } from '../index.ts'
import { messageOf } from './message.ts'
import { assertSame } from './reference.ts'

const test = suite('recurrent')
const key = random.key(3)
const steps = tensors({ shape: [2, 4, 3], values: 'distinct' })

type Any = Layer<RecurrentParams, RecurrentInput<unknown>, Recurrent<unknown>>
const layers: Readonly<Record<string, (options: nn.RecurrentOptions) => Any>> = {
  rnn: (options) => nn.rnn(3, 2, options) as unknown as Any,
  gru: (options) => nn.gru(3, 2, options) as unknown as Any,
  lstm: (options) => nn.lstm(3, 2, options) as unknown as Any,
}

for (const [name, make] of Object.entries(layers)) {
  const layer = make({})
  const params = layer.init(key)
  const apply = (own: RecurrentParams, x: Tensor): Recurrent<unknown> =>
    layer.apply(own, nn.evaluation)({ x })

  test(`${name}: gradients, of parameters too, and none of them dead`, async () => {
    const cases = fc.tuple(fc.constant(params), steps)
    await check(differentiable(apply, cases, { order: 1 }), { numRuns: 5 })
    await check(
      gradientFlow((own: RecurrentParams, x: Tensor) => apply(own, x).outputs, cases),
      { numRuns: 5 },
    )
  })
  test(`${name}: an example is the same alone and in a batch`, () =>
    check(
      batchInvariant((x: Tensor) => apply(params, x).outputs, fc.tuple(steps)),
      { numRuns: 10 },
    ))
  test(`${name}: read in two parts, with the state handed on, it gives what it gives at once`, async () => {
    const x = random.normal(random.key(1), [2, 5, 3])
    const whole = apply(params, x)
    const first = apply(params, sliceAxis(x, 1, 0, 2))
    const second = layer.apply(params, nn.evaluation)({ x: sliceAxis(x, 1, 2), state: first.state })
    await assertSame(concatenate([first.outputs, second.outputs], 1), whole.outputs, 'outputs')
    await assertSame(second.state, whole.state, 'state')
  })
  test(`${name}: in reverse it reads what is turned over, and beside itself it does both`, async () => {
    const x = random.normal(random.key(1), [2, 5, 3])
    const back = make({ reverse: true }).apply(params, nn.evaluation)({ x })
    const turned = apply(params, reverse(x, 1))
    await assertSame(back.outputs, reverse(turned.outputs, 1), 'outputs in reverse')
    await assertSame(back.state, turned.state, 'state in reverse')
    const both = nn.bidirectional(layer, make({ reverse: true }))
    const { outputs, state } = both.apply({ forward: params, backward: params }, nn.evaluation)({ x })
    await assertSame(outputs, concatenate([apply(params, x).outputs, back.outputs], -1), 'both')
    await assertSame(state, { forward: apply(params, x).state, backward: back.state }, 'states')
    const rows = nn.outputsOf(both).apply({ forward: params, backward: params }, nn.evaluation)(x)
    await assertSame(rows, outputs, 'outputs alone')
  })
}

test('an input that is no steps is refused while tracing', () => {
  const f = nn.gru(3, 2).apply(nn.gru(3, 2).init(key), nn.evaluation)
  assert.is(
    messageOf(() => f({ x: zeros([4, 3]) as Tensor })),
    'gru: the input must be [batch, time, in], got [4, 3] and [3, 6]',
  )
})
test.run()
