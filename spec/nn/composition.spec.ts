/** Laws of layers made of layers. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  grad,
  jit,
  mul,
  random,
  stack as stackTensors,
  sum,
  tanh,
  toArray,
  toArraySync,
  tree,
  zeros,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { AnyLayer, Layer, Run } from '../../nn/index.ts'
import { messageOf } from './message.ts'
import { assertSame } from './reference.ts'

const composition = suite('composition')

const key = random.key(7)
const numbers = (value: unknown): string =>
  tree
    .entries(value)
    .map(([path, x]) => `${path} ${toArraySync(x).join()}`)
    .join('\n')
const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)

const parts = { up: nn.linear(3, 4), norm: nn.layerNorm(4), drop: nn.dropout(0.5), down: nn.linear(4, 3) }
const mlp = nn.struct(
  parts,
  ({ up, norm, drop, down }) =>
    (x: Tensor) =>
      down(drop(norm(up(x)))),
)

composition('a struct has the parameters of its parts by name, and none of those that have none', () => {
  const params = mlp.init(key)
  assert.equal(tree.pathsOf(params), [
    'down/bias',
    'down/weight',
    'norm/bias',
    'norm/weight',
    'up/bias',
    'up/weight',
  ])
  assert.equal(Object.keys(params), ['up', 'norm', 'down'])
  // @ts-expect-error: a part without parameters is not there
  assert.is(params.drop, undefined)
})

composition('what a part draws depends on its name and the key alone', () => {
  const { up, down } = mlp.init(key)
  const names = Object.keys(parts) as (keyof typeof parts)[]
  fc.assert(
    fc.property(fc.shuffledSubarray(names, { minLength: 1 }), (some) => {
      const chosen = Object.fromEntries(some.map((name) => [name, parts[name]]))
      const params = nn.struct(chosen, () => (x: Tensor) => x).init(key) as Partial<{
        up: unknown
        down: unknown
      }>
      if (params.up !== undefined) assert.is(numbers(params.up), numbers(up))
      if (params.down !== undefined) assert.is(numbers(params.down), numbers(down))
    }),
    { numRuns: 20 },
  )
  const renamed = nn.struct({ one: parts.up, two: parts.up }, () => (x: Tensor) => x).init(key)
  assert.is.not(numbers(renamed.one), numbers(renamed.two))
  assert.is.not(numbers(mlp.init(random.key(8))), numbers({ up, down }))
})

composition('a part is told its own run: dropout of two names draws twice', async () => {
  const two = nn.struct({ a: nn.dropout(0.5), b: nn.dropout(0.5) }, ({ a, b }) => (x: Tensor) => [
    a(x),
    b(x),
    a(x),
  ])
  const x = add(zeros([64]), 1)
  const [first, second, again] = two.apply({}, nn.training(key))(x) as [Tensor, Tensor, Tensor]
  assert.is.not(numbers(first), numbers(second))
  assert.is(numbers(first), numbers(again))
  await assertSame(
    first,
    nn.dropout(0.5).apply({}, nn.training(random.foldIn(key, 'a')))(x),
    'folded by hand',
  )
})

composition('sequence, repeat and residual are composition', async () => {
  const x = normal(1, 2, 3)
  const both = nn.sequence(parts.up, nn.lift(nn.gelu), parts.down)
  const params = both.init(key)
  assert.equal(tree.pathsOf(params), ['0/bias', '0/weight', '2/bias', '2/weight'])
  const f = (layer: Layer<nn.LinearParams, Tensor, Tensor>, own: nn.LinearParams) =>
    layer.apply(own, nn.evaluation)
  const by = f(parts.down, params[2])(nn.gelu(f(parts.up, params[0])(x)))
  await assertSame(both.apply(params, nn.evaluation)(x), by, 'sequence')

  const square = nn.linear(3, 3)
  const three = nn.repeat(3, square)
  const own = three.init(key)
  assert.is(own.length, 3)
  assert.is.not(numbers(own[0]), numbers(own[1]))
  const looped = own.reduce((y, p) => square.apply(p, nn.evaluation)(y), x)
  await assertSame(three.apply(own, nn.evaluation)(x), looped, 'repeat')

  const beside = nn.residual(square)
  const single = beside.init(key)
  assert.is(numbers(single), numbers(square.init(key)))
  await assertSame(
    beside.apply(single, nn.evaluation)(x),
    add(x, square.apply(single, nn.evaluation)(x)),
    'residual',
  )
})

composition('scanLayers hands on x and keeps the rest', async () => {
  interface Input {
    readonly x: Tensor
    readonly scale: Tensor
  }
  const linear = nn.linear(3, 3)
  const block: Layer<nn.LinearParams, Input, Tensor> = {
    init: linear.init,
    apply: (params, run) => {
      const f = linear.apply(params, run)
      return ({ x, scale }) => mul(f(x), scale)
    },
  }
  const stack = nn.scanLayers(3, block)
  const params = stack.init(key)
  const [x, scale] = [normal(1, 2, 3), normal(2, 3)]
  const looped = params.reduce((y, p) => mul(linear.apply(p, nn.evaluation)(y), scale), x)
  await assertSame(stack.apply(params, nn.evaluation)({ x, scale }), looped, 'scanLayers')
  assert.is(nn.scanLayers(0, block).apply([], nn.evaluation)({ x, scale }), x)
})

const config = { layers: 2, width: 8, heads: 2, hidden: 12, dropout: 0.2 } as const
const stack = nn.encoder(config)

composition('a stack compiled is the stack, in training too: value and gradient', async () => {
  const params = stack.init(key)
  const x = normal(1, 2, 4, 8)
  const loss = (p: typeof params, run: Run): Tensor<readonly []> => {
    const y = stack.apply(p, run)({ x, causal: true })
    return sum(mul(y, normal(2, 2, 4, 8))) as Tensor<readonly []>
  }
  for (const run of [nn.evaluation, nn.training(random.key(3))]) {
    await assertSame(jit(loss)(params, run), loss(params, run), run.mode)
    const gradient = (p: typeof params): typeof params => grad(loss)(p, run)
    await assertSame(jit(gradient)(params), gradient(params), `gradient, ${run.mode}`)
  }
})

composition('the same key gives the same numbers, another key others, evaluation none', async () => {
  const params = stack.init(key)
  const x = normal(1, 1, 4, 8)
  const out = async (run: Run): Promise<string> => (await toArray(stack.apply(params, run)({ x }))).join()
  const [first, again] = [await out(nn.training(random.key(1))), await out(nn.training(random.key(1)))]
  assert.is(first, again)
  assert.is.not(first, await out(nn.training(random.key(2))))
  assert.is(await out(nn.evaluation), await out({ mode: 'eval' }))
  assert.is.not(first, await out(nn.evaluation))
})

composition('training without a key cannot be written', () => {
  // @ts-expect-error: the key is missing
  const run: Run = { mode: 'train' }
  assert.ok(run)
})

composition('mistakes are told with the path, the operation and the shapes', () => {
  const params = stack.init(key)
  assert.is(
    // @ts-expect-error encoder: the last axis must be 8, got [1, 4, 7]
    messageOf(() => stack.apply(params, nn.evaluation)({ x: zeros([1, 4, 7]) })),
    "linear: the input's last axis must be the weight's first, got [1, 4, 7] and [8, 8], in block/0/attention/query",
  )
  assert.is(
    messageOf(() =>
      nn.encoder({ ...config, layers: 3 }).apply(params, nn.evaluation)({ x: zeros([1, 4, 8]) }),
    ),
    "scanLayers: expected a list of 3 parts' parameters, got 2, in block",
  )
  const { norm: _, ...lacking } = mlp.init(key)
  assert.is(
    messageOf(() => mlp.apply(lacking as never, nn.evaluation)),
    "layerNorm: no parameter 'weight', there is nothing, in norm",
  )
  assert.is(
    messageOf(() => mlp.apply({ ...mlp.init(key), norm: { scale: zeros([4]) } } as never, nn.evaluation)),
    "layerNorm: no parameter 'weight', there is scale, in norm",
  )
  assert.is(
    // @ts-expect-error layerNorm: the last axis must be 4, got [2, 3]
    messageOf(() => nn.layerNorm(4).apply(nn.layerNorm(4).init(key), nn.evaluation)(zeros([2, 3]))),
    "layerNorm: the input's last axes must be the weight's, got [2, 3] and [4]",
  )
})

composition('taps are what was asked for, by path, and change nothing', async () => {
  const params = stack.init(key)
  const input = { x: normal(1, 2, 4, 8) }
  const run = nn.training(random.key(5))
  const path = 'block/1/attention/weights'
  const { output, taps } = nn.withTaps(stack, [path]).apply(params, run)(input)
  assert.equal(Object.keys(taps), [path])
  assert.equal(taps[path]?.shape, [2, 2, 4, 4])
  await assertSame(output, stack.apply(params, run)(input), 'output')
  const all = nn.withTaps(stack, (name) => name.endsWith('/weights'))
  const compiled = jit((p: typeof params, x: Tensor) => all.apply(p, nn.evaluation)({ x }))
  await assertSame(compiled(params, input.x), all.apply(params, nn.evaluation)(input), 'compiled')
  assert.is(
    messageOf(() => nn.withTaps(stack, ['block/2/attention/weights']).apply(params, run)(input)),
    "withTaps: no layer offers 'block/2/attention/weights', there is block/0/attention/weights, block/0/output, block/1/attention/weights, block/1/output",
  )
})

composition('a parameter of its own is a layer, and must be a tensor', () => {
  const withToken = nn.struct(
    { token: nn.parameter([1, 4], nn.normal(0.02)) },
    ({ token }) =>
      (x: Tensor) =>
        add(x, token()),
  )
  const params = withToken.init(key)
  assert.equal(params.token.shape, [1, 4])
  assert.equal(withToken.apply(params, nn.evaluation)(zeros([3, 4])).shape, [3, 4])
  assert.is(
    messageOf(() => withToken.apply({} as never, nn.evaluation)),
    'parameter: expected a tensor, got object, in token',
  )
})

composition('scanned layers compute and draw what layers in a row do, in a program of one size', async () => {
  const block = nn.encoderLayer({ width: 4, heads: 2, hidden: 8, dropout: 0.5 })
  const [plain, scanned] = [nn.scanLayers(3, block), nn.scannedLayers(3, block)]
  const [list, stacked] = [plain.init(key), scanned.init(key)]
  const [first, ...others] = list
  const asStack = (all: typeof list): unknown =>
    tree.map((...leaves) => stackTensors(leaves), all[0], ...all.slice(1))
  await assertSame(
    stacked,
    tree.map((...leaves) => stackTensors(leaves), first, ...others),
    'initial parameters',
  )
  const x = normal(3, 2, 5, 4)
  for (const run of [nn.evaluation, nn.training(random.key(5))]) {
    const loss =
      <P>(layer: Layer<P, { readonly x: Tensor }, Tensor>) =>
      (params: P): Tensor =>
        sum(mul(layer.apply(params, run)({ x }), normal(4, 2, 5, 4)))
    const expected = asStack(grad(loss(plain))(list))
    await assertSame(grad(loss(scanned))(stacked), expected, 'gradients')
    await assertSame(jit(grad(loss(scanned)))(stacked), expected, 'compiled gradients')
  }
  const launches = (count: number): number => {
    const deep = nn.scannedLayers(count, block)
    const f = jit((params: typeof stacked) =>
      grad((own: typeof stacked) => sum(deep.apply(own, nn.evaluation)({ x })))(params),
    )
    return f.program(deep.init(key)).launches.length
  }
  assert.is(launches(2), launches(12))
  assert.is(
    messageOf(() => nn.scannedLayers(2, block).apply(stacked, nn.evaluation)),
    'scannedLayers: every parameter must be stacked 2 times, but attention/key/bias is not, got [3, 4]',
  )
  assert.is(
    messageOf(() =>
      nn.withCache(scanned, 8).apply(stacked, nn.evaluation)({
        input: { x },
        cache: {},
        length: zeros([], 'int32'),
      }),
    ),
    'scannedLayers: it reads no text in parts with a cache; scanLayers does',
  )
})

composition('layers that know their sizes do not fit behind others', () => {
  const fits = nn.sequence(nn.linear(32, 64), nn.linear(64, 128))
  assert.equal(fits.apply(fits.init(key), nn.evaluation)(zeros([2, 32])).shape, [2, 128])
  const activated = nn.sequence(nn.linear(32, 64), nn.lift(nn.gelu), nn.linear(64, 128))
  assert.equal(activated.apply(activated.init(key), nn.evaluation)(zeros([2, 32])).shape, [2, 128])
  // @ts-expect-error 100 is not 64
  const odd = nn.sequence(nn.linear(32, 100), nn.linear(64, 128))
  assert.throws(() => odd.apply(odd.init(key), nn.evaluation)(zeros([2, 32])), /last axis/)
  // @ts-expect-error 100 is not 64, and gelu does not make it so
  const lifted = nn.sequence(nn.linear(32, 100), nn.lift(nn.gelu), nn.linear(64, 128))
  // @ts-expect-error nor does tanh, dropout or a norm
  const normed = nn.sequence(nn.linear(32, 100), nn.lift(tanh), nn.dropout(0.1), nn.layerNorm(64))
  // @ts-expect-error a residual layer gives what it takes
  const beside = nn.residual(nn.linear(32, 64))
  for (const wrong of [lifted, normed])
    assert.throws(
      () => (wrong as AnyLayer).apply(wrong.init(key) as never, nn.evaluation)(zeros([2, 32]) as never),
      /last ax/,
    )
  assert.throws(() => beside.apply(beside.init(key), nn.evaluation)(zeros([2, 32])), /do not broadcast/)
  // Sizes that are not known are found while tracing.
  const size: number = 100
  const open = nn.sequence(nn.linear(32, size), nn.linear(100, size), nn.linear(size, 128))
  assert.equal(open.apply(open.init(key), nn.evaluation)(zeros([2, 32])).shape, [2, 128])
})

/** Layers of a user's own, without a cast; `through` is generic in batch and time. */
const blockParts = {
  norm: nn.layerNorm(64),
  up: nn.linear(64, 128),
  down: nn.linear(128, 64),
  drop: nn.dropout(0.1),
}
const block = nn.struct(
  blockParts,
  ({ norm, up, down, drop }) =>
    (x: Tensor<[number, number, 64]>): Tensor<[number, number, 64]> =>
      add(x, drop(down(nn.gelu(up(norm(x)))))),
)
const through = <B extends number, T extends number>(x: Tensor<[B, T, 64]>): Tensor<[B, T, 10]> => {
  const norm = nn.layerNorm(64)
  const head = nn.sequence(
    nn.linear(64, 32),
    nn.lift(nn.silu),
    nn.residual(nn.linear(32, 32)),
    nn.linear(32, 10),
  )
  const normed: Tensor<[B, T, 64]> = norm.apply(norm.init(key), nn.evaluation)(x)
  return head.apply(head.init(key), nn.evaluation)(normed)
}
composition('layers keep what the types know of the other axes', () => {
  const x = zeros([2, 5, 64])
  const y: Tensor<[2, 5, 10]> = through(x)
  const z: Tensor<[number, number, 64]> = block.apply(block.init(key), nn.evaluation)(x)
  assert.equal(
    [y.shape, z.shape],
    [
      [2, 5, 10],
      [2, 5, 64],
    ],
  )
  const layer = nn.linear(64, 3)
  const known: Tensor<[2, 5, 3]> = layer.apply(layer.init(key), nn.evaluation)(x)
  assert.equal(known.shape, [2, 5, 3])
  // @ts-expect-error linear: the last axis must be 64, got [2, 63]
  assert.throws(() => layer.apply(layer.init(key), nn.evaluation)(zeros([2, 63])), /last axis/)
  nn.struct(
    blockParts,
    ({ up }) =>
      (input: Tensor) =>
        // @ts-expect-error what up gives has 128 features
        up(nn.gelu(up(input))),
  )
})

/** A language model of a user's own: sizes go from the table through every layer to the scores. */
const speakerParts = {
  words: nn.embedding(50, 8),
  positions: nn.learnedPositions(16, 8),
  blocks: nn.scanLayers(2, nn.encoderLayer({ width: 8, heads: 2, hidden: 16 })),
  encoder: nn.encoder({ layers: 1, width: 8, heads: 2, hidden: 16 }),
  attention: nn.multiHeadAttention({ width: 8, heads: 2 }),
  norm: nn.groupNorm(2, 8),
  inner: nn.swiglu({ width: 8, hidden: 16 }),
  decoder: nn.decoder({ layers: 1, width: 8, heads: 2, hidden: 16 }),
  head: nn.linear(8, 50),
  other: nn.linear(9, 50),
}
const speaker = nn.struct(
  speakerParts,
  ({ words, positions, encoder, attention, norm, inner, decoder, head }) =>
    (ids: Tensor<[2, 5], 'int32'>): Tensor<[2, 5, 50]> => {
      const x: Tensor<[2, 5, 8]> = positions(words(ids))
      const memory: Tensor<[2, 5, 8]> = encoder({ x, causal: true })
      const mixed: Tensor<[2, 5, 8]> = inner(norm(attention({ query: memory })))
      return head(decoder({ x: mixed, memory }))
    },
)
composition('embeddings, attention and stacks hand sizes on', () => {
  const ids = zeros([2, 5], 'int32')
  const scores: Tensor<[2, 5, 50]> = speaker.apply(speaker.init(key), nn.evaluation)(ids)
  assert.equal(scores.shape, [2, 5, 50])
  const table = nn.embedding(50, 8)
  const rows: Tensor<[2, 5, 8]> = table.apply(table.init(key), nn.evaluation)(ids)
  assert.equal(rows.shape, [2, 5, 8])
  // What comes of any ids has one axis more, whose size is known.
  const open: Tensor<readonly [...number[], 8]> = table.apply(table.init(key), nn.evaluation)(ids as Tensor)
  assert.equal(open.shape, [2, 5, 8])
  // @ts-expect-error 8 is not 9
  const odd = nn.sequence(nn.embedding(50, 8), nn.dropout(0.1), nn.feedForward({ width: 9, hidden: 4 }))
  assert.throws(() => odd.apply(odd.init(key), nn.evaluation)(ids), /last axis/)
  nn.struct(speakerParts, ({ words, blocks, encoder, attention, decoder, other }) => (input: Tensor) => [
    // @ts-expect-error other takes 9 features, and words give 8
    other(words(input)),
    // @ts-expect-error so do blocks
    other(blocks({ x: words(input) })),
    // @ts-expect-error and encoders
    other(encoder({ x: words(input) })),
    // @ts-expect-error encoders take as many
    encoder({ x: zeros([2, 5, 9]) }),
    // @ts-expect-error so does attention
    attention({ query: zeros([2, 5, 9]) }),
    // @ts-expect-error decoders too
    decoder({ x: zeros([2, 5, 9]), memory: zeros([2, 5, 8]) }),
  ])
  const generic = <W extends number>(width: W, x: Tensor<[3, W]>): Tensor => {
    const layer = nn.sequence(nn.linear(width, width), nn.lift(nn.gelu), nn.linear(width, 3))
    return layer.apply(layer.init(key), nn.evaluation)(x)
  }
  assert.equal(generic(4, zeros([3, 4])).shape, [3, 3])
})

composition.run()
