/** Bodies of loops: graphs whose inputs are constants, a carry, and slices. */
import * as functions from '../function/index.ts'
import type { Graph } from '../graph.ts'
import { optimise } from '../optimise.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { stage } from '../transform/stage.ts'

export type Flags = readonly boolean[]
export type Tensors = readonly Tensor[]

/** How many of the inputs are constants, and how many the carry; the others are slices. */
export interface Cut {
  readonly consts: number
  readonly carry: number
}

/** A list cut behind the first `consts` and the next `carry` elements. */
export const parts = <T>(
  list: readonly T[],
  { consts, carry }: Cut,
): readonly [consts: readonly T[], carry: readonly T[], rest: readonly T[]] => [
  list.slice(0, consts),
  list.slice(consts, consts + carry),
  list.slice(consts + carry),
]

/** A function as a body: what it uses from outside becomes constants. */
export const bodyOf = (
  f: (inputs: Tensors) => Tensors,
  consts: readonly Aval[],
  carry: readonly Aval[],
  slices: readonly Aval[],
): { readonly body: Graph; readonly consts: number; readonly captured: Tensors } => {
  const { graph, captured } = stage(f, [...consts, ...carry, ...slices])
  const declared = graph.inputs.length - captured.length
  const own = graph.inputs.slice(0, declared)
  const inputs = [
    ...own.slice(0, consts.length),
    ...graph.inputs.slice(declared),
    ...own.slice(consts.length),
  ]
  return {
    body: optimise({ ...graph, inputs }),
    consts: consts.length + captured.length,
    captured,
  }
}

/** Which elements of the carry move, given what moves at first: what moves after one step moves in the next. */
export const fixpoint = (
  start: Flags,
  cut: Cut,
  step: (moving: Flags) => Flags,
): { readonly moving: Flags; readonly outputs: Flags } => {
  let moving = start
  for (;;) {
    const outputs = step(moving)
    const [consts, carry, slices] = parts(moving, cut)
    const next = carry.map((is, i) => is || outputs[i] === true)
    if (next.every((is, i) => is === carry[i])) return { moving, outputs }
    moving = [...consts, ...next, ...slices]
  }
}

export const pick = <T>(list: readonly T[], flags: Flags): readonly T[] =>
  list.filter((_, i) => flags[i] === true)

/** For each flag the next element of the list, or `undefined`. */
export const place = <T>(flags: Flags, list: readonly T[]): readonly (T | undefined)[] => {
  let next = 0
  return flags.map((is) => (is ? list[next++] : undefined))
}

export const zeroOf = ({ shape, dtype }: Aval): Tensor => functions.zeros(shape, dtype)

/** `all` with the flagged elements replaced by those of the list. */
export const replace = (all: Tensors, flags: Flags, list: Tensors): Tensors =>
  place(flags, list).map((x, i) => x ?? (all[i] as Tensor))
