/** Convolution and pooling: what plain loops give, and the laws. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../../core/index.ts'
import type { ConvolutionOptions, Tensor } from '../../../core/index.ts'
import { tensors } from '../../index.ts'
import { assertSame } from '../../law/close.ts'
import { differentiable } from '../../law/differentiable.ts'
import { jitEqualsEager, vmapEqualsLoop } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'

const test = suite('convolution')

interface Case {
  readonly x: Tensor
  readonly kernel: Tensor
  readonly options: {
    readonly stride: readonly number[]
    readonly dilation: readonly number[]
    readonly padding: readonly (readonly [number, number])[]
    readonly groups: number
  }
}

const small = fc.integer({ min: 1, max: 3 })
const cases = (axes: 1 | 2): fc.Arbitrary<Case> => {
  const each = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.tuple(...Array.from({ length: axes }, () => one))
  return fc
    .record({
      batch: small,
      window: each(small),
      more: each(fc.nat(4)),
      stride: each(small),
      dilation: each(fc.integer({ min: 1, max: 2 })),
      padding: each(fc.tuple(fc.nat(2), fc.nat(2))),
      groups: fc.constantFrom(1, 1, 2),
      inner: fc.integer({ min: 1, max: 2 }),
      outer: fc.integer({ min: 1, max: 2 }),
    })
    .chain(({ batch, window, more, stride, dilation, padding, groups, inner, outer }) => {
      const sizes = window.map((n, i) => (n - 1) * (dilation[i] as number) + 1 + (more[i] as number))
      return fc
        .tuple(
          tensors({ shape: [batch, ...sizes, inner * groups], dtype: 'float64' }),
          tensors({ shape: [...window, inner, outer * groups], dtype: 'float64' }),
        )
        .map(([x, kernel]) => ({ x, kernel, options: { stride, dilation, padding, groups } }))
    })
}

/** Σ over the window and the channels of a group, one position after the other. */
const naive = ({ x, kernel, options: { stride, dilation, padding, groups } }: Case): Tensor => {
  const two = x.shape.length === 4
  const wide = two ? x : p.expandDims(x, 1)
  const k = two ? kernel : p.expandDims(kernel, 0)
  const [s, d, pad] = [
    two ? stride : [1, ...stride],
    two ? dilation : [1, ...dilation],
    two ? padding : [[0, 0] as const, ...padding],
  ]
  const [batch = 0, height = 0, width = 0, channels = 0] = wide.shape
  const [kh = 0, kw = 0, inner = 0, outer = 0] = k.shape
  const [data, weights] = [p.toArraySync(wide), p.toArraySync(k)]
  const count = (n: number, size: number, axis: number): number =>
    Math.floor(
      (n + (pad[axis]?.[0] ?? 0) + (pad[axis]?.[1] ?? 0) - ((size - 1) * (d[axis] as number) + 1)) /
        (s[axis] as number),
    ) + 1
  const [oh, ow] = [count(height, kh, 0), count(width, kw, 1)]
  const out = new Float64Array(batch * oh * ow * outer)
  let at = 0
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let o = 0; o < outer; o++, at++) {
          const group = Math.floor(o / (outer / groups))
          for (let y = 0; y < kh; y++)
            for (let z = 0; z < kw; z++)
              for (let c = 0; c < inner; c++) {
                const row = i * (s[0] as number) + y * (d[0] as number) - (pad[0]?.[0] ?? 0)
                const column = j * (s[1] as number) + z * (d[1] as number) - (pad[1]?.[0] ?? 0)
                if (row < 0 || row >= height || column < 0 || column >= width) continue
                const value = data[
                  ((b * height + row) * width + column) * channels + group * inner + c
                ] as number
                out[at] =
                  (out[at] as number) + value * (weights[((y * kw + z) * inner + c) * outer + o] as number)
              }
        }
  return p.fromArray(out, two ? [batch, oh, ow, outer] : [batch, ow, outer])
}

const names = { actual: 'the convolution', expected: 'loops' }
for (const [axes, convolve] of [
  [1, p.conv1d],
  [2, p.conv2d],
] as const) {
  test(`conv${axes}d = loops`, () =>
    check(
      law('convolution = loops', cases(axes), (example) =>
        assertSame(convolve(example.x, example.kernel, example.options), naive(example), names, {
          tolerance: 1e-12,
        }),
      ),
      { numRuns: 120 },
    ))
}
test('the laws', async () => {
  const options: ConvolutionOptions = { stride: 2, padding: 'same' }
  const two = (x: Tensor, k: Tensor): Tensor => p.conv2d(x, k, options)
  const one = (x: Tensor, k: Tensor): Tensor => p.conv1d(x, k, { dilation: 2, padding: [[1, 0]], groups: 2 })
  const pairs = fc.tuple(
    tensors({ shape: [2, 4, 3, 2], dtype: 'float64' }),
    tensors({ shape: [3, 2, 2, 2], dtype: 'float64' }),
  )
  const lines = fc.tuple(
    tensors({ shape: [2, 5, 4], dtype: 'float64' }),
    tensors({ shape: [2, 2, 4], dtype: 'float64' }),
  )
  await check(differentiable(two, pairs), { numRuns: 8 })
  await check(differentiable(one, lines), { numRuns: 8 })
  await check(jitEqualsEager(two, pairs), { numRuns: 8 })
  await check(
    vmapEqualsLoop(
      two,
      fc.tuple(
        tensors({ shape: [2, 2, 4, 3, 2], dtype: 'float64' }),
        tensors({ shape: [3, 2, 2, 2], dtype: 'float64' }),
      ),
      [0, null],
    ),
    { numRuns: 8 },
  )
})
test('pooling', async () => {
  const x = p.reshape(p.cast(p.iota([16], 0), 'float64'), [1, 4, 4, 1])
  const numbers = (y: Tensor): number[] => [...p.toArraySync(y)]
  assert.equal(numbers(p.maxPool2d(x, 2)), [5, 7, 13, 15])
  assert.equal(numbers(p.averagePool2d(x, 2)), [2.5, 4.5, 10.5, 12.5])
  assert.equal(numbers(p.maxPool2d(x, [1, 3], { stride: 1 })), [2, 3, 6, 7, 10, 11, 14, 15])
  // Padding counts neither as a number nor as 0.
  const same = p.averagePool2d(x, 3, { stride: 3, padding: 'same' })
  assert.equal(numbers(same), [2.5, 4.5, 10.5, 12.5])
  assert.equal(
    numbers(p.averagePool1d(p.tensor([[[2], [4], [9]]]), 2, { stride: 2, padding: 'same' })),
    [3, 9],
  )
  assert.equal(
    numbers(p.maxPool1d(p.tensor([[[-2], [-4], [-9]]]), 2, { stride: 2, padding: 'same' })),
    [-2, -9],
  )
  const cases = fc.tuple(tensors({ shape: [1, 5, 4, 2], dtype: 'float64', values: 'distinct' }))
  await check(
    differentiable((y: Tensor) => p.maxPool2d(y, 2, { stride: 1 }), cases),
    { numRuns: 8 },
  )
  await check(
    differentiable((y: Tensor) => p.averagePool2d(y, 3, { padding: 'same' }), cases),
    { numRuns: 8 },
  )
})
test('same padding gives ⌈size / stride⌉ positions', () => {
  for (const size of [1, 5, 6, 7])
    for (const stride of [1, 2, 3])
      for (const window of [1, 2, 3, 5])
        assert.is(
          p.conv1d(p.zeros([1, size, 1]), p.zeros([window, 1, 1]), { stride, padding: 'same' }).shape[1],
          Math.ceil(size / stride),
        )
})
test('a transposed convolution is the pullback of a convolution', () => {
  const sizes = fc.record({
    size: fc.integer({ min: 1, max: 7 }),
    window: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (row, column, seed) => {
      const axes = [row, column]
      const reach = axes.map(({ window, dilation }) => (window - 1) * dilation + 1)
      const rest = axes.map(({ size, padding }, i) => size + 2 * padding - (reach[i] as number))
      fc.pre(rest.every((n) => n >= 0))
      const options = {
        stride: axes.map(({ stride }) => stride),
        dilation: axes.map(({ dilation }) => dilation),
      }
      const padding = axes.map(({ padding }) => padding)
      const [forX, forKernel, forG] = p.random.split(p.random.key(seed), 3)
      const x = p.random.normal(forX, [2, row.size, column.size, 3])
      const kernel = p.random.normal(forKernel, [row.window, column.window, 3, 4])
      const { value, pullback } = p.vjp(
        (at: Tensor) =>
          p.conv2d(at, kernel as Tensor, { ...options, padding: padding.map((n) => [n, n] as const) }),
        x as Tensor,
      )
      const g: Tensor = p.random.normal(forG, value.shape)
      const back = p.convTranspose2d(g, p.swapAxes(kernel, -1, -2), {
        ...options,
        padding,
        outputPadding: rest.map((n, i) => n % (axes[i]?.stride ?? 1)),
      })
      const [expected] = pullback(g)
      assert.equal(back.shape, x.shape)
      assert.ok(p.itemSync(p.max(p.abs(p.sub(back, expected)))) < 1e-4)
    }),
  )
})
test('mistakes are told', () => {
  const x = p.zeros([1, 4, 4, 3])
  assert.throws(
    // @ts-expect-error conv2d: the kernel must take the input's channels
    () => p.conv2d(x, p.zeros([2, 2, 4, 1])),
    /conv2d: the kernel must take the input's channels, got \[1, 4, 4, 3\] and \[2, 2, 4, 1\]/,
  )
  assert.throws(
    () => p.conv2d(x, p.zeros([5, 2, 3, 1])),
    /conv2d: the window is larger than what it slides over/,
  )
  assert.throws(
    () => p.conv1d(x, p.zeros([2, 3, 1])),
    /conv1d: the input must be \[batch, length, channels\], got \[1, 4, 4, 3\]/,
  )
  assert.throws(
    () => p.conv2d(x, p.zeros([2, 2, 3, 1]), { stride: 0 }),
    /conv2d: stride must be 2 whole numbers from 1 on, got 0/,
  )
  // @ts-expect-error conv2d: the kernel must take the input's channels
  assert.throws(() => p.conv2d(x, p.zeros([2, 2, 2, 1]), { groups: 2 }), /with 2 groups/)
  assert.throws(
    () => p.conv2d(p.zeros([1, 4, 4, 3], 'int32'), p.zeros([2, 2, 3, 1])),
    /conv2d: the input must be floating point, got int32/,
  )
  assert.throws(
    () =>
      p.conv2d(x, p.zeros([2, 2, 3, 1]), {
        padding: [
          [-1, 0],
          [0, 0],
        ],
      }),
    /pad: widths must be non-negative integers/,
  )
  assert.throws(
    () => p.convTranspose2d(x, p.zeros([2, 2, 3, 1]), { padding: [1] }),
    /convTranspose2d: padding must be 2 whole numbers from 0 on, got 1/,
  )
  assert.throws(
    () => p.convTranspose2d(x, p.zeros([2, 2, 3, 1]), { outputPadding: -1 }),
    /convTranspose2d: outputPadding must be 2 whole numbers from 0 on, got -1/,
  )
})
test.run()
