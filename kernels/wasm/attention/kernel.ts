/**
 * Attention, a block of queries at a time: their scores stand in a strip of the thread's scratch memory, [rows ×
 * keys], are turned into weights there and used at once. Products are those of gemm.ts; keys and values are packed
 * once for each batch where they fit. Memory is linear in the length, and so is what leaves the cache.
 */
import type { Dtype } from '../../dtype.ts'
import { sizeOf } from '../../program/index.ts'
import type { BufferId, View } from '../../program/index.ts'
import { emitter } from '../emitter.ts'
import { keyOf, usesDouble } from '../kernel.ts'
import type { Kernel } from '../kernel.ts'
import { bodyWeight } from '../map.ts'
import { forgetPacked } from '../packed.ts'
import { accesses } from '../space.ts'
import { backward, piecesOf } from './backward.ts'
import { localsOf, openBatch } from './context.ts'
import type { Context } from './context.ts'
import { forward } from './forward.ts'
import { layoutOf, sideBySide, walksPlainly } from './layout.ts'
import type { Launch } from './layout.ts'

/** The kernel; `undefined` where views or sizes are none that it knows, and JavaScript does it. */
export const attentionKernel = (
  launch: Launch,
  dtypeOf: (id: BufferId) => Dtype,
  threads: number,
): Kernel | undefined => {
  const { kind, batch, queries, keys, width, valueWidth, operands, body } = launch
  const lead = batch.length
  const layout = layoutOf(launch)
  const direct: readonly (readonly [View, number])[] =
    kind === 'attention'
      ? [[launch.output, valueWidth]]
      : [
          [launch.queryGradient, width],
          [launch.keyGradient, width],
          [launch.valueGradient, valueWidth],
        ]
  if (
    layout === undefined ||
    dtypeOf(launch.query.buffer) !== 'float32' ||
    !operands.every((operand) => walksPlainly(operand, lead + 1)) ||
    !direct.every(([view, size]) => sideBySide(view, size))
  )
    return undefined
  const gathered = accesses(dtypeOf)
  const ids = operands.map(gathered.operand)
  const view = gathered.view
  const named =
    launch.kind === 'attention'
      ? [launch.query, launch.key, launch.value, launch.output, launch.total].map(view)
      : [
          launch.query,
          launch.key,
          launch.value,
          launch.cotangent,
          launch.total,
          launch.delta,
          launch.queryGradient,
          launch.keyGradient,
          launch.valueGradient,
        ].map(view)
  const { list, slots } = gathered
  if (usesDouble(body, list)) return undefined
  const count = sizeOf(batch)
  const blocks = Math.ceil(queries / Math.max(1, layout.rows))
  const forwards = launch.kind === 'attention'
  const roots = launch.factor === undefined ? [launch.score] : [launch.score, launch.factor]
  const products = forwards ? width + valueWidth : 3 * width + 2 * valueWidth
  const share = launch.causal === undefined ? 1 : 0.6
  const pieces =
    launch.kind === 'attentionGradient' ? piecesOf(launch, layout.rows, count, threads) : undefined
  const each = forwards ? blocks : pieces === undefined ? 1 : pieces.groups + pieces.ranges
  return {
    key: `${kind} ${pieces === undefined ? '' : 'in pieces '}${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: !forwards && queries + keys === 0 ? 0 : count * each,
    grain: 1,
    cost: count * queries * keys * share * ((2 * products) / 40 + (60 + bodyWeight(body, roots)) / 24),
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const context: Context = { e, launch, layout, list, ids, named, roots, ...localsOf(e, lead) }
      openBatch(context)
      forgetPacked(e)
      if (launch.kind === 'attention') forward(context, launch, blocks)
      else backward(context, launch, pieces)
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}
