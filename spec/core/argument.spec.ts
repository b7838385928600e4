import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, jit, mul, random, softmax, tensor, vmap, zeros } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { dropout, linear, sequence } from '../../nn/index.ts'
import { adamW, crossEntropy, sgd } from '../../training/index.ts'

/** Arguments that the types refuse, as they come from JavaScript or by a cast. */
const mistaken = suite('arguments past the types')

const key = random.key(0)
const network = sequence(linear(2, 2), dropout(0.1))
const params = network.init(key)

const mistakes: Readonly<Record<string, readonly [RegExp, () => unknown]>> = {
  'an operand that is missing': [/a tensor or a number, got undefined/, () => add(undefined as never, 1)],
  'a list as an operand': [/got an array of 2/, () => mul([1, 2] as never, tensor([1]))],
  'a string as an operand': [/got 'one'/, () => add(tensor([1]), 'one' as never)],
  'an operand inside jit': [
    /got an array of 1/,
    () => jit((x: number) => add([1] as never, x) as never)(1 as never),
  ],
  'a tensor of a string': [/nested as the axes are, got 'abc'/, () => tensor('abc' as never)],
  'a tensor of null': [/got null/, () => tensor(null as never)],
  'a tensor of a typed array': [
    /got a Float32Array; fromArray\(data, shape\)/,
    () => tensor(Float32Array.of(1, 2) as never),
  ],
  'a tensor with a hole': [/got undefined/, () => tensor([1, undefined] as never)],
  'a dtype that is none': [
    /no dtype float16, there are float32, /,
    () => tensor([1], { dtype: 'float16' as never }),
  ],
  'a dtype in place of options': [/options are a record/, () => tensor([1], 'int32' as never)],
  'a size in place of a shape': [/a list of sizes, such as \[2, 3\], got a number/, () => zeros(3 as never)],
  'a seed in place of a key': [/expected a key, .* got a number/, () => random.normal(0 as never, [2])],
  'no key': [/expected a key, .* got undefined/, () => linear(2, 2).init(undefined as never)],
  'a list of keys under vmap': [
    /splitMany\(key, n\)\), got an array of 3/,
    () => vmap((k: Key) => random.normal(k, [2]))(random.split(key, 3) as never),
  ],
  'no run': [
    /apply\(params, evaluation\)/,
    () => network.apply(params, undefined as never)(zeros([1, 2]) as never),
  ],
  'a rate by another name': [/learningRate: .* got undefined/, () => adamW({ lr: 0.1 } as never)],
  'a rate that is no number': [/learningRate: .* got NaN/, () => sgd({ learningRate: NaN })],
  'labels that are fractions': [
    /integers; softCrossEntropy .* got float32/,
    () => crossEntropy(softmax(zeros([2, 3])), zeros([2])),
  ],
}

for (const [name, [message, f]] of Object.entries(mistakes))
  mistaken(`${name} is told`, () => assert.throws(f, message))

mistaken('what the types allow is taken', () => {
  assert.is(add(1, 2).shape.length, 0)
  assert.is(String(tensor([[true], [false]])), 'bool[2, 1]')
  assert.is(String(tensor([])), 'float32[0]')
  assert.equal(zeros([]).shape, [])
  const keys = random.splitMany(key, 3)
  assert.equal(vmap((k: Key) => random.normal(k, [2]))(keys).shape, [3, 2])
})

mistaken.run()
