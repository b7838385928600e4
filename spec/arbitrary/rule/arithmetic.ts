/** Element by element. */
import * as f from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import type { Rule } from './rule.ts'
import { rule, unary, binary, tame } from './rule.ts'

export const arithmetic: readonly Rule[] = [
  rule('neg', true, unary(f.neg)),
  rule('sin', true, unary(f.sin)),
  rule('tanh', true, unary(f.tanh)),
  rule('sigmoid', true, unary(f.sigmoid)),
  rule(
    'exp',
    true,
    unary((x) => f.exp(tame(x))),
  ),
  rule(
    'log1p',
    true,
    unary((x) => f.log1p(f.mul(x, x) as Tensor)),
  ),
  rule(
    'rsqrt',
    true,
    unary((x) => f.rsqrt(f.add(f.mul(x, x), 0.5) as Tensor)),
  ),
  rule(
    'affine',
    true,
    unary((x) => f.add(f.mul(x, 0.75), -0.25)),
  ),
  rule('erf', true, unary(f.erf)),
  rule(
    'pow',
    true,
    binary((x, y) => f.pow(f.add(f.mul(x, x), 0.5) as Tensor, tame(y))),
  ),
  rule(
    'clip',
    false,
    unary((x) => f.clip(x, -0.5, 1)),
  ),
  rule('abs', false, unary(f.abs)),
  rule('relu', false, unary(f.relu)),
  rule('round', false, unary(f.round)),
  rule('stopGradient', false, unary(f.stopGradient)),
  rule('add', true, binary(f.add)),
  rule('sub', true, binary(f.sub)),
  rule(
    'mul',
    true,
    binary((x, y) => f.mul(tame(x), tame(y))),
  ),
  rule(
    'div',
    true,
    binary((x, y) => f.div(x, f.add(f.mul(y, y), 1))),
  ),
  rule(
    'atan2',
    true,
    binary((x, y) => f.atan2(x, f.add(f.mul(y, y), 1))),
  ),
  rule('maximum', false, binary(f.maximum)),
  rule(
    'where',
    false,
    binary((x, y) => f.where(f.greater(x, 0), x, y)),
  ),
  rule(
    'less',
    false,
    binary((x, y) => f.cast(f.less(x, y), 'float64')),
  ),
]
