/** Which buffers a launch, or all inside of a control, reads and writes. */
import { attentionParts, attentionTargets } from './attention.ts'
import type { Step } from './control.ts'
import { insideOf } from './control.ts'
import type { BufferId } from './view.ts'
import { viewsOf } from './view.ts'

/**
 * The buffers that a launch reads (a scatter also reads its target).
 *
 * @example
 * ```ts
 * import { readsOf } from 'pullback/kernels'
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
 * console.log(readsOf(launch)) // => [0]
 * ```
 */
export const readsOf = (launch: Step): readonly BufferId[] => {
  switch (launch.kind) {
    case 'map':
    case 'reduce':
      return launch.operands.flatMap(viewsOf).map(({ buffer }) => buffer)
    case 'matmul':
      return [launch.a, launch.b, ...launch.operands.flatMap(viewsOf)].map(({ buffer }) => buffer)
    case 'scatter':
      return [launch.target, ...launch.at.map(({ index }) => index), ...launch.operands.flatMap(viewsOf)].map(
        ({ buffer }) => buffer,
      )
    case 'sort':
    case 'scan':
      return [launch.input.buffer]
    case 'loop':
      return launch.launches.flatMap(readsOf)
    case 'while':
      return [launch.flag, ...insideOf(launch).flatMap(readsOf)]
    case 'when':
      return [launch.index, ...launch.launches.flatMap(readsOf)]
    case 'attention':
    case 'attentionGradient':
      return [
        ...attentionParts(launch).reads.map(([, view]) => view),
        ...launch.operands.flatMap(viewsOf),
      ].map(({ buffer }) => buffer)
    case 'custom':
      return launch.inputs
  }
}

/**
 * The buffers that a launch writes.
 *
 * @example
 * ```ts
 * import { writesOf } from 'pullback/kernels'
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
 * console.log(writesOf(launch)) // => [1]
 * ```
 */
export const writesOf = (launch: Step): readonly BufferId[] => {
  switch (launch.kind) {
    case 'map':
    case 'reduce':
    case 'matmul':
      return launch.outputs.map(({ target }) => target.buffer)
    case 'scatter':
    case 'sort':
    case 'scan':
      return [launch.target.buffer]
    case 'loop':
    case 'while':
    case 'when':
      return insideOf(launch).flatMap(writesOf)
    case 'attention':
    case 'attentionGradient':
      return attentionTargets(launch).map(({ buffer }) => buffer)
    case 'custom':
      return [launch.target]
  }
}
