/**
 * A loop with a carry, as one primitive with the graph of its body: traced once, compiled once, whatever its length.
 * Its inputs are constants, the first carry, and what is sliced along axis 0, one slice a step; its outputs the last
 * carry, and what every step gives, stacked.
 */
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { BufferId, Step } from '../../kernels/index.ts'
import { bind } from '../bind.ts'
import { batchedCall } from '../custom/call.ts'
import * as functions from '../function/index.ts'
import type { Graph, Var } from '../graph.ts'
import { buffersOf, hasPending, serialise } from '../lower/builder.ts'
import type { Builder } from '../lower/builder.ts'
import type { Lazy } from '../lower/lazy.ts'
import { binaryNode, constant, constantNode, costOf, leavesOf, whole } from '../lower/lazy.ts'
import { lowerInto } from '../lower/lower.ts'
import { expandCalls, graphKey, optimise } from '../optimise.ts'
import type { Linearised, LowerSite, Primitive } from '../primitive.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { jvp } from '../transform/jvp.ts'
import { interpret, stage } from '../transform/stage.ts'
import { vjp } from '../transform/vjp.ts'
import { dependents, halves, smoothDependents, withoutUnread } from './flow.ts'

export type Flags = readonly boolean[]
export type Tensors = readonly Tensor[]

export interface ScanParams {
  /** [...constants, ...carry, ...slices] → [...carry, ...results]. */
  readonly body: Graph
  /** How many of the inputs are constants, and how many the carry. */
  readonly consts: number
  readonly carry: number
  readonly length: number
  /** Whether steps go from the last slice to the first. */
  readonly reverse: boolean
}

/** A list cut behind the first `consts` and the next `carry` elements. */
const parts = <T>(
  list: readonly T[],
  { consts, carry }: Pick<ScanParams, 'consts' | 'carry'>,
): readonly [consts: readonly T[], carry: readonly T[], rest: readonly T[]] => [
  list.slice(0, consts),
  list.slice(consts, consts + carry),
  list.slice(consts + carry),
]

/** The body of another scan: what its function uses from outside becomes constants. */
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
  params: Pick<ScanParams, 'consts' | 'carry'>,
  step: (moving: Flags) => Flags,
): { readonly moving: Flags; readonly outputs: Flags } => {
  let moving = start
  for (;;) {
    const outputs = step(moving)
    const [consts, carry, slices] = parts(moving, params)
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

/** `all` with the flagged elements replaced by those of the list. */
export const replace = (all: Tensors, flags: Flags, list: Tensors): Tensors =>
  place(flags, list).map((x, i) => x ?? (all[i] as Tensor))

const zeroOf = ({ shape, dtype }: Aval): Tensor => functions.zeros(shape, dtype)

const run = (inputs: Tensors, params: ScanParams): Tensors => bind(scanPrimitive, inputs, params)

/** Values and tangents side by side in constants, carry and slices. */
const pushed: NonNullable<Primitive<ScanParams>['jvp']> = (_, { inputs, tangents, params }) => {
  const { body, carry, length, reverse } = params
  const { moving, outputs: out } = fixpoint(
    tangents.map((tangent) => tangent !== undefined),
    params,
    (flags) => smoothDependents(body, flags),
  )
  const [consts, first, slices] = parts(inputs, params)
  const [movesConst, movesCarry, movesSlice] = parts(moving, params)
  const [dConsts, dCarry, dSlices] = parts(tangents, params)
  const outCarry = movesCarry
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
        ...pick(slopes.slice(0, carry), outCarry),
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
    tangents: [...place(outCarry, last.slice(carry)), ...place(outResults, stacked.slice(outResults.length))],
  }
}

/**
 * The pullback of a step, traced beside the step and cut in two: what it needs of the forward pass is stacked there
 * (constants and slices are at hand anyway), and a scan in the other direction does the rest.
 */
const linearise: NonNullable<Primitive<ScanParams>['linearise']> = (
  _,
  { inputs, params, needs },
): Linearised => {
  const { body, carry, length, reverse } = params
  const { moving, outputs: out } = fixpoint(needs, params, (flags) => smoothDependents(body, flags))
  const [consts, first, slices] = parts(inputs, params)
  const [, movesCarry] = parts(moving, params)
  const outResults = out.slice(carry)
  const seeds = [...movesCarry, ...outResults]
  const avals = body.outputs.map(({ shape, dtype }) => ({ shape, dtype }))
  const own = body.inputs.length
  const joint = stage(
    (values) => {
      const primal = values.slice(0, own)
      const { value, pullback } = vjp(
        (...variables: Tensors) => interpret(body, replace(primal, moving, variables)),
        ...pick(primal, moving),
      )
      const cotangents = place(seeds, values.slice(own))
      return [...value, ...pullback(value.map((x, i) => cotangents[i] ?? functions.zerosLike(x)))]
    },
    [...body.inputs, ...pick(avals, seeds)],
  )
  const later = joint.graph.inputs.map((_, i) => i >= own && i < own + seeds.filter(Boolean).length)
  const values = avals.length
  // A cotangent that depends on no other is zero.
  const flags = dependents(joint.graph, later).slice(values)
  const graph = optimise({
    ...joint.graph,
    outputs: [...joint.graph.outputs.slice(0, values), ...pick(joint.graph.outputs.slice(values), flags)],
  })
  const { early, late, residuals } = halves(graph, later)
  const { kept } = withoutUnread(late)
  const [ownConsts, ownCarry, ownSlices] = parts(graph.inputs.slice(0, own), params)
  const captured = graph.inputs.slice(own + later.filter(Boolean).length)
  const cotangents = pick(graph.inputs, later)
  const isRead = ({ id }: Var): boolean => kept[late.inputs.findIndex((input) => input.id === id)] === true
  const carried = ownCarry.filter(isRead)
  const stacked = [...carried, ...residuals]
  const forward: Graph = {
    inputs: [...ownConsts, ...captured, ...ownCarry, ...ownSlices],
    equations: early.equations,
    outputs: [...early.outputs.slice(0, values), ...stacked],
  }
  const results = run([...consts, ...joint.captured, ...first, ...slices], {
    body: optimise(forward),
    consts: ownConsts.length + captured.length,
    carry,
    length,
    reverse,
  })
  const outputs = results.slice(0, values)
  const saved = results.slice(values)
  // What the late half gives, in the order of the moving inputs.
  const given = place(
    moving,
    flags.map((is, i) => (is ? i : -1)),
  ).map((at) => at !== undefined && at >= 0)
  const [givesConst, , givesSlice] = parts(given, params)
  const readConsts = [...ownConsts, ...captured].filter(isRead)
  const constValues = new Map(
    [...ownConsts, ...captured].map(({ id }, i) => [id, [...consts, ...joint.captured][i] as Tensor]),
  )
  const readSlices = ownSlices.filter(isRead)
  const sliceValues = new Map(ownSlices.map(({ id }, i) => [id, slices[i] as Tensor]))
  const accumulated = pick(ownConsts, givesConst)
  const carrySeeds = pick(
    cotangents,
    pick([...movesCarry.map(() => true), ...outResults.map(() => false)], seeds),
  )
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
          ...readConsts.map(({ id }) => constValues.get(id) as Tensor),
          ...back.captured,
          ...accumulated.map(zeroOf),
          ...pick(full.slice(0, carry), movesCarry),
          ...readSlices.map(({ id }) => sliceValues.get(id) as Tensor),
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

const batch: Primitive<ScanParams>['batch'] = (_, { inputs, batched, size, params }) => {
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

const prepared = new WeakMap<Graph, Graph>()

/** The body as it is lowered: calls written out, cleaned up; once for each graph. */
export const lowered = (body: Graph): Graph => {
  let graph = prepared.get(body)
  if (graph === undefined) prepared.set(body, (graph = optimise(expandCalls(body))))
  return graph
}

/** A value that can be read again and again inside a control. */
export const stable = (lazy: Lazy, builder: Builder): Lazy =>
  hasPending(lazy) || costOf(lazy.node) > 0 ? builder.materialise(lazy) : lazy

/** A buffer of its own that begins with the value. */
export const variable = (lazy: Lazy, builder: Builder): BufferId => {
  const id = builder.buffer(lazy.dtype, sizeOf(lazy.shape))
  builder.write(lazy, { buffer: id, strides: contiguous(lazy.shape), offset: 0 })
  return id
}

const readsExactly = (lazy: Lazy, id: BufferId): boolean => {
  const strides = contiguous(lazy.shape)
  for (const leaf of leavesOf(lazy.node)) {
    if (leaf.kind !== 'leaf' || leaf.operand.kind !== 'buffer' || leaf.operand.buffer !== id) continue
    const { offset, at, strides: own } = leaf.operand
    if (offset !== 0 || at !== undefined) return false
    if (own.some((stride, axis) => stride !== strides[axis] && lazy.shape[axis] !== 1)) return false
  }
  return true
}

/**
 * Writes the next values of variables. A value that reads another variable, or its own elsewhere than it writes, is
 * given memory first, so that none sees what has been overwritten.
 */
export const assign = (variables: readonly BufferId[], values: readonly Lazy[], builder: Builder): void => {
  const own = new Set(variables)
  const settled = values.map((value) => (hasPending(value) ? builder.store(value) : value))
  const safe = settled.map((value, i) => {
    const id = variables[i] as BufferId
    const others = [...buffersOf(value.node)].some((read) => read !== id && own.has(read))
    return others || !readsExactly(value, id) ? builder.materialise(value) : value
  })
  safe.forEach((value, i) => {
    const id = variables[i] as BufferId
    if (value.node.kind === 'leaf' && buffersOf(value.node).has(id)) return // unchanged
    builder.write(value, { buffer: id, strides: contiguous(value.shape), offset: 0 })
  })
}

/** The slice at the position that is in memory. */
const sliceAt = (x: Lazy, index: BufferId, builder: Builder): Lazy => {
  const view = builder.force(x)
  const [length = 0, ...shape] = x.shape
  const zeros = shape.map(() => 0)
  return {
    shape,
    dtype: x.dtype,
    node: {
      kind: 'leaf',
      dtype: x.dtype,
      operand: {
        kind: 'buffer',
        buffer: view.buffer,
        offset: view.offset,
        strides: view.strides.slice(1),
        at: [
          {
            index: { buffer: index, offset: 0, strides: zeros },
            stride: view.strides[0] as number,
            size: length,
          },
        ],
      },
    },
  }
}

const store = (value: Lazy, into: BufferId, length: number, index: BufferId, builder: Builder): void => {
  if (sizeOf(value.shape) === 0) return
  const settled = builder.settle(value)
  const { operands, body, values } = serialise([settled.node])
  const zeros = value.shape.map(() => 0)
  builder.emit({
    kind: 'scatter',
    op: 'set',
    shape: value.shape,
    operands,
    body,
    value: values[0] as number,
    target: { buffer: into, offset: 0, strides: contiguous(value.shape) },
    at: [{ index: { buffer: index, offset: 0, strides: zeros }, stride: sizeOf(value.shape), size: length }],
  })
}

const lower = ({ inputs, params, outputs, builder }: LowerSite<ScanParams>): readonly Lazy[] => {
  const { body, carry, length, reverse } = params
  const [consts, first, slices] = parts(inputs, params)
  const fixed = consts.map((x) => stable(x, builder))
  const variables = first.map((x) => variable(x, builder))
  const results = outputs.slice(carry).map(({ shape, dtype }) => variable(constant(0, dtype, shape), builder))
  const index = variable(constant(reverse ? length - 1 : 0, 'int32'), builder)
  const views = length === 0 ? [] : slices.map((x) => sliceAt(x, index, builder))
  const states = variables.map((id, i) => whole(id, (first[i] as Lazy).shape, (first[i] as Lazy).dtype))
  const steps = (): readonly Step[] =>
    builder.inside(() => {
      const values = lowerInto(lowered(body), [...fixed, ...states, ...views], builder)
      // A launch that both a result and the carry wait for runs once.
      const known = values.map((value) => (hasPending(value) ? builder.store(value) : value))
      known.slice(carry).forEach((value, i) => store(value, results[i] as BufferId, length, index, builder))
      assign(variables, known.slice(0, carry), builder)
      const position = whole(index, [], 'int32')
      const moved = binaryNode('add', position.node, constantNode(reverse ? -1 : 1, 'int32'))
      builder.write({ ...position, node: moved }, { buffer: index, strides: [], offset: 0 })
    })
  if (length > 0) builder.emit({ kind: 'loop', count: length, launches: steps() })
  return [
    ...states,
    ...results.map((id, i) => {
      const { shape, dtype } = outputs[carry + i] as Aval
      return whole(id, shape, dtype)
    }),
  ]
}

export const scanPrimitive: Primitive<ScanParams> = {
  name: 'scan',
  shape: (_, { body, carry, length }) =>
    body.outputs.map(({ shape, dtype }, i) => ({ shape: i < carry ? shape : [length, ...shape], dtype })),
  vjp: 'none',
  jvp: pushed,
  linearise,
  batch,
  lower,
  key: ({ body, consts, carry, length, reverse }) =>
    `scan ${consts} ${carry} ${length} ${reverse ? 'reverse ' : ''}${graphKey(body)}`,
}
