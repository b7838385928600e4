/** Shapes without numbers: what `evalShape` tells of a function is what the function gives. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  grad,
  jit,
  matmul,
  random,
  scan,
  softmax,
  square,
  sum,
  tree,
  vmap,
  zeros,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evalShape } from '../../core/transform/stage.ts'

const outlines = suite('outlines')

const forms = (x: unknown): string =>
  tree
    .entries(x)
    .map(([path, { shape, dtype }]) => `${path} ${dtype}[${shape.join()}]`)
    .join('; ')

const every = (x: Tensor): Readonly<Record<string, unknown>> => ({
  product: matmul(x, x),
  compiled: jit((y: Tensor) => softmax(y))(x),
  gradient: grad((y: Tensor) => sum(square(y)))(x),
  batched: vmap((row: Tensor) => sum(row))(x),
  folded: scan((total: Tensor, row: Tensor) => [add(total, row), total], zeros([3]), x),
  drawn: random.normal(random.key(0), [2, 5]),
})

outlines('a function of many parts has the outline of what it gives, and nothing is computed', () => {
  const outline = evalShape(([x]) => every(x as Tensor), [{ shape: [3, 3], dtype: 'float32' }])
  assert.is(forms(outline), forms(every(zeros([3, 3]))))
  assert.is(forms(evalShape(() => zeros([2 ** 15, 2 ** 15]), [])), ' float32[32768,32768]')
})

outlines('a mistake is told as ever, and what leaves an outline has no numbers', () => {
  assert.throws(
    () => evalShape(([x]) => matmul(x as Tensor, zeros([4])), [{ shape: [3, 3], dtype: 'float32' }]),
    'matmul',
  )
  const left = evalShape(([x]) => x as Tensor, [{ shape: [3], dtype: 'float32' }])
  assert.throws(() => add(left, 1), 'traced')
})

outlines.run()
