import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { dropout, linear, sequence } from '../../nn/index.ts'
import { adamW, crossEntropy, sgd } from '../../training/index.ts'

/** Arguments that the types refuse, as they come from JavaScript or by a cast. */
const mistaken = suite('arguments past the types')

const { add, checkpoint, jit, max, mean, mul, ones, random, softmax, sum, tensor, vmap, zeros } = p
const key = random.key(0)
const network = sequence(linear(2, 2), dropout(0.1))
const params = network.init(key)

const x = ones([2, 3])
/** Every function that has options, called with one that is not there. */
const optional: Readonly<Record<string, (options: never) => unknown>> = {
  sum: (options) => sum(x, options),
  prod: (options) => p.prod(x, options),
  max: (options) => max(x, options),
  min: (options) => p.min(x, options),
  mean: (options) => mean(x, options),
  variance: (options) => p.variance(x, options),
  any: (options) => p.any(x, options),
  all: (options) => p.all(x, options),
  argMax: (options) => p.argMax(x, options),
  argMin: (options) => p.argMin(x, options),
  norm: (options) => p.norm(x, options),
  sort: (options) => p.sort(x, options),
  argsort: (options) => p.argsort(x, options),
  cumSum: (options) => p.cumSum(x, 0, options),
  standardise: (options) => p.standardise(x, options),
  conv1d: (options) => p.conv1d(ones([1, 5, 3]), ones([2, 3, 1]), options),
  convTranspose1d: (options) => p.convTranspose1d(ones([1, 5, 3]), ones([2, 3, 1]), options),
  maxPool1d: (options) => p.maxPool1d(ones([1, 5, 3]), 2, options),
  averagePool2d: (options) => p.averagePool2d(ones([1, 5, 3, 1]), 2, options),
  resize2d: (options) => p.resize2d(ones([1, 5, 3, 1]), [2, 2], options),
  attention: (options) => p.attention(x, x, x, options),
  triangularSolve: (options) => p.triangularSolve(p.eye(2), x, options),
  tensor: (options) => tensor([1], options),
  fromArray: (options) => p.fromArray(Float32Array.of(1), [1], options),
  'random.uniform': (options) => random.uniform(key, [2], options),
  'random.normal': (options) => random.normal(key, [2], options),
  'random.categorical': (options) => random.categorical(key, x, options),
  'random.permutation': (options) => random.permutation(key, 3, options),
  grad: (options) => p.grad((y: Tensor) => sum(y), options),
  valueAndGrad: (options) => p.valueAndGrad((y: Tensor) => sum(y), options),
  vmap: (options) => vmap((y: Tensor) => y, options),
  jit: (options) => jit((y: Tensor) => y, options),
  checkpoint: (options) => checkpoint((y: Tensor) => y, options),
  customOperation: (options) =>
    p.customOperation({ name: 'own', kernel: 'function (x) {}', ...(options as object) }),
  scan: (options) => p.scan((carry: Tensor) => [carry, null], x, x, options),
}

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
  'an option by another name': [
    /^sum: there is no option 'axes', there is axis, keepDims$/,
    () => sum(x, { axes: 1 } as never),
  ],
  'an option in NumPy’s spelling': [
    /^mean: there is no option 'keepdims'/,
    () => mean(x, { axis: 0, keepdims: true } as never),
  ],
  'an axis in place of options': [
    /^max: options are a record, \{ axis, keepDims \}, got a number/,
    () => max(x, 1 as never),
  ],
  'an axis that is not there, in the name of the function': [
    /^mean: .*axis 2/,
    () => mean(x, { axis: 2 as number }),
  ],
  'a policy that is none': [
    /^checkpoint: the policy is 'nothing', 'matmuls' or .*, got 'matmul'/,
    () => checkpoint((y: Tensor) => y, { policy: 'matmul' as never }),
  ],
  'options of transformations by other names': [
    /^vmap: there is no option 'in_axes', there is inAxes, outAxes/,
    () => vmap((y: Tensor) => y, { in_axes: 0 } as never),
  ],
  'fewer axes than arguments': [
    /^vmap: inAxes must have an axis, or null, for each of the 2 arguments, got 1: \[0\]/,
    () => vmap((y: Tensor, z: Tensor) => add(y, z), { inAxes: [0] as readonly number[] })(x, x),
  ],
  'more axes than arguments': [
    /^vmap: inAxes must have an axis, .* the 1 arguments, got 2: \[0, \]/,
    () => vmap((y: Tensor) => y, { inAxes: [0, null] })(x),
  ],
  'no axis for what differs from example to example': [
    /^vmap: outAxes is null, but the result float32\[3\] differs from example to example; give it an axis/,
    () => vmap((y: Tensor) => [sum(x), y], { outAxes: null })(x),
  ],
  'labels that are fractions': [
    /integers; softCrossEntropy .* got float32/,
    () => crossEntropy(softmax(zeros([2, 3])), zeros([2])),
  ],
}

for (const [name, [message, f]] of Object.entries(mistakes))
  mistaken(`${name} is told`, () => assert.throws(f, message))

for (const [name, f] of Object.entries(optional))
  mistaken(`${name} has no option by another name`, () => {
    assert.throws(
      () => f({ wrong: 1 } as never),
      (error: Error) => error.message.startsWith(`${name}: there is no option 'wrong', there is `),
    )
  })

mistaken('vmap without an axis in the result gives what all examples share', () => {
  const both = vmap((_: Tensor<[3]>, z: Tensor<[3]>) => mul(z, 2), { inAxes: [0, null], outAxes: null })
  assert.equal(p.toArraySync(both(x, ones([3]))), Float32Array.of(2, 2, 2))
})

mistaken('what the types allow is taken', () => {
  assert.is(add(1, 2).shape.length, 0)
  assert.is(String(tensor([[true], [false]])), 'bool[2, 1]')
  assert.is(String(tensor([])), 'float32[0]')
  assert.equal(zeros([]).shape, [])
  const keys = random.splitMany(key, 3)
  assert.equal(vmap((k: Key) => random.normal(k, [2]))(keys).shape, [3, 2])
})

mistaken.run()
