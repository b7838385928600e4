/** A batch of scans as one: whatever is batched after any number of steps has the batch along axis 0. */
import { batchedCall } from '../../custom/call.ts'
import * as functions from '../../function/index.ts'
import type { Primitive } from '../../primitive.ts'
import type { Aval, Tensor } from '../../tensor.ts'
import { interpret } from '../../transform/stage.ts'
import { dependents } from '../flow.ts'
import { bodyOf, fixpoint, parts } from '../body.ts'
import type { Scan, ScanParams } from './params.ts'

/** Element 0 along axis 0. */
const first = (x: Tensor): Tensor => functions.squeeze(functions.sliceAxis(x, 0, 0, 1), 0)

export const batch =
  (run: Scan): Primitive<ScanParams>['batch'] =>
  (_, { inputs, batched, size, params }) => {
    const { body, carry, length, reverse } = params
    const { moving, outputs: out } = fixpoint(batched, params, (flags) => dependents(body, flags))
    const [consts, start, slices] = parts(inputs, params)
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
        // what does not move comes as often as there are rows, and is one and the same
        batchedCall(
          (...own) => interpret(body, own),
          moving,
        )(...values).map((x, i) => (flags[i] === true ? x : first(x))),
      ...avals,
    )
    const results = run(
      [
        ...consts,
        ...next.captured,
        ...start.map((x, i) =>
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
