/** Elementwise primitives: a scalar operation, NumPy broadcasting, and a derivative. */
import type { BinaryOp, Dtype, UnaryOp } from '../../kernels/index.ts'
import { accepts, binaryDtype, isFloating, isWord, unaryDtype } from '../../kernels/index.ts'
import { dtypeError } from '../error.ts'
import type { Operations } from '../primitive.ts'
import type { Node } from '../lower/lazy.ts'
import { binaryNode, bitcastNode, castNode, selectNode, threefryNode, unaryNode } from '../lower/lazy.ts'
import type { Primitive, VjpSite } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { broadcastShapes } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { batchElementwise, bind, lowerElementwise } from './rule.ts'

type Params = Readonly<Record<string, never>>

const unary = (
  name: string,
  op: UnaryOp,
  derivative: 'none' | ((ops: Operations, g: Tensor, x: Tensor, y: Tensor) => Tensor),
): Primitive<Params> => {
  const self: Primitive<Params> = {
    name,
    shape: ([x]) => {
      const { shape, dtype } = x as Aval
      if (!accepts(op, dtype)) throw dtypeError(name, `not defined on this dtype`, dtype)
      return [{ shape, dtype: unaryDtype(op, dtype) }]
    },
    vjp:
      derivative === 'none'
        ? 'none'
        : (ops, { cotangents: [g], inputs: [x], outputs: [y] }) => [
            derivative(ops, g as Tensor, x as Tensor, y as Tensor),
          ],
    batch: (ops, { inputs }) => bind(ops, self, inputs, {}),
    lower: lowerElementwise(([x]) => unaryNode(op, x as Node)),
  }
  return self
}

const twoOverSqrtPi = 1.1283791670955126

export const neg: Primitive<Params> = unary('neg', 'neg', ({ neg }, g) => neg(g))
export const abs: Primitive<Params> = unary('abs', 'abs', ({ mul, sign }, g, x) => mul(g, sign(x)))
export const sign: Primitive<Params> = unary('sign', 'sign', 'none')
export const exp: Primitive<Params> = unary('exp', 'exp', ({ mul }, g, _, y) => mul(g, y))
export const expm1: Primitive<Params> = unary('expm1', 'expm1', ({ mul, add }, g, _, y) => mul(g, add(y, 1)))
export const log: Primitive<Params> = unary('log', 'log', ({ div }, g, x) => div(g, x))
export const log1p: Primitive<Params> = unary('log1p', 'log1p', ({ div, add }, g, x) => div(g, add(x, 1)))
export const sqrt: Primitive<Params> = unary('sqrt', 'sqrt', ({ div, mul }, g, _, y) => div(mul(g, 0.5), y))
export const rsqrt: Primitive<Params> = unary('rsqrt', 'rsqrt', ({ div, mul }, g, x, y) =>
  mul(g, div(mul(y, -0.5), x)),
)
export const sin: Primitive<Params> = unary('sin', 'sin', ({ mul, cos }, g, x) => mul(g, cos(x)))
export const cos: Primitive<Params> = unary('cos', 'cos', ({ mul, neg, sin }, g, x) => neg(mul(g, sin(x))))
export const tanh: Primitive<Params> = unary('tanh', 'tanh', ({ mul, sub }, g, _, y) =>
  mul(g, sub(1, mul(y, y))),
)
export const sigmoid: Primitive<Params> = unary('sigmoid', 'sigmoid', ({ mul, sub }, g, _, y) =>
  mul(g, mul(y, sub(1, y))),
)
export const erf: Primitive<Params> = unary('erf', 'erf', ({ mul, exp, neg }, g, x) =>
  mul(g, mul(exp(neg(mul(x, x))), twoOverSqrtPi)),
)
export const erfInv: Primitive<Params> = unary('erfInv', 'erfInv', ({ mul, exp }, g, _, y) =>
  mul(g, mul(exp(mul(y, y)), 1 / twoOverSqrtPi)),
)
export const floor: Primitive<Params> = unary('floor', 'floor', 'none')
export const ceil: Primitive<Params> = unary('ceil', 'ceil', 'none')
export const round: Primitive<Params> = unary('round', 'round', 'none')
export const logicalNot: Primitive<Params> = unary('logicalNot', 'not', 'none')
export const isFinite: Primitive<Params> = unary('isFinite', 'isFinite', 'none')
export const isNaN: Primitive<Params> = unary('isNaN', 'isNaN', 'none')

type BinaryRule = (
  ops: Operations,
  g: Tensor,
  x: Tensor,
  y: Tensor,
  out: Tensor,
) => readonly [() => Tensor, () => Tensor]

const binary = (name: string, op: BinaryOp, rule: 'none' | BinaryRule): Primitive<Params> => {
  const self: Primitive<Params> = {
    name,
    shape: ([x, y]) => {
      const [a, b] = [x as Aval, y as Aval]
      if (a.dtype !== b.dtype) throw dtypeError(name, 'dtypes must agree', a.dtype, b.dtype)
      if (!accepts(op, a.dtype)) throw dtypeError(name, 'not defined on this dtype', a.dtype)
      return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: binaryDtype(op, a.dtype) }]
    },
    vjp:
      rule === 'none'
        ? 'none'
        : (ops, { cotangents, inputs, outputs, needs }: VjpSite<Params>) => {
            const [x, y] = inputs as [Tensor, Tensor]
            const rules = rule(ops, cotangents[0] as Tensor, x, y, outputs[0] as Tensor)
            return inputs.map((input, i) =>
              needs[i] === true ? ops.unbroadcast((rules[i] as () => Tensor)(), input.shape) : undefined,
            )
          },
    batch: batchElementwise(() => self),
    lower: lowerElementwise(([x, y]) => binaryNode(op, x as Node, y as Node)),
  }
  return self
}

/** At a tie each side gets half, as in JAX. */
const share = (ops: Operations, g: Tensor, own: Tensor, out: Tensor, other: Tensor): Tensor => {
  const half = ops.where(ops.equal(other, out), 0.5, 1)
  return ops.mul(g, ops.where(ops.equal(own, out), ops.cast(half, g.dtype), 0))
}

const extreme: BinaryRule = (ops, g, x, y, out) => [
  () => share(ops, g, x, out, y),
  () => share(ops, g, y, out, x),
]

export const add: Primitive<Params> = binary('add', 'add', (_, g) => [() => g, () => g])
export const sub: Primitive<Params> = binary('sub', 'sub', ({ neg }, g) => [() => g, () => neg(g)])
export const mul: Primitive<Params> = binary('mul', 'mul', ({ mul }, g, x, y) => [
  () => mul(g, y),
  () => mul(g, x),
])
export const div: Primitive<Params> = binary('div', 'div', ({ div, neg, mul }, g, _, y, out) => [
  () => div(g, y),
  () => neg(div(mul(g, out), y)),
])
export const remainder: Primitive<Params> = binary(
  'remainder',
  'rem',
  // The quotient of what is left is near a whole number, so that rounding cannot take it to another, as it could x / y.
  ({ mul, neg, round, div, sub }, g, x, y, out) => [() => g, () => neg(mul(g, round(div(sub(x, out), y))))],
)
export const pow: Primitive<Params> = binary('pow', 'pow', (ops, g, x, y, out) => {
  const { mul, pow, sub, where, equal, log, greater, logicalAnd } = ops
  return [
    // d/dx x^0 = 0 also at x = 0, where 0·x^-1 would be 0·∞; only there, so that ∂²/∂x∂y is right where y is 0.
    () => mul(g, mul(y, pow(x, where(logicalAnd(equal(x, 0), equal(y, 0)), 1, sub(y, 1))))),
    // log only where it is defined, so that a constant exponent of a negative base gives no NaN.
    () => mul(g, where(greater(x, 0), mul(log(where(greater(x, 0), x, 1)), out), 0)),
  ]
})
export const maximum: Primitive<Params> = binary('maximum', 'max', extreme)
export const minimum: Primitive<Params> = binary('minimum', 'min', extreme)
export const atan2: Primitive<Params> = binary('atan2', 'atan2', ({ mul, div, add, neg }, g, y, x) => [
  () => mul(g, div(x, add(mul(x, x), mul(y, y)))),
  () => mul(g, neg(div(y, add(mul(x, x), mul(y, y))))),
])
export const equal: Primitive<Params> = binary('equal', 'eq', 'none')
export const notEqual: Primitive<Params> = binary('notEqual', 'ne', 'none')
export const less: Primitive<Params> = binary('less', 'lt', 'none')
export const lessEqual: Primitive<Params> = binary('lessEqual', 'le', 'none')
export const greater: Primitive<Params> = binary('greater', 'gt', 'none')
export const greaterEqual: Primitive<Params> = binary('greaterEqual', 'ge', 'none')
export const bitwiseAnd: Primitive<Params> = binary('bitwiseAnd', 'and', 'none')
export const bitwiseOr: Primitive<Params> = binary('bitwiseOr', 'or', 'none')
export const bitwiseXor: Primitive<Params> = binary('bitwiseXor', 'xor', 'none')
export const shiftLeft: Primitive<Params> = binary('shiftLeft', 'shiftLeft', 'none')
export const shiftRight: Primitive<Params> = binary('shiftRight', 'shiftRight', 'none')

/** `condition ? x : y`, elementwise. */
export const select: Primitive<Params> = {
  name: 'select',
  shape: ([condition, x, y]) => {
    const [c, a, b] = [condition as Aval, x as Aval, y as Aval]
    if (c.dtype !== 'bool') throw dtypeError('where', 'the condition must be bool', c.dtype)
    if (a.dtype !== b.dtype) throw dtypeError('where', 'the branches must have one dtype', a.dtype, b.dtype)
    return [{ shape: broadcastShapes('where', c.shape, a.shape, b.shape), dtype: a.dtype }]
  },
  vjp: ({ where, unbroadcast }, { cotangents: [g], inputs, needs }) => {
    const [c, x, y] = inputs as [Tensor<Shape, 'bool'>, Tensor, Tensor]
    return [
      undefined,
      needs[1] === true ? unbroadcast(where(c, g as Tensor, 0), x.shape) : undefined,
      needs[2] === true ? unbroadcast(where(c, 0, g as Tensor), y.shape) : undefined,
    ]
  },
  batch: batchElementwise(() => select),
  lower: lowerElementwise(([c, x, y]) => selectNode(c as Node, x as Node, y as Node)),
}

/** Conversion of the dtype; differentiable between floating dtypes. */
export const cast: Primitive<{ readonly dtype: Dtype }> = {
  name: 'cast',
  shape: ([x], { dtype }) => [{ shape: (x as Aval).shape, dtype }],
  vjp: ({ cast }, { cotangents: [g], inputs: [x] }) => [
    isFloating((g as Tensor).dtype) && isFloating((x as Tensor).dtype)
      ? cast(g as Tensor, (x as Tensor).dtype)
      : undefined,
  ],
  batch: (ops, { inputs, params }) => bind(ops, cast, inputs, params),
  lower: lowerElementwise(([x], { dtype }) => castNode(x as Node, dtype)),
}

/** The same 32 bits as another dtype. */
export const bitcastConvertType: Primitive<{ readonly dtype: Dtype }> = {
  name: 'bitcastConvertType',
  shape: ([x], { dtype }) => {
    const { shape, dtype: from } = x as Aval
    if (!isWord(from) || !isWord(dtype))
      throw dtypeError('bitcastConvertType', 'both dtypes must have 32 bits', from, dtype)
    return [{ shape, dtype }]
  },
  vjp: 'none',
  batch: (ops, { inputs, params }) => bind(ops, bitcastConvertType, inputs, params),
  lower: lowerElementwise(([x], { dtype }) => bitcastNode(x as Node, dtype)),
}

/** The identity, through which no derivative flows. */
export const stopGradient: Primitive<Params> = {
  name: 'stopGradient',
  shape: ([x]) => [x as Aval],
  vjp: 'none',
  batch: (ops, { inputs }) => bind(ops, stopGradient, inputs, {}),
  lower: ({ inputs }) => inputs,
}

/** Words of Threefry-2x32 of two key words and two counter words, all uint32. */
export const threefry: Primitive<{ readonly word: 0 | 1 | 'xor' }> = {
  name: 'threefry',
  shape: (inputs) => {
    for (const { dtype } of inputs)
      if (dtype !== 'uint32') throw dtypeError('threefry', 'words are uint32', dtype)
    return [{ shape: broadcastShapes('threefry', ...inputs.map(({ shape }) => shape)), dtype: 'uint32' }]
  },
  vjp: 'none',
  batch: batchElementwise(() => threefry),
  lower: lowerElementwise((args, { word }) => threefryNode(args, word)),
}
