/** A reduce launch over as few axes as can be, and what of it is the same for a row. */
import type { Operand, ReduceLaunch, View } from '../../program/index.ts'
import type { ScalarOp } from '../../scalar.ts'
import { argsOf } from '../../scalar.ts'
import { collapse } from '../axis.ts'
import type { Accumulator } from '../fold.ts'
import { accumulatorOf } from '../fold.ts'

/** The launch over as few axes as can be, and what is known of its operations. */
export interface Rows {
  readonly launch: ReduceLaunch
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly targets: readonly View[]
  /** Operations that are the same for all elements of a row. */
  readonly rowwise: ReadonlySet<number>
  readonly accumulators: readonly Accumulator[]
}

const isRowwise = (operand: Operand, outer: number): boolean => {
  const still = ({ strides }: { readonly strides: readonly number[] }): boolean =>
    strides.slice(outer).every((stride) => stride === 0)
  return still(operand) && (operand.kind === 'iota' || (operand.at ?? []).every(({ index }) => still(index)))
}

export const rowsOf = (launch: ReduceLaunch): Rows => {
  const { body, folds, outputs } = launch
  const { outer, inner, operands, targets } = collapse({
    outer: launch.outer,
    inner: launch.inner,
    operands: launch.operands,
    targets: outputs.map(({ target }) => target),
  })
  const rowwise = new Set<number>()
  body.forEach((op, index) => {
    const still =
      op.op === 'read'
        ? isRowwise(operands[op.index] as Operand, outer.length)
        : argsOf(op).every((arg) => rowwise.has(arg))
    if (still) rowwise.add(index)
  })
  const accumulators = folds.map((fold) => accumulatorOf(fold, (body[fold.value] as ScalarOp).dtype))
  return { launch, outer, inner, operands, targets, rowwise, accumulators }
}

/** What the folds that an operation needs are at least to be known: the number of them. */
export const foldsNeeded = ({ launch: { body } }: Rows): readonly number[] => {
  const found: number[] = []
  for (const op of body)
    found.push(
      op.op === 'fold' ? op.index + 1 : Math.max(0, ...argsOf(op).map((arg) => found[arg] as number)),
    )
  return found
}
