/** Forward mode: a scan whose carry, constants and slices have their tangents beside them. */
import * as functions from '../../function/index.ts'
import type { Primitive } from '../../primitive.ts'
import type { Aval, Tensor } from '../../tensor.ts'
import { jvp } from '../../transform/jvp.ts'
import { interpret } from '../../transform/stage.ts'
import { smoothDependents } from '../flow.ts'
import { bodyOf, fixpoint, parts, pick, place, replace } from '../body.ts'
import type { Flags, Tensors } from '../body.ts'
import type { Scan, ScanParams } from './params.ts'

/** Values and tangents side by side in constants, carry and slices. */
export const forward =
  (run: Scan): NonNullable<Primitive<ScanParams>['jvp']> =>
  (_, { inputs, tangents, params }) => {
    const { body, carry, length, reverse } = params
    const { moving, outputs: out } = fixpoint(
      tangents.map((tangent) => tangent !== undefined),
      params,
      (flags) => smoothDependents(body, flags),
    )
    const [consts, first, slices] = parts(inputs, params)
    const [movesConst, movesCarry, movesSlice] = parts(moving, params)
    const [dConsts, dCarry, dSlices] = parts(tangents, params)
    const outResults = out.slice(carry)
    const avals = parts(body.inputs, params)
    const both = (i: 0 | 1 | 2, flags: Flags): readonly Aval[] => [...avals[i], ...pick(avals[i], flags)]
    const groups = [both(0, movesConst), both(1, movesCarry), both(2, movesSlice)] as const
    const next = bodyOf(
      (values) => {
        const [c, k, s] = parts(values, { consts: groups[0].length, carry: groups[1].length })
        const primal = [...c.slice(0, consts.length), ...k.slice(0, carry), ...s.slice(0, slices.length)]
        const directions = [...c.slice(consts.length), ...k.slice(carry), ...s.slice(slices.length)]
        const [results, slopes] = jvp(
          (...own: Tensors) => interpret(body, replace(primal, moving, own)),
          pick(primal, moving),
          directions,
        )
        return [
          ...results.slice(0, carry),
          ...pick(slopes.slice(0, carry), movesCarry),
          ...results.slice(carry),
          ...pick(slopes.slice(carry), outResults),
        ]
      },
      ...groups,
    )
    const tangent = (list: readonly (Tensor | undefined)[], own: Tensors, flags: Flags): Tensors =>
      pick(
        list.map((given, i) => given ?? functions.zerosLike(own[i] as Tensor)),
        flags,
      )
    const results = run(
      [
        ...consts,
        ...tangent(dConsts, consts, movesConst),
        ...next.captured,
        ...first,
        ...tangent(dCarry, first, movesCarry),
        ...slices,
        ...tangent(dSlices, slices, movesSlice),
      ],
      { body: next.body, consts: next.consts, carry: groups[1].length, length, reverse },
    )
    const [last, stacked] = [results.slice(0, groups[1].length), results.slice(groups[1].length)]
    return {
      outputs: [...last.slice(0, carry), ...stacked.slice(0, outResults.length)],
      tangents: [
        ...place(movesCarry, last.slice(carry)),
        ...place(outResults, stacked.slice(outResults.length)),
      ],
    }
  }
