import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { arange, grad, jit, mul, reshape, sum, tensor, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

const show = suite('tensors as they are printed')

show('dtype, shape and numbers, nested as the axes are', () => {
  assert.is(inspect(tensor([[1, 2.5]])), 'float32[1, 2] [[1, 2.5]]')
  assert.is(inspect(tensor(7, { dtype: 'int32' })), 'int32[] 7')
  assert.is(inspect(tensor([true, false])), 'bool[2] [true, false]')
  assert.is(inspect(zeros([2, 0])), 'float32[2, 0] [[], []]')
})

show('six digits, and what is no number', () => {
  const numbers = tensor([0.1, 1 / 3, 1e-20, 123456789, 1e6, NaN, -Infinity])
  assert.is(inspect(numbers), 'float32[7] [0.1, 0.333333, 1e-20, 1.23457e+8, 1e+6, NaN, -Infinity]')
})

show('of a large tensor the ends of each axis, and rows beneath each other', () => {
  assert.is(inspect(arange(1000)), 'int32[1000] [0, 1, 2, …, 997, 998, 999]')
  const rows = inspect(reshape(arange(400), [2, 2, 100])).split('\n')
  assert.equal(rows, [
    'int32[2, 2, 100]',
    '[[[0, 1, 2, …, 97, 98, 99], [100, 101, 102, …, 197, 198, 199]],',
    ' [[200, 201, 202, …, 297, 298, 299], [300, 301, 302, …, 397, 398, 399]]]',
  ])
})

show('what has no numbers to show says so', () => {
  const seen: string[] = []
  const look = (x: Tensor): Tensor => {
    seen.push(inspect(x))
    return sum(mul(x, x))
  }
  jit(grad(look))(tensor([1, 2]))
  assert.equal(seen, ['float32[2]'])
  const given = tensor([1])
  jit((x: Tensor) => mul(x, 2), { donate: [0] })(given)
  assert.is(inspect(given), 'float32[1] (donated)')
})

show.run()
