/** Sizes of layers in their types: what compiles, generic in batch and time too, and what is refused. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, relu, zeros } from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { AnyLayer, CallOf } from '../../nn/index.ts'
import { compile } from '../support/compile.ts'
import { codeIn, readPage, rowsUnder } from '../support/table.ts'

const test = suite('sizes of layers')

/** Only equal types fit, in both directions. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** What is known of a tensor, in its type and when the program runs. */
const is = <S extends Shape>(...sizes: S) => ({
  of: <X extends Tensor>(x: X, _: Equal<X['shape'], Readonly<S>>): void => {
    assert.equal(x.shape, sizes)
  },
})
const of = <L extends AnyLayer>(layer: L): CallOf<L> =>
  layer.apply(layer.init(random.key(0)) as never, nn.evaluation) as CallOf<L>

const x = zeros([2, 5, 8])
const memory = zeros([2, 7, 6])
const start = zeros([2, 3])
/** What comes from a file has a shape of which the types know nothing. */
const open: Tensor = x

test('recurrent layers know their steps and states', () => {
  const gru = of(nn.gru(8, 3))
  const { outputs, state } = gru({ x, state: start })
  is(2, 5, 3).of(outputs, true)
  is(2, 3).of(state, true)
  is(2, 5, 3).of(of(nn.rnn(8, 3))({ x, state }).outputs, true)
  const lstm = of(nn.lstm(8, 3))
  const first = lstm({ x })
  is(2, 3).of(first.state.cell, true)
  is(2, 5, 3).of(lstm({ x, state: first.state }).outputs, true)
  const both = of(nn.bidirectional(nn.lstm(8, 3), nn.gru(8, 4, { reverse: true })))
  const read = both({ x })
  is(2, 5, 7).of(read.outputs, true)
  is(2, 3).of(read.state.forward.hidden, true)
  is(2, 4).of(both({ x, state: read.state }).state.backward, true)
  const some: Tensor<readonly [...number[], 3]> = gru({ x: open, state: start as Tensor }).outputs
  assert.equal(some.shape, [2, 5, 3])
})
test('attention knows three widths, and decoders that of their memory', () => {
  const attend = of(nn.multiHeadAttention({ width: 8, heads: 2, keyWidth: 6, valueWidth: 4 }))
  is(2, 5, 8).of(attend({ query: x, key: memory, value: zeros([2, 7, 4]) }), true)
  is(2, 5, 8).of(of(nn.multiHeadAttention({ width: 8, heads: 2 }))({ query: x, causal: true }), true)
  const sizes = { width: 8, heads: 2, hidden: 4 } as const
  const decode = of(nn.decoder({ ...sizes, layers: 1, memoryWidth: 6 }))
  is(2, 5, 8).of(decode({ x, memory }), true)
  is(2, 5, 8).of(decode({ x, memory: memory as Tensor }), true)
  const stack = of(nn.scanLayers(2, nn.decoderLayer(sizes)))
  is(2, 5, 8).of(stack({ x, memory: zeros([2, 7, 8]) }), true)
  is(2, 5, 8).of(of(nn.scannedLayers(2, nn.encoderLayer(sizes)))({ x }), true)
  // Widths that are not known are found while tracing.
  const width: number = 6
  const look = of(nn.multiHeadAttention({ width: 8, heads: 2, keyWidth: width, valueWidth: width }))
  assert.throws(() => look({ query: x }), /multiHeadAttention|linear/)
  is(2, 5, 8).of(look({ query: x, key: memory }), true)
})
test('batches come out beside their statistics', () => {
  const normalise = of(nn.batchNorm(8))
  const once = normalise({ x, statistics: nn.initialStatistics(8) })
  is(2, 5, 8).of(once.x, true)
  is(8).of(once.statistics.mean, true)
  const loaded: nn.BatchStatistics = once.statistics
  is(2, 5, 8).of(normalise({ x: once.x, statistics: loaded }).x, true)
})
test('a table of embeddings knows its sizes, wherever its parameters go', () => {
  const table = nn.embedding(50, 8)
  const params = table.init(random.key(0))
  is(2, 5, 50).of(nn.unembed(params, zeros([50]))(x), true)
  const loaded: nn.EmbeddingParams = params
  assert.equal(nn.unembed(loaded)(open).shape, [2, 5, 50])
  is(2, 5, 8).of(table.apply(loaded, nn.evaluation)(zeros([2, 5], 'int32')), true)
})
test('sequences that begin with ids keep batch and time, and recurrent layers stand in them', () => {
  const reader = nn.bidirectional(nn.gru(16, 6), nn.gru(16, 6, { reverse: true }))
  const network = nn.sequence(
    nn.embedding(50, 16),
    nn.dropout(0.1),
    nn.outputsOf(reader),
    nn.outputsOf(nn.lstm(12, 7)),
    nn.linear(7, 3),
  )
  is(2, 5, 3).of(of(network)(zeros([2, 5], 'int32')), true)
})
test('convolutions know channels, and of literal sizes how many places come out', () => {
  const image = zeros([2, 32, 32, 3])
  const down = nn.convolution2d(3, 8, 3, { stride: 2, padding: 'same' })
  is(2, 16, 16, 8).of(of(down)(image), true)
  is(2, 29, 28, 6).of(of(nn.convolution2d(3, 6, [2, 3], { dilation: [3, 2], groups: 3 }))(image), true)
  is(2, 3, 4).of(of(nn.convolution1d(8, 4, 3, { padding: [[0, 2]], stride: 2 }))(x), true)
  is(2, 11, 4).of(of(nn.transposedConvolution1d(8, 4, 3, { stride: 2 }))(x), true)
  is(2, 64, 63, 4).of(of(nn.transposedConvolution2d(3, 4, [2, 1], { stride: 2 }))(image), true)
  // One behind the other; activations, norms and linear maps of the channels between them.
  const encode = nn.sequence(
    down,
    nn.lift(relu),
    nn.layerNorm(8),
    nn.convolution2d(8, 16, [3, 5]),
    nn.linear(16, 4),
  )
  is(2, 14, 12, 4).of(of(encode)(image), true)
  const both = nn.sequence(encode, nn.transposedConvolution2d(4, 3, [3, 5]))
  is(2, 16, 16, 3).of(of(both)(image), true)
  is(2, 5, 8).of(of(nn.residual(nn.convolution1d(8, 8, 3, { padding: 'same' })))(x), true)
  // What is not known stays open, and what is known of the rest is kept.
  type Loaded = Tensor<readonly [number, number, number, 8]>
  const loaded: Loaded = of(down)(image as Tensor)
  const options: nn.ConvolutionLayerOptions = { padding: 'same' }
  const some: Tensor<readonly [2, number, number, 8]> = of(nn.convolution2d(3, 8, 3, options))(image)
  const channels: number = 3
  const any: Tensor<readonly [2, 32, 32, number]> = of(nn.convolution2d(channels, channels, 1))(image)
  assert.equal([loaded.shape, some.shape, any.shape].flat(), [2, 16, 16, 8, 2, 32, 32, 8, 2, 32, 32, 3])
  const generic = <B extends number, H extends number>(images: Tensor<[B, H, 32, 3]>) => {
    const out: Tensor<[B, number, 12, 4]> = of(encode)(images)
    const square: Tensor<[B, 14, 12, 4]> = of(encode)(images as unknown as Tensor<[B, 32, 32, 3]>)
    return [out, square] as const
  }
  assert.equal(generic(image)[1].shape, [2, 14, 12, 4])
})

/** Generic in batch and time, without a cast. */
const parts = {
  words: nn.embedding(50, 8),
  read: nn.gru(8, 6),
  decode: nn.decoderLayer({ width: 8, heads: 2, hidden: 4, memoryWidth: 6 }),
  attend: nn.multiHeadAttention({ width: 8, heads: 2, keyWidth: 6, valueWidth: 6 }),
  norm: nn.batchNorm(8),
}
const speaker = nn.struct(
  parts,
  ({ words, read, decode, attend, norm }, _, params) =>
    <B extends number, T extends number>(ids: Tensor<[B, T], 'int32'>) => {
      const rows: Tensor<[B, T, 8]> = words(ids)
      const { outputs, state } = read({ x: rows })
      const memory: Tensor<[B, T, 6]> = outputs
      const last: Tensor<[B, 6]> = state
      const seen: Tensor<[B, T, 8]> = attend({ query: decode({ x: rows, memory }), key: memory })
      const { x } = norm({ x: seen, statistics: nn.initialStatistics(8) })
      const scores: Tensor<[B, T, 50]> = nn.unembed(params.words)(x)
      return { scores, last }
    },
)
const generic = <B extends number, T extends number>(ids: Tensor<[B, T], 'int32'>): Tensor<[B, T, 50]> =>
  of(speaker)(ids).scores
test('layers of one’s own are generic in batch and time', () => {
  const ids = zeros([2, 5], 'int32')
  const { scores, last } = of(speaker)(ids)
  is(2, 5, 50).of(scores, true)
  is(2, 6).of(last, true)
  is(2, 5, 50).of(generic(ids), true)
  const outer = nn.struct(
    { speaker },
    ({ speaker }) =>
      (ids: Tensor<[2, 5], 'int32'>) =>
        speaker(ids).last,
  )
  is(2, 6).of(of(outer)(ids), true)
})

const page = readPage('types.md')
const refused = rowsUnder(page, 'What layers refuse').map(([program = '', message = '']) => ({
  program: codeIn(program)[0] as string,
  message: codeIn(message)[0] as string,
}))
const functions = Object.entries(nn).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))
const preamble = `import { random, relu, zeros } from 'pullback'
import type { Tensor } from 'pullback'
import { ${functions.join(', ')}, evaluation } from 'pullback/nn'
import type { AnyLayer, CallOf } from 'pullback/nn'
const of = <L extends AnyLayer>(layer: L): CallOf<L> =>
  layer.apply(layer.init(random.key(0)) as never, evaluation) as CallOf<L>
const [x, odd] = [zeros([2, 5, 8]), zeros([2, 5, 9])]
`
test('what does not fit is told with the layer and both sizes', async () => {
  assert.ok(refused.length > 20)
  const programs = Object.fromEntries(
    refused.map(({ program }, i) => [
      `p${i}`,
      `${preamble}export const refused = (): unknown => ${program}\n`,
    ]),
  )
  const { output } = await compile(programs)
  for (const [i, { program, message }] of refused.entries()) {
    const own = output.split(/^(?=\S+\.ts\()/m).filter((text) => text.startsWith(`p${i}.ts(`))
    assert.is(own.length, 1, `${program}: ${own.join('\n') || 'it compiles'}`)
    assert.ok(own[0]?.includes(message), `${program}: ${own[0]}`)
  }
})
test.run()
