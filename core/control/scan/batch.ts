/** A batch of scans as one: whatever is batched after any number of steps has the batch along axis 0. */
import { batchedCall } from '../../custom/call.ts'
import * as functions from '../../function/index.ts'
import type { Primitive } from '../../primitive.ts'
import type { Aval } from '../../tensor.ts'
import { interpret } from '../../transform/stage.ts'
import { dependents } from '../flow.ts'
import { bodyOf, fixpoint, parts } from '../body.ts'
import type { Scan, ScanParams } from './params.ts'

export const batch =
  (run: Scan): Primitive<ScanParams>['batch'] =>
  (_, { inputs, batched, size, params }) => {
    const { body, carry, length, reverse } = params
    const { moving, outputs: out } = fixpoint(batched, params, (flags) => dependents(body, flags))
    const [consts, first, slices] = parts(inputs, params)
    const [constFlags, carryFlags, sliceFlags] = parts(moving, params)
    const wide = (x: Aval, is: boolean | undefined): Aval => ({
      shape: is === true ? [size, ...x.shape] : x.shape,
      dtype: x.dtype,
    })
    const avals = parts(
      body.inputs.map((x, i) => wide(x, moving[i])),
      params,
    )
    const flags = [...carryFlags, ...out.slice(carry)]
    const next = bodyOf(
      (values) =>
        batchedCall(
          (...own) => interpret(body, own),
          moving,
        )(...values).map((x, i) =>
          flags[i] === true
            ? x
            : functions.reshape(
                functions.slice(
                  x,
                  x.shape.map(() => 0),
                  x.shape.map((n, axis) => (axis === 0 ? 1 : n)),
                ),
                x.shape.slice(1),
              ),
        ),
      ...avals,
    )
    const results = run(
      [
        ...consts,
        ...next.captured,
        ...first.map((x, i) =>
          carryFlags[i] === true && batched[constFlags.length + i] !== true
            ? functions.broadcastTo(x, [size, ...x.shape])
            : x,
        ),
        ...slices.map((x, i) => (sliceFlags[i] === true ? functions.moveAxis(x, 0, 1) : x)),
      ],
      { body: next.body, consts: next.consts, carry, length, reverse },
    )
    return results.map((x, i) => {
      if (flags[i] !== true) return functions.broadcastTo(x, [size, ...x.shape])
      return i < carry ? x : functions.moveAxis(x, 1, 0)
    })
  }
