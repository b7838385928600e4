/** How much memory launches read and write. */
import { bytesOf } from '../dtype.ts'
import type { Launch, Operand, Program, View } from '../program/index.ts'
import { attentionParts, sizeOf } from '../program/index.ts'
import { sum } from './sum.ts'

/** Bytes of the elements that a view can touch, each counted once. */
const bytesOfView = (program: Program, view: View, shape: readonly number[], gathered: boolean): number => {
  const { dtype, size } = program.buffers[view.buffer] as Program['buffers'][number]
  const moved = gathered ? shape : shape.filter((_, axis) => view.strides[axis] !== 0)
  return bytesOf(dtype) * Math.min(size, sizeOf(moved))
}

const bytesOfOperand = (program: Program, operand: Operand, shape: readonly number[]): number => {
  if (operand.kind === 'iota') return 0
  const { at = [] } = operand
  const indices = at.map(({ index }) => bytesOfView(program, index, shape, false))
  return bytesOfView(program, operand, shape, at.length > 0) + sum(indices)
}

/** Bytes of distinct elements that a launch reads and writes. */
export const trafficOf = (program: Program, launch: Launch): number => {
  const read = (operands: readonly Operand[], shape: readonly number[]): number =>
    sum(operands.map((operand) => bytesOfOperand(program, operand, shape)))
  const view = (one: View, shape: readonly number[]): number => bytesOfView(program, one, shape, false)
  switch (launch.kind) {
    case 'map':
      return (
        read(launch.operands, launch.shape) +
        sum(launch.outputs.map(({ target }) => view(target, launch.shape)))
      )
    case 'reduce': {
      const all = [...launch.outer, ...launch.inner]
      const written = launch.outputs.map(({ target, over }) =>
        view(target, over === 'outer' ? launch.outer : all),
      )
      return read(launch.operands, all) + sum(written)
    }
    case 'matmul': {
      const { batch, rows, inner, columns, a, b, operands, outputs } = launch
      const out = [...batch, rows, columns]
      const factors = view(a, [...batch, rows, inner]) + view(b, [...batch, inner, columns])
      return factors + read(operands, out) + sum(outputs.map(({ target }) => view(target, out)))
    }
    case 'scatter': {
      const { shape, operands, target, at } = launch
      const indices = sum(at.map(({ index }) => view(index, shape)))
      return read(operands, shape) + indices + 2 * bytesOfView(program, target, shape, at.length > 0)
    }
    case 'sort':
    case 'scan': {
      const shape = [...launch.outer, launch.length]
      return view(launch.input, shape) + view(launch.target, shape)
    }
    case 'attention':
    case 'attentionGradient': {
      const { reads, writes } = attentionParts(launch)
      const { batch, queries, keys, operands } = launch
      const parts = [...reads, ...writes].map(([, one, shape]) => view(one, shape))
      return sum(parts) + read(operands, [...batch, queries, keys])
    }
    case 'custom':
      return sum(
        [...launch.inputs, launch.target].map((id) => {
          const { dtype, size } = program.buffers[id] as Program['buffers'][number]
          return bytesOf(dtype) * size
        }),
      )
  }
}
