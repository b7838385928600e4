/** What programs cost: operations, and bytes. */
import { bytesOf } from '../dtype.ts'
import type { Plan } from '../engine.ts'
import type { BufferId, BufferSpec, Launch, Program, Step } from '../program/index.ts'
import { insideOf, isControl, sizeOf } from '../program/index.ts'
import type { Body } from '../scalar.ts'

const arithmetic = (body: Body): number =>
  body.filter(({ op }) => op !== 'read' && op !== 'fold' && op !== 'constant').length

/**
 * Floating-point operations of a launch, a multiply-add counted as two.
 *
 * @example
 * ```ts
 * import { flopsOf } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(flopsOf(launch)) // => 8
 * ```
 */
export const flopsOf = (launch: Launch): number => {
  switch (launch.kind) {
    case 'map':
    case 'scatter':
      return sizeOf(launch.shape) * arithmetic(launch.body)
    case 'reduce':
      return sizeOf(launch.outer) * sizeOf(launch.inner) * (arithmetic(launch.body) + launch.folds.length)
    case 'matmul': {
      const size = sizeOf(launch.batch) * launch.rows * launch.columns
      return size * (2 * launch.inner + arithmetic(launch.body))
    }
    case 'scan':
    case 'sort':
      return sizeOf(launch.outer) * launch.length
    case 'attention':
    case 'attentionGradient': {
      const { batch, queries, keys, width, valueWidth, causal, body } = launch
      // Half of the scores, where each query looks back only.
      const seen = causal === undefined ? keys : Math.min(keys, Math.max(0, (queries + 1) / 2 + causal))
      const products = launch.kind === 'attention' ? width + valueWidth : 3 * width + 2 * valueWidth
      return Math.round(sizeOf(batch) * queries * seen * (2 * products + arithmetic(body) + 4))
    }
    case 'custom':
      return launch.size
  }
}

/** A sum over all launches as often as they run: loops count every round, what depends on data counts once. */
export const overLaunches = (steps: readonly Step[], of: (launch: Launch) => number): number =>
  steps.reduce((sum, step) => {
    if (!isControl(step)) return sum + of(step)
    return sum + (step.kind === 'loop' ? step.count : 1) * overLaunches(insideOf(step), of)
  }, 0)

/**
 * The plan that an engine reports, given the bytes of its temporaries and what it must run on the host.
 *
 * @example
 * ```ts
 * import { programPlan } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * console.log(programPlan(program, 0))
 * // => {
 * //      temporaryBytes: 0,
 * //      argumentBytes: 12,
 * //      resultBytes: 12,
 * //      launches: 1,
 * //      flops: 3,
 * //      onHost: []
 * //    }
 * ```
 */
export const programPlan = (
  program: Program,
  temporaryBytes: number,
  onHost: readonly string[] = [],
): Plan => {
  const bytes = (ids: readonly BufferId[]): number =>
    [...new Set(ids)].reduce((total, id) => {
      const { dtype, size } = program.buffers[id] as BufferSpec
      return total + bytesOf(dtype) * size
    }, 0)
  return {
    temporaryBytes,
    argumentBytes: bytes(program.inputs),
    resultBytes: bytes(program.outputs.filter((id) => !program.inputs.includes(id))),
    launches: overLaunches(program.launches, () => 1),
    flops: overLaunches(program.launches, flopsOf),
    onHost,
  }
}
