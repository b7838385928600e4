/** Convolutional layers: what they compute is the functions' of `core`; here is how they begin and what they refuse. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  random,
  toArraySync,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { ConvolutionParams, Layer } from '../../nn/index.ts'
import { differentiableAt } from '../law/differentiable.ts'
import { assertSame } from './reference.ts'

type Convolution = Layer<ConvolutionParams, Tensor, Tensor>

const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const sound = normal(1, 2, 7, 4) // [batch, time, channels]
const image = normal(2, 2, 6, 5, 4) // [batch, height, width, channels]
const moves = { stride: 2, padding: 'same', groups: 2 } as const
const back = { stride: 2, padding: 1, outputPadding: 1, groups: 2 } as const

/** Each layer with an input, the function it is, the shape of its weight, and the bound that PyTorch draws within. */
const layers: Readonly<
  Record<
    string,
    readonly [
      Convolution,
      Tensor,
      (x: Tensor, weight: Tensor) => Tensor,
      shape: readonly number[],
      fanIn: number,
    ]
  >
> = {
  convolution1d: [
    nn.convolution1d(4, 6, 3, moves),
    sound,
    (x, w) => conv1d(x, w as never, moves) as Tensor,
    [3, 2, 6],
    6,
  ],
  convolution2d: [
    nn.convolution2d(4, 6, [3, 2], moves),
    image,
    (x, w) => conv2d(x, w as never, moves) as Tensor,
    [3, 2, 2, 6],
    12,
  ],
  transposedConvolution1d: [
    nn.transposedConvolution1d(4, 6, 3, back),
    sound,
    (x, w) => convTranspose1d(x, w as never, back) as Tensor,
    [3, 2, 6],
    9,
  ],
  transposedConvolution2d: [
    nn.transposedConvolution2d(4, 6, 3, back),
    image,
    (x, w) => convTranspose2d(x, w as never, back) as Tensor,
    [3, 3, 2, 6],
    27,
  ],
}

const convolution = suite('convolutions')

for (const [name, [layer, x, f, shape, fanIn]] of Object.entries(layers)) {
  const params = layer.init(random.key(3))

  convolution(`${name} is the function and a bias`, async () => {
    await assertSame(
      layer.apply(params, nn.evaluation)(x),
      add(f(x, params.weight), params.bias as Tensor),
      name,
    )
  })

  convolution(`${name} begins as PyTorch's does`, () => {
    assert.equal(params.weight.shape, shape)
    assert.equal(params.bias?.shape, [6])
    for (const part of [params.weight, params.bias as Tensor]) {
      const most = Math.max(...toArraySync(part).map(Math.abs))
      assert.ok(most <= fanIn ** -0.5 && most > 0.5 * fanIn ** -0.5, `${most} of ${fanIn ** -0.5}`)
    }
  })

  convolution(`${name} has its derivatives`, async () => {
    const call = (p: ConvolutionParams, input: Tensor): Tensor => layer.apply(p, nn.evaluation)(input)
    assert.ok(await differentiableAt(call, [params, x], 1, { order: 1 }), 'nothing was decided')
  })
}

convolution('without a bias, and with channels that do not fit', () => {
  assert.equal(Object.keys(nn.convolution2d(3, 2, 3, { bias: false }).init(random.key(0))), ['weight'])
  assert.throws(() => nn.convolution2d(3, 4, 3, { groups: 2 }), /convolution2d: .* \[3, 3, 1\.5, 4\]/)
  const layer = nn.sequence(nn.convolution2d(3, 2, 3))
  const wrong = (): Tensor => layer.apply(layer.init(random.key(0)), nn.evaluation)(image)
  assert.throws(wrong, /conv2d: the kernel must take the input's channels, got .*, in 0/)
})

convolution.run()
