/** Which views attention reads and writes. */
import type { AttentionGradientLaunch, AttentionLaunch } from './launch.ts'
import type { View } from './view.ts'

/** The views of attention with their shapes: what is read (apart from operands), and what is written. */
export const attentionParts = (
  launch: AttentionLaunch | AttentionGradientLaunch,
): {
  readonly reads: readonly (readonly [name: string, view: View, shape: readonly number[]])[]
  readonly writes: readonly (readonly [name: string, view: View, shape: readonly number[]])[]
} => {
  const { batch, queries, keys, width, valueWidth } = launch
  const rows = [...batch, queries]
  const [ofQuery, ofKey, ofValue] = [
    [...rows, width],
    [...batch, keys, width],
    [...batch, keys, valueWidth],
  ]
  const given = [
    ['the query', launch.query, ofQuery],
    ['the key', launch.key, ofKey],
    ['the value', launch.value, ofValue],
  ] as const
  return launch.kind === 'attention'
    ? {
        reads: given,
        writes: [
          ['the output', launch.output, [...rows, valueWidth]],
          ['the total', launch.total, rows],
        ],
      }
    : {
        reads: [
          ...given,
          ['the cotangent', launch.cotangent, [...rows, valueWidth]],
          ['the total', launch.total, rows],
          ['the delta', launch.delta, rows],
        ],
        writes: [
          ["the query's gradient", launch.queryGradient, ofQuery],
          ["the key's gradient", launch.keyGradient, ofKey],
          ["the value's gradient", launch.valueGradient, ofValue],
        ],
      }
}

/** The views that attention writes. */
export const attentionTargets = (launch: AttentionLaunch | AttentionGradientLaunch): readonly View[] =>
  attentionParts(launch).writes.map(([, view]) => view)
