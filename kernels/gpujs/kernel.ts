/** Launches as gpu.js kernels: one kernel for each output, and for each fold that several outputs share. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Fold, Launch, Operand, View } from '../program/index.ts'
import { contiguous, sizeOf, viewsOf } from '../program/index.ts'
import type { ScalarOp } from '../scalar.ts'
import { argsOf, reachable } from '../scalar.ts'
import { address, gathered, threadsOf } from './axis.ts'
import { inexactness } from './exact.ts'
import { foldCode } from './fold.ts'
import type { Mode } from './mode.ts'
import type { Rows } from './row.ts'
import { coalesced, rowsOf } from './row.ts'
import type { Scope } from './scalar.ts'
import { definitions } from './scalar.ts'

/** What a kernel takes: a buffer of the program, or the result of an earlier fold of the launch. */
export type Input =
  { readonly kind: 'buffer'; readonly id: BufferId } | { readonly kind: 'fold'; readonly index: number }

export interface Source {
  readonly source: string
  /** Thread counts, x first. */
  readonly output: readonly number[]
  /** The kernel's arguments in order; several inputs in one argument stand one behind the other. */
  readonly inputs: readonly (readonly Input[])[]
}

/** A launch as kernels: the folds in order, then one result for each output. */
export interface Stage {
  readonly folds: readonly Source[]
  /** The number of rows, each of which has one result of each fold. */
  readonly rows: number
  readonly outputs: readonly {
    readonly source: Source
    readonly target: View
    readonly shape: readonly number[]
  }[]
}

/** A GPU binds eight storage buffers to a kernel, and one is the result. */
const mostInputs = 7

const key = (input: Input): string => (input.kind === 'buffer' ? `b${input.id}` : `f${input.index}`)

/** Collects what a kernel reads, and says where each of it stands. */
const collector = (needed: readonly Input[], sizeOfInput: (input: Input) => number) => {
  const distinct = [...new Map(needed.map((input) => [key(input), input])).values()]
  const direct = distinct.length <= mostInputs ? distinct : distinct.slice(0, mostInputs - 1)
  const packed = distinct.slice(direct.length)
  const inputs = [...direct.map((input) => [input]), ...(packed.length > 0 ? [packed] : [])]
  const places = new Map<string, { readonly name: string; readonly base: number }>()
  inputs.forEach((group, position) => {
    let base = 0
    for (const input of group) {
      places.set(key(input), { name: `a${position}`, base })
      base += sizeOfInput(input)
    }
  })
  const element = (
    input: Input,
    view: { strides: readonly number[]; offset: number },
    axes: readonly string[],
    more = '',
  ) => {
    const { name, base } = places.get(key(input)) as { name: string; base: number }
    return `${name}[${address({ ...view, offset: view.offset + base }, axes)}${more}]`
  }
  return { inputs, element }
}

/** What one kernel computes: `value` (or the fold) at each position of `outer`. */
interface Part {
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly value: number | { readonly fold: number }
  /** Whether folds that the value needs are computed here, or read from their kernels' results. */
  readonly fused: boolean
}

const print = (
  { body, folds }: Rows,
  part: Part,
  foldShape: readonly number[],
  mode: Mode,
  size: (input: Input) => number,
): Source | string => {
  const { value, fused } = part
  const values = typeof value === 'number' ? [value] : [(folds[value.fold] as Fold).value]
  const needs = (op: ScalarOp): readonly number[] =>
    op.op === 'fold' && fused ? [(folds[op.index] as Fold).value] : argsOf(op)
  const ops = [...reachable(body, values, needs)].map((index) => body[index] as ScalarOp)
  // Folds that are read stand as one more operand each, over the axes that they were computed over.
  const foldOperand = (rank: number): Operand => ({
    kind: 'iota',
    offset: 0,
    strides: [...contiguous(foldShape), ...new Array<number>(rank - foldShape.length).fill(0)],
  })
  const read = [...new Set(ops.flatMap((op) => (op.op === 'read' ? [op.index] : [])))]
  const rank = part.outer.length + part.inner.length
  const kept = coalesced({
    outer: part.outer,
    inner: part.inner,
    operands: [...read.map((index) => part.operands[index] as Operand), foldOperand(rank)],
  })
  const foldView = kept.operands.at(-1) as Operand
  const threads = threadsOf(kept.outer)
  if (typeof threads === 'string') return threads
  const readFolds = fused ? [] : ops.flatMap((op) => (op.op === 'fold' ? [op.index] : []))
  const { inputs, element } = collector(
    [
      ...read.flatMap((index) =>
        viewsOf(part.operands[index] as Operand).map(({ buffer }): Input => ({ kind: 'buffer', id: buffer })),
      ),
      ...readFolds.map((index): Input => ({ kind: 'fold', index })),
    ],
    size,
  )
  const still = kept.inner.map(() => '0')
  const scope = (inner: readonly string[], suffix: string): Scope => {
    const axes = [...threads.axes, ...inner]
    return {
      body,
      mode,
      suffix,
      read: (index) => {
        const operand = kept.operands[read.indexOf(index)] as Operand
        if (operand.kind === 'iota') return address(operand, axes)
        const { at = [] } = operand
        const more = gathered(at, (view) => element({ kind: 'buffer', id: view.buffer }, view, axes))
        return element({ kind: 'buffer', id: operand.buffer }, operand, axes, more)
      },
      fold: (index) => (fused ? `f${index}` : element({ kind: 'fold', index }, foldView, axes)),
    }
  }
  const fold = (index: number): readonly string[] => {
    const { value: of } = folds[index] as Fold
    return foldCode(folds[index] as Fold, index, kept.inner, mode, (axes, suffix) =>
      definitions(scope(axes, suffix), [of]),
    )
  }
  const code =
    typeof value === 'number'
      ? [
          ...(fused ? needed(ops).flatMap(fold) : []),
          ...definitions(scope(still, ''), [value]),
          `return v${value};`,
        ]
      : [...fold(value.fold), `return f${value.fold};`]
  const names = inputs.map((_, position) => `a${position}`).join(', ')
  return { source: `function (${names}) {\n${code.join('\n')}\n}`, output: threads.output, inputs }
}

const needed = (ops: readonly ScalarOp[]): readonly number[] =>
  [...new Set(ops.flatMap((op) => (op.op === 'fold' ? [op.index] : [])))].sort((x, y) => x - y)

const isSource = (source: Source | string): source is Source => typeof source !== 'string'

/** The kernels of a launch, or why it has to run on the host. */
export const stageOf = (
  launch: Launch,
  dtypeOf: (buffer: BufferId) => Dtype,
  sizeOfBuffer: (buffer: BufferId) => number,
  mode: Mode,
): Stage | string => {
  const rows = rowsOf(launch, dtypeOf)
  if (rows === undefined) return `gpu.js kernels cannot ${launch.kind}`
  const reason = inexactness(rows, mode)
  if (reason !== undefined) return reason
  const { outer, inner, operands, folds, outputs } = rows
  const all = [...outer, ...inner]
  const size = (input: Input): number => (input.kind === 'buffer' ? sizeOfBuffer(input.id) : sizeOf(outer))
  if (folds.length > 0 && sizeOf(inner) === 0) return 'the fold of nothing needs no kernel'
  const only = outputs[0]
  const fused = outputs.length === 1 && only?.over === 'outer'
  const foldSources = fused
    ? []
    : folds.map((_, fold) =>
        print(rows, { outer, inner, operands, value: { fold }, fused: false }, outer, mode, size),
      )
  const outputSources = outputs.map(({ over, value }) =>
    over === 'outer'
      ? print(rows, { outer, inner, operands, value, fused }, outer, mode, size)
      : print(rows, { outer: all, inner: [], operands, value, fused: false }, outer, mode, size),
  )
  const refused = [...foldSources, ...outputSources].find((source) => !isSource(source))
  if (typeof refused === 'string') return refused
  return {
    folds: foldSources.filter(isSource),
    rows: sizeOf(outer),
    outputs: outputs.map(({ over, target }, index) => ({
      source: outputSources[index] as Source,
      target,
      shape: over === 'outer' ? outer : all,
    })),
  }
}
