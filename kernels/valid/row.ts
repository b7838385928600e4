/** The check of rows: folds come in order, and what is written once a row is the same along it. */
import type { Dtype } from '../dtype.ts'
import type { Fold, Operand, ReduceLaunch, Strided } from '../program/index.ts'
import { viewsOf } from '../program/index.ts'
import type { Body } from '../scalar.ts'
import { accepts } from '../scalar.ts'
import { behind } from './body.ts'
import type { Complain } from './complain.ts'

export const foldDtype = (fold: Fold, body: Body): Dtype | undefined =>
  fold.op === 'argmax' || fold.op === 'argmin' ? 'int32' : body[fold.value]?.dtype

export const checkFolds = ({ body, folds }: ReduceLaunch, complain: Complain): void =>
  folds.forEach((fold, index) => {
    const dtype = body[fold.value]?.dtype
    if (dtype === undefined)
      return complain(`fold ${index} is of operation ${fold.value}, which is not there`)
    if ((fold.op === 'sum' || fold.op === 'prod') && !accepts('add', dtype))
      complain(`fold ${index} is a ${fold.op} of ${dtype}`)
    const later = behind(body, fold.value).find((op) => op.op === 'fold' && op.index >= index)
    if (later !== undefined) complain(`fold ${index} depends on a fold that is not before it`)
  })

export const checkRowOutputs = (launch: ReduceLaunch, complain: Complain): void => {
  const { outer, inner, operands, body, outputs } = launch
  const still = ({ strides }: Strided): boolean =>
    strides.slice(outer.length).every((stride, axis) => stride === 0 || (inner[axis] as number) <= 1)
  const rowwise = (operand: Operand | undefined): boolean =>
    operand === undefined || (still(operand) && viewsOf(operand).every(still))
  outputs.forEach(({ over, value }, index) => {
    if (over === 'all') return
    const moving = behind(body, value).find((op) => op.op === 'read' && !rowwise(operands[op.index]))
    if (moving?.op === 'read')
      complain(
        `output ${index} is written once per row but depends on operand ${moving.index} within the row`,
      )
  })
}
