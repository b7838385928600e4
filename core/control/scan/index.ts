/**
 * A loop with a carry, as one primitive with the graph of its body: traced once, compiled once, whatever its length.
 * Its inputs are constants, the first carry, and what is sliced along axis 0, one slice a step; its outputs the last
 * carry, and what every step gives, stacked.
 */
import { bind } from '../../bind.ts'
import { graphKey } from '../../optimise.ts'
import type { Primitive } from '../../primitive.ts'
import { batch } from './batch.ts'
import { forward } from './forward.ts'
import { lower } from './lower.ts'
import type { Scan, ScanParams } from './params.ts'
import { reversed } from './reverse.ts'

const run: Scan = (inputs, params) => bind(scanPrimitive, inputs, params)

export const scanPrimitive: Primitive<ScanParams> = {
  name: 'scan',
  shape: (_, { body, carry, length }) =>
    body.outputs.map(({ shape, dtype }, i) => ({ shape: i < carry ? shape : [length, ...shape], dtype })),
  vjp: 'none',
  jvp: forward(run),
  linearise: reversed(run),
  batch: batch(run),
  lower,
  key: ({ body, consts, carry, length, reverse }) =>
    `scan ${consts} ${carry} ${length} ${reverse ? 'reverse ' : ''}${graphKey(body)}`,
}
