/** The check of what a launch writes: no element twice, and nothing that it reads elsewhere. */
import type { Indexed, Launch, Operand, Output, View } from '../program/index.ts'
import { attentionParts } from '../program/index.ts'
import { extentOf, isInjective, isSameView, overlaps } from '../region.ts'
import type { Complain } from './complain.ts'

/** A view that a launch reads or writes, over its shape. */
interface Part {
  readonly what: string
  readonly view: View
  readonly shape: readonly number[]
  readonly at: readonly Indexed[]
  /** Whether a target may stand exactly where this is read. */
  readonly elementwise: boolean
}

const operandParts = (
  operands: readonly Operand[],
  shape: readonly number[],
  elementwise: boolean,
): readonly Part[] =>
  operands.flatMap((operand, index) => {
    if (operand.kind === 'iota') return []
    const { at = [] } = operand
    const what = `operand ${index}`
    return [
      { what, view: operand, shape, at, elementwise: elementwise && at.length === 0 },
      ...indexParts(at, shape, what),
    ]
  })

const indexParts = (at: readonly Indexed[], shape: readonly number[], what: string): readonly Part[] =>
  at.map(({ index }, axis) => ({
    what: `index ${axis} of ${what}`,
    view: index,
    shape,
    at: [],
    elementwise: false,
  }))

const outputParts = (
  outputs: readonly Output[],
  shapeOf: (output: Output, index: number) => readonly number[],
  elementwise: (index: number) => boolean,
): readonly Part[] =>
  outputs.map((output, index) => ({
    what: `output ${index}`,
    view: output.target,
    shape: shapeOf(output, index),
    at: [],
    elementwise: elementwise(index),
  }))

const collide = (a: Part, b: Part): boolean => {
  if (a.view.buffer !== b.view.buffer) return false
  if (a.at.length + b.at.length === 0) return overlaps(a.view, a.shape, b.view, b.shape)
  const [x, y] = [extentOf(a.view, a.shape, a.at), extentOf(b.view, b.shape, b.at)]
  return x !== undefined && y !== undefined && x.low <= y.high && y.low <= x.high
}

/** Targets are written once per element and meet neither each other nor, unless exactly, what is read. */
const checkTargets = (targets: readonly Part[], reads: readonly Part[], complain: Complain): void =>
  targets.forEach((target, index) => {
    if (!isInjective(target.view, target.shape)) complain(`${target.what} writes an element twice`)
    for (const other of targets.slice(0, index))
      if (collide(target, other)) complain(`${target.what} overlaps ${other.what}`)
    for (const read of reads) {
      const exact = target.elementwise && read.elementwise && isSameView(target.view, read.view, target.shape)
      if (!exact && collide(target, read))
        complain(`${target.what} overlaps ${read.what} other than exactly element by element`)
    }
  })

const targetsAndReads = (launch: Launch): readonly [readonly Part[], readonly Part[]] => {
  const part = (what: string, view: View, shape: readonly number[]): Part => ({
    what,
    view,
    shape,
    at: [],
    elementwise: false,
  })
  switch (launch.kind) {
    case 'map': {
      const { shape, operands, outputs } = launch
      return [
        outputParts(
          outputs,
          () => shape,
          () => true,
        ),
        operandParts(operands, shape, true),
      ]
    }
    case 'reduce': {
      const { outer, inner, operands, outputs } = launch
      const all = [...outer, ...inner]
      const isAll = (index: number): boolean => outputs[index]?.over === 'all'
      return [
        outputParts(outputs, (_, index) => (isAll(index) ? all : outer), isAll),
        operandParts(operands, all, true),
      ]
    }
    case 'matmul': {
      const { batch, rows, inner, columns, a, b, operands, outputs } = launch
      const shape = [...batch, rows, columns]
      return [
        outputParts(
          outputs,
          () => shape,
          () => true,
        ),
        [
          part('a', a, [...batch, rows, inner]),
          part('b', b, [...batch, inner, columns]),
          ...operandParts(operands, shape, true),
        ],
      ]
    }
    case 'sort':
    case 'scan': {
      const shape = [...launch.outer, launch.length]
      return [[part('the target', launch.target, shape)], [part('the input', launch.input, shape)]]
    }
    case 'attention':
    case 'attentionGradient': {
      const { reads, writes } = attentionParts(launch)
      const { batch, queries, keys, operands } = launch
      const parts = (list: typeof reads): Part[] => list.map(([what, view, shape]) => part(what, view, shape))
      return [parts(writes), [...parts(reads), ...operandParts(operands, [...batch, queries, keys], false)]]
    }
    default:
      return [[], []]
  }
}

/** A scatter may hit an element many times, but reads nothing that it writes. */
const checkScatterReads = (launch: Launch, complain: Complain): void => {
  if (launch.kind !== 'scatter') return
  const { shape, operands, target, at } = launch
  const into: Part = { what: 'the target', view: target, shape, at, elementwise: false }
  for (const read of [...operandParts(operands, shape, false), ...indexParts(at, shape, 'the target')])
    if (collide(into, read)) complain(`the target overlaps ${read.what}`)
}

/** Complains of every target that meets another target, or something read, as it must not. */
export const checkWrites = (launch: Launch, complain: Complain): void => {
  const [targets, reads] = targetsAndReads(launch)
  checkTargets(targets, reads, complain)
  checkScatterReads(launch, complain)
}
