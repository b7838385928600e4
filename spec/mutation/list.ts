/** Mistakes as people make them, planted into the sources one at a time. */

export interface Mutation {
  /** What is wrong afterwards. */
  readonly mistake: string
  /** The primitive or function whose laws must notice. */
  readonly of: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly from: string
  readonly to: string
}

const elementwise = 'core/primitives/elementwise.ts'
const structure = 'core/primitives/structure.ts'
const reduce = 'core/primitives/reduce.ts'
const row = 'core/primitives/row.ts'
const gather = 'core/primitives/gather.ts'
const matmul = 'core/primitives/matmul.ts'

export const mutations: readonly Mutation[] = [
  {
    mistake: 'wrong sign',
    of: 'sub',
    file: elementwise,
    from: '[() => g, () => neg(g)])',
    to: '[() => g, () => g])',
  },
  {
    mistake: 'swapped arguments',
    of: 'mul',
    file: elementwise,
    from: '  () => mul(g, y),\n  () => mul(g, x),',
    to: '  () => mul(g, x),\n  () => mul(g, y),',
  },
  {
    mistake: 'wrong sign',
    of: 'div',
    file: elementwise,
    from: '() => neg(div(mul(g, out), y))',
    to: '() => div(mul(g, out), y)',
  },
  {
    mistake: 'divided by the wrong power',
    of: 'div',
    file: elementwise,
    from: 'neg(div(mul(g, out), y))',
    to: 'neg(mul(g, out))',
  },
  {
    mistake: 'missing broadcast reduction',
    of: 'add',
    file: elementwise,
    from: 'ops.unbroadcast((rules[i] as () => Tensor)(), input.shape)',
    to: '(rules[i] as () => Tensor)()',
  },
  { mistake: 'missing factor', of: 'sqrt', file: elementwise, from: 'div(mul(g, 0.5), y)', to: 'div(g, y)' },
  { mistake: 'wrong sign', of: 'rsqrt', file: elementwise, from: 'mul(y, -0.5)', to: 'mul(y, 0.5)' },
  { mistake: 'wrong sign', of: 'cos', file: elementwise, from: 'neg(mul(g, sin(x)))', to: 'mul(g, sin(x))' },
  { mistake: 'missing square', of: 'tanh', file: elementwise, from: 'sub(1, mul(y, y))', to: 'sub(1, y)' },
  { mistake: 'missing factor', of: 'sigmoid', file: elementwise, from: 'mul(y, sub(1, y))', to: 'sub(1, y)' },
  {
    mistake: 'wrong sign inside',
    of: 'erf',
    file: elementwise,
    from: 'exp(neg(mul(x, x)))',
    to: 'exp(mul(x, x))',
  },
  {
    mistake: 'reciprocal factor',
    of: 'erfInv',
    file: elementwise,
    from: '1 / twoOverSqrtPi',
    to: 'twoOverSqrtPi',
  },
  { mistake: 'wrong exponent', of: 'pow', file: elementwise, from: '1, sub(y, 1))', to: '1, y)' },
  {
    mistake: 'wrong branch',
    of: 'select',
    file: elementwise,
    from: 'unbroadcast(where(c, g as Tensor, 0), x.shape)',
    to: 'unbroadcast(where(c, 0, g as Tensor), x.shape)',
  },
  {
    mistake: 'wrong sign',
    of: 'atan2',
    file: elementwise,
    from: 'neg(div(y, add(mul(x, x), mul(y, y))))',
    to: 'div(y, add(mul(x, x), mul(y, y)))',
  },
  {
    mistake: 'both sides of a tie get all',
    of: 'maximum',
    file: elementwise,
    from: 'ops.where(ops.equal(other, out), 0.5, 1)',
    to: 'ops.where(ops.equal(other, out), 1, 1)',
  },
  {
    mistake: 'permutation not inverted',
    of: 'transpose',
    file: structure,
    from: '      permutation.map((_, axis) => permutation.indexOf(axis)),\n    ),',
    to: '      permutation,\n    ),',
  },
  {
    mistake: 'wrong end',
    of: 'pad',
    file: structure,
    from: '(n === 0 ? 0 : (low[axis] as number))',
    to: '(n === 0 ? 0 : (high[axis] as number))',
  },
  {
    mistake: 'not turned back',
    of: 'reverse',
    file: structure,
    from: 'bind(ops, reverse, [g as Tensor], params),',
    to: '[g as Tensor],',
  },
  {
    mistake: 'wrong axis when batched',
    of: 'split',
    file: structure,
    from: 'bind(ops, split, inputs, { axis: axis + 1, sizes })',
    to: 'bind(ops, split, inputs, { axis, sizes })',
  },
  {
    mistake: 'parts begin one too early',
    of: 'concatenate',
    file: structure,
    from: 'const start = (g as Tensor).shape.map((_, i) => (i === axis ? at : 0))',
    to: 'const start = (g as Tensor).shape.map((_, i) => (i === axis ? Math.max(0, at - 1) : 0))',
  },
  {
    mistake: 'step forgotten',
    of: 'slice',
    file: structure,
    from: 'params.step.map((by) => by - 1)',
    to: 'params.step.map(() => 0)',
  },
  {
    mistake: 'extremes get all',
    of: 'reduceMax',
    file: reduce,
    from: 'ops.mul(mask, ops.div(g, count))',
    to: 'ops.mul(mask, g)',
  },
  {
    mistake: 'wrong direction',
    of: 'cumulative',
    file: reduce,
    from: "{ op: 'sum', axis, reverse: !reverse }",
    to: "{ op: 'sum', axis, reverse }",
  },
  {
    mistake: 'wrong axes when batched',
    of: 'reduceSum',
    file: reduce,
    from: 'axes: axes.map((axis) => axis + 1)',
    to: 'axes',
  },
  {
    mistake: 'only one side of the product',
    of: 'reduceProd',
    file: reduce,
    from: 'ops.mul(shifted(false), shifted(true))',
    to: 'shifted(false)',
  },
  {
    mistake: 'the normaliser taken as constant',
    of: 'softmax',
    file: row,
    from: 'mul(y, sub(g, sum(mul(g, y), alongRow)))',
    to: 'mul(y, g)',
  },
  {
    mistake: 'missing sum',
    of: 'logSoftmax',
    file: row,
    from: 'mul(exp(y), sum(g, alongRow))',
    to: 'mul(exp(y), g)',
  },
  {
    mistake: 'wrong function',
    of: 'logSumExp',
    file: row,
    from: 'mul(expandDims(g, -1), softmax(x))',
    to: 'mul(expandDims(g, -1), x)',
  },
  {
    mistake: 'the mean taken as constant',
    of: 'standardise',
    file: row,
    from: 'params.center ? sub(dy, mean(dy, alongRow)) : dy',
    to: 'dy',
  },
  {
    mistake: 'a gradient that begins with ones',
    of: 'gather',
    file: gather,
    from: 'scatterAdd,\n      [ops.zeros(',
    to: 'scatterAdd,\n      [ops.ones(',
  },
  {
    mistake: 'off by one',
    of: 'gather',
    file: gather,
    from: 'scatterAdd,\n      [ops.zeros((x as Tensor).shape, (g as Tensor).dtype), indices as Tensor, g as Tensor],',
    to: 'scatterAdd,\n      [ops.zeros((x as Tensor).shape, (g as Tensor).dtype), ops.add(indices as Tensor, 1), g as Tensor],',
  },
  {
    mistake: 'wrong axis when batched',
    of: 'gather',
    file: gather,
    from: 'return bind(ops, gather, [a, i], { axis: axis + 1, batchAxes })',
    to: 'return bind(ops, gather, [a, i], { axis, batchAxes })',
  },
  {
    mistake: 'all writers get the gradient',
    of: 'scatterSet',
    file: gather,
    from: 'ops.equal(bind1(ops, gather, [last, index], params), numbers)',
    to: 'ops.greaterEqual(bind1(ops, gather, [last, index], params), numbers)',
  },
  {
    mistake: 'the gradient also where it was overwritten',
    of: 'scatterSet',
    file: gather,
    from: 'bind1(ops, scatterSet, [ct, index, ops.zerosLike(own)], params)',
    to: 'ct',
  },
  {
    mistake: 'whoever lost gets the gradient too',
    of: 'scatterMax',
    file: gather,
    from: 'needs[0] === true ? ops.mul(share, isBase)',
    to: 'needs[0] === true ? share',
  },
  {
    mistake: 'not turned',
    of: 'matmul',
    file: matmul,
    from: 'matmul(g as Tensor, swapAxes(y as Tensor, -1, -2))',
    to: 'matmul(g as Tensor, y as Tensor)',
  },
  {
    mistake: 'batch mixed into the wrong axis',
    of: 'matmul',
    file: matmul,
    from: '[size, a.shape[1] as number, b.shape[1] as number]',
    to: '[a.shape[1] as number, size, b.shape[1] as number]',
  },
  {
    mistake: 'wrong sign',
    of: 'triangularSolve',
    file: 'core/linear/triangular.ts',
    from: 'f.neg(f.matmul(right, turned(x)))',
    to: 'f.matmul(right, turned(x))',
  },
  {
    mistake: 'diagonal not halved',
    of: 'cholesky',
    file: 'core/linear/cholesky.ts',
    from: 'f.mul(f.sub(lower, tril(lower, -1)), 0.5)',
    to: 'f.mul(f.sub(lower, tril(lower, -1)), 0)',
  },
  {
    mistake: 'triangle not made symmetric',
    of: 'qr',
    file: 'core/linear/qr.ts',
    from: 'f.add(tril(m), turned(tril(m, -1)))',
    to: 'tril(m)',
  },
  {
    mistake: 'wrong direction',
    of: 'scan',
    file: 'core/control/scan.ts',
    from: 'reverse: !reverse,',
    to: 'reverse,',
  },
  {
    mistake: 'the accumulated gradient overwritten',
    of: 'scan',
    file: 'core/control/scan.ts',
    from: 'functions.add(k[i] as Tensor, x as Tensor)',
    to: '(x as Tensor)',
  },
]
