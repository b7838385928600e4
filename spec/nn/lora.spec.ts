import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, grad, matmul, mul, random, square, sum, toArraySync, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { encoder, encoderLayer, evaluation, linear, lora, scannedLayers } from '../../nn/index.ts'
import type { LoraParams } from '../../nn/index.ts'
import { assertSame } from './reference.ts'

const test = suite('lora')

const network = encoder({ layers: 2, width: 8, heads: 2, hidden: 16 })
const params = network.init(random.key(0))
const { init, merge } = lora({ rank: 3, alpha: 6 })
const begun = init(random.key(1), params)
const x = random.normal(random.key(2), [2, 5, 8])
/** As they may be after training. */
const learnt = tree.mapWithPath(
  (path: string, { shape }: Tensor) => random.normal(random.foldIn(random.key(3), path), shape),
  begun,
)

const bits = (tensors: unknown): readonly number[] =>
  tree.leaves(tensors).flatMap((leaf) => [...toArraySync(leaf)])

test('queries and values are corrected, by nothing to begin with', () => {
  assert.equal(Object.keys(begun).sort(), [
    'block.0.attention.query.weight',
    'block.0.attention.value.weight',
    'block.1.attention.query.weight',
    'block.1.attention.value.weight',
  ])
  assert.equal(bits(merge(params, begun)), bits(params))
  const downs = Object.values(begun).map(({ down }) => bits(down).join())
  assert.is(new Set(downs).size, 4, 'each begins elsewhere')
})

test('a weight is itself and alpha / rank times the product of the factors', async () => {
  const path = 'block.1.attention.value.weight'
  const merged = merge(params, learnt)
  const { down, up } = learnt[path] as (typeof learnt)[string]
  const weight = tree.get(params, 'block/1/attention/value/weight')
  await assertSame(
    tree.get(merged, 'block/1/attention/value/weight'),
    add(weight, mul(2, matmul(down, up))),
    path,
  )
  const others = (all: unknown): unknown =>
    tree.partition((one) => !/(query|value)\/weight$/.test(one), all)[0]
  assert.equal(bits(others(merged)), bits(others(params)))
})

test('a linear layer so corrected is itself beside the factors', async () => {
  const layer = linear(8, 4)
  const own = layer.init(random.key(4))
  const { init: make, merge: put } = lora({ rank: 2, alpha: 1, where: (path) => path === 'weight' })
  const { weight } = make(random.key(5), own)
  const factors = { down: weight?.down as Tensor, up: random.normal(random.key(6), [2, 4]) }
  const beside = add(layer.apply(own, evaluation)(x), mul(0.5, matmul(matmul(x, factors.down), factors.up)))
  await assertSame(layer.apply(put(own, { weight: factors }), evaluation)(x), beside, 'outputs')
})

test('a gradient goes to the factors; of down only once up is no longer zero', () => {
  const loss = (corrections: LoraParams): Tensor =>
    sum(square(network.apply(merge(params, corrections), evaluation)({ x })))
  const isZero = (leaf: Tensor): boolean => bits(leaf).every((value) => value === 0)
  for (const [path, leaf] of tree.entries(grad(loss)(begun)))
    assert.is(isZero(leaf), path.endsWith('down'), path)
  for (const [path, leaf] of tree.entries(grad(loss)(learnt))) assert.not.ok(isZero(leaf), path)
})

test('stacked layers have stacked factors', () => {
  const deep = scannedLayers(3, encoderLayer({ width: 8, heads: 2, hidden: 16 }))
  const stacked = deep.init(random.key(0))
  const corrections = init(random.key(1), stacked)
  assert.equal(corrections['attention.query.weight']?.down.shape, [3, 8, 3])
  assert.equal(bits(merge(stacked, corrections)), bits(stacked))
})

test('what cannot be corrected is told', () => {
  assert.throws(() => lora({ rank: 0 }), /whole number from 1 on, got 0/)
  assert.throws(
    () => init(random.key(0), linear(2, 2).init(random.key(0))),
    /none of the parameters is meant/,
  )
  assert.throws(
    () => lora({ rank: 1, where: () => true }).init(random.key(0), params),
    /is no matrix, its shape is \[8\]/,
  )
  assert.throws(() => merge(linear(2, 2).init(random.key(0)), begun), /no parameter is called block\.0/)
})

test.run()
