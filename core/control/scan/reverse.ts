/** Reverse mode: what the pullback of a step needs is stacked, and a scan in the other direction does the rest. */
import * as functions from '../../function/index.ts'
import type { Graph, Var } from '../../graph.ts'
import { optimise } from '../../optimise.ts'
import type { Linearised, Primitive } from '../../primitive.ts'
import type { Tensor } from '../../tensor.ts'
import { interpret } from '../../transform/stage.ts'
import { smoothDependents, withoutUnread } from '../flow.ts'
import { bodyOf, fixpoint, parts, pick, place, zeroOf } from '../body.ts'
import type { Tensors } from '../body.ts'
import { halvedPullback } from '../pullback.ts'
import type { Scan, ScanParams } from './params.ts'

/**
 * The pullback of a step, traced beside the step and cut in two: what it needs of the forward pass is stacked there
 * (constants and slices are at hand anyway), and a scan in the other direction does the rest.
 */
export const reversed =
  (run: Scan): NonNullable<Primitive<ScanParams>['linearise']> =>
  (_, { inputs, params, needs }): Linearised => {
    const { body, carry, length, reverse } = params
    const { moving, outputs: out } = fixpoint(needs, params, (flags) => smoothDependents(body, flags))
    const [consts, first, slices] = parts(inputs, params)
    const [, movesCarry] = parts(moving, params)
    const outResults = out.slice(carry)
    const seeds = [...movesCarry, ...outResults]
    const { early, late, residuals, captured: outside, gives } = halvedPullback(body, moving, seeds)
    const values = body.outputs.length
    const own = body.inputs.length
    const end = own + seeds.filter(Boolean).length
    const readIds = new Set(pick(late.inputs, withoutUnread(late).kept).map(({ id }) => id))
    const [ownConsts, ownCarry, ownSlices] = parts(late.inputs.slice(0, own), params)
    const captured = late.inputs.slice(end, end + outside.length)
    const cotangents = late.inputs.slice(own, end)
    const isRead = ({ id }: Var): boolean => readIds.has(id)
    const stacked = [...ownCarry.filter(isRead), ...residuals]
    const forward: Graph = {
      inputs: [...ownConsts, ...captured, ...ownCarry, ...ownSlices],
      equations: early.equations,
      outputs: [...early.outputs.slice(0, values), ...stacked],
    }
    const results = run([...consts, ...outside, ...first, ...slices], {
      body: optimise(forward),
      consts: ownConsts.length + captured.length,
      carry,
      length,
      reverse,
    })
    const outputs = results.slice(0, values)
    const saved = results.slice(values)
    // What the late half gives, in the order of the moving inputs.
    const given = place(moving, gives).map((is) => is === true)
    const [givesConst, , givesSlice] = parts(given, params)
    /** Of variables and their values those that the late half reads. */
    const read = (variables: readonly Var[], tensors: Tensors): readonly [readonly Var[], Tensors] => {
      const flags = variables.map(isRead)
      return [pick(variables, flags), pick(tensors, flags)]
    }
    const [readConsts, constValues] = read([...ownConsts, ...captured], [...consts, ...outside])
    const [readSlices, sliceValues] = read(ownSlices, slices)
    const accumulated = pick(ownConsts, givesConst)
    const carrySeeds = cotangents.slice(0, movesCarry.filter(Boolean).length)
    const resultSeeds = cotangents.slice(carrySeeds.length)
    const back = bodyOf(
      (all) => {
        const [c, k, s] = parts(all, {
          consts: readConsts.length,
          carry: accumulated.length + carrySeeds.length,
        })
        const known = new Map<number, Tensor>()
        const give = (variables: readonly Var[], tensors: Tensors): void =>
          variables.forEach(({ id }, i) => known.set(id, tensors[i] as Tensor))
        give(readConsts, c)
        give(carrySeeds, k.slice(accumulated.length))
        give([...readSlices, ...stacked, ...resultSeeds], s)
        const d = interpret(
          late,
          late.inputs.map((input) => known.get(input.id) ?? zeroOf(input)),
        )
        const grouped = place(given, d)
        const [dConst, dCarry, dSlice] = parts(grouped, params)
        return [
          ...pick(dConst, givesConst).map((x, i) => functions.add(k[i] as Tensor, x as Tensor)),
          ...pick(
            dCarry.map((x, i) => x ?? zeroOf(ownCarry[i] as Var)),
            movesCarry,
          ),
          ...(pick(dSlice, givesSlice) as Tensors),
        ]
      },
      readConsts,
      [...accumulated, ...carrySeeds],
      [...readSlices, ...stacked, ...resultSeeds],
    )
    return {
      outputs,
      pullback: (cts) => {
        const full = cts.map((g, i) => g ?? functions.zerosLike(outputs[i] as Tensor))
        const results = run(
          [
            ...constValues,
            ...back.captured,
            ...accumulated.map(zeroOf),
            ...pick(full.slice(0, carry), movesCarry),
            ...sliceValues,
            ...saved,
            ...pick(full.slice(carry), outResults),
          ],
          {
            body: back.body,
            consts: back.consts,
            carry: accumulated.length + carrySeeds.length,
            length,
            reverse: !reverse,
          },
        )
        const end = accumulated.length
        return [
          ...place(givesConst, results.slice(0, end)),
          ...place(movesCarry, results.slice(end, end + carrySeeds.length)),
          ...place(givesSlice, results.slice(end + carrySeeds.length)),
        ]
      },
    }
  }
