/** Programs of one product. */
import { contiguous } from '../../kernels/index.ts'
import type { Dtype, Program, View } from '../../kernels/index.ts'

export const view = (buffer: number, shape: readonly number[]): View => ({
  buffer,
  strides: contiguous(shape),
  offset: 0,
})

export const product = (dtype: Dtype, rows: number, inner: number, columns: number): Program => {
  const shapes = [
    [rows, inner],
    [inner, columns],
    [rows, columns],
  ]
  return {
    buffers: shapes.map(([a = 0, b = 0]) => ({ dtype, size: a * b })),
    inputs: [0, 1],
    outputs: [2],
    donated: [],
    launches: [
      {
        kind: 'matmul',
        batch: [],
        rows,
        inner,
        columns,
        a: view(0, [rows, inner]),
        b: view(1, [inner, columns]),
        operands: [],
        body: [{ op: 'fold', index: 0, dtype }],
        outputs: [{ target: view(2, [rows, columns]), value: 0 }],
      },
    ],
  }
}
