/** Turning operands into tensors of one dtype: JAX's weak numbers and dtype promotion. */
import type { Dtype } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import * as elementwise from '../primitives/elementwise.ts'
import type { Primitive } from '../primitive.ts'
import { Literal, Tensor } from '../tensor.ts'
import type { Operand } from '../type.ts'

const order: readonly Dtype[] = ['bool', 'int32', 'uint32', 'float32', 'float64']

const wider = (a: Dtype, b: Dtype): Dtype => (order.indexOf(a) >= order.indexOf(b) ? a : b)

/** The dtype that a number takes beside a tensor: a fraction makes integers floating. */
const literalDtype = (value: number, beside: Dtype): Dtype => {
  if (beside === 'float32' || beside === 'float64') return beside
  if (!Number.isInteger(value)) return 'float32'
  return beside === 'bool' ? 'int32' : beside
}

/** The number or tensor as a tensor; a number becomes a literal of `dtype`. */
export const asTensor = (x: Operand, dtype: Dtype = 'float32'): Tensor =>
  x instanceof Tensor ? x : new Literal(x, dtype)

/** A literal's number in another dtype, where converting it asks for no rule of its own. */
const literalIn = ({ value, dtype: from }: Literal, dtype: Dtype): number | undefined => {
  if (dtype === 'bool') return Number(value !== 0)
  if (dtype === 'float64') return from === 'float32' ? Math.fround(value) : value
  if (dtype === 'float32') return value
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? value : undefined
}

/** The tensor in another dtype; itself where it has it already. */
export const castTo = (x: Tensor, dtype: Dtype): Tensor => {
  if (x.dtype === dtype) return x
  const value = x instanceof Literal ? literalIn(x, dtype) : undefined
  if (value !== undefined) return new Literal(value, dtype)
  return bind1(elementwise.cast, [x], { dtype })
}

/** The operands as tensors of the dtype they promote to. */
export const promote = (...operands: readonly Operand[]): readonly Tensor[] => {
  let dtype: Dtype | undefined
  for (const x of operands)
    if (x instanceof Tensor) dtype = dtype === undefined ? x.dtype : wider(dtype, x.dtype)
  dtype ??= 'float32'
  for (const x of operands) if (typeof x === 'number') dtype = wider(dtype, literalDtype(x, dtype))
  const common = dtype
  return operands.map((x) => (x instanceof Tensor ? castTo(x, common) : new Literal(x, common)))
}

/** A primitive of tensors that take part in promotion. */
export const promoted = (
  primitive: Primitive<Readonly<Record<string, never>>>,
  ...operands: readonly Operand[]
): Tensor => bind1(primitive, promote(...operands), {})
