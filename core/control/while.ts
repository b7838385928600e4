/** A loop whose end is data, as one primitive with the graphs of its condition and its body. */
import { tensorsOf } from '../argument.ts'
import { bind } from '../bind.ts'
import { batchedCall } from '../custom/call.ts'
import { argumentError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Graph } from '../graph.ts'
import { whole } from '../lower/lazy.ts'
import type { Lazy } from '../lower/lazy.ts'
import { lowerInto } from '../lower/lower.ts'
import { graphKey } from '../optimise.ts'
import type { LowerSite, Primitive } from '../primitive.ts'
import type { Aval, Tensor } from '../tensor.ts'
import type { Carried } from '../type.ts'
import { jvp } from '../transform/jvp.ts'
import { interpret } from '../transform/stage.ts'
import { nextCarry, scalarBool } from './loop.ts'
import type { Flags, Tensors } from './body.ts'
import { bodyOf, fixpoint, pick, place, replace } from './body.ts'
import { assign, lowered, stable, variable } from './memory.ts'
import { dependents, smoothDependents } from './flow.ts'

export interface WhileParams {
  /** [...its constants, ...carry] → one bool. */
  readonly condition: Graph
  /** [...its constants, ...carry] → carry. */
  readonly body: Graph
  readonly conditionConsts: number
  readonly bodyConsts: number
}

interface Parts<T> {
  readonly conditionConsts: readonly T[]
  readonly bodyConsts: readonly T[]
  readonly carry: readonly T[]
}

const partsOf = <T>(list: readonly T[], { conditionConsts: a, bodyConsts: b }: WhileParams): Parts<T> => ({
  conditionConsts: list.slice(0, a),
  bodyConsts: list.slice(a, a + b),
  carry: list.slice(a + b),
})

const avalsOf = (values: readonly Aval[]): readonly Aval[] =>
  values.map(({ shape, dtype }) => ({ shape, dtype }))

/** What moves in the carry after any number of steps. */
const movingCarry = (
  consts: Flags,
  carry: Flags,
  body: Graph,
  rule: (graph: Graph, moving: Flags) => Flags,
): Flags =>
  fixpoint([...consts, ...carry], { consts: consts.length, carry: carry.length }, (flags) =>
    rule(body, flags),
  ).moving.slice(consts.length)

const run = (
  given: Parts<Tensor>,
  condition: { readonly body: Graph; readonly captured: Tensors },
  body: { readonly body: Graph; readonly captured: Tensors },
): Tensors =>
  bind(
    whilePrimitive,
    [...given.conditionConsts, ...condition.captured, ...given.bodyConsts, ...body.captured, ...given.carry],
    {
      condition: condition.body,
      body: body.body,
      conditionConsts: given.conditionConsts.length + condition.captured.length,
      bodyConsts: given.bodyConsts.length + body.captured.length,
    },
  )

const pushed: NonNullable<Primitive<WhileParams>['jvp']> = (_, { inputs, tangents, params }) => {
  const { condition, body } = params
  const given = partsOf(inputs, params)
  const slopes = partsOf(tangents, params)
  const constFlags = slopes.bodyConsts.map((x) => x !== undefined)
  const carryFlags = movingCarry(
    constFlags,
    slopes.carry.map((x) => x !== undefined),
    body,
    smoothDependents,
  )
  const flags = [...constFlags, ...carryFlags]
  const carry = [
    ...given.carry,
    ...pick(
      slopes.carry.map((x, i) => x ?? functions.zerosLike(given.carry[i] as Tensor)),
      carryFlags,
    ),
  ]
  const bodyConsts = [...given.bodyConsts, ...slopes.bodyConsts.filter((x) => x !== undefined)]
  const [c, k] = [given.bodyConsts.length, given.carry.length]
  const nextBody = bodyOf(
    (values) => {
      const [own, state] = [values.slice(0, bodyConsts.length), values.slice(bodyConsts.length)]
      const primal = [...own.slice(0, c), ...state.slice(0, k)]
      const directions = [...own.slice(c), ...state.slice(k)]
      const [outputs, moved] = jvp(
        (...variables: Tensors) => interpret(body, replace(primal, flags, variables)),
        pick(primal, flags),
        directions,
      )
      return [...outputs, ...pick(moved, carryFlags)]
    },
    avalsOf(bodyConsts),
    avalsOf(carry),
    [],
  )
  const nextCondition = bodyOf(
    (values) => interpret(condition, values.slice(0, given.conditionConsts.length + k)),
    avalsOf(given.conditionConsts),
    avalsOf(carry),
    [],
  )
  const results = run({ ...given, bodyConsts, carry }, nextCondition, nextBody)
  return { outputs: results.slice(0, k), tangents: place(carryFlags, results.slice(k)) }
}

const batch: Primitive<WhileParams>['batch'] = (_, { inputs, batched, size, params }) => {
  const { condition, body } = params
  const given = partsOf(inputs, params)
  const is = partsOf(batched, params)
  const carried = movingCarry(is.bodyConsts, is.carry, body, dependents)
  const [each = false] = dependents(condition, [...is.conditionConsts, ...carried])
  // Where examples end at different steps, all of the carry is theirs.
  const carryFlags = each ? carried.map(() => true) : carried
  const wide = (x: Aval, flag: boolean | undefined): Aval => ({
    shape: flag === true ? [size, ...x.shape] : x.shape,
    dtype: x.dtype,
  })
  const all = (list: readonly Aval[], flags: Flags): readonly Aval[] => list.map((x, i) => wide(x, flags[i]))
  const bodyAvals = body.inputs.slice(0, is.bodyConsts.length)
  const conditionAvals = condition.inputs.slice(0, is.conditionConsts.length)
  const carryAvals = avalsOf(body.outputs)
  const holds = (values: Tensors): Tensor =>
    batchedCall(
      (...own) => interpret(condition, own),
      [...is.conditionConsts, ...carryFlags],
    )(...values)[0] as Tensor
  const step = (values: Tensors): Tensors => {
    const flags = [...is.bodyConsts, ...carryFlags]
    if (!flags.includes(true)) return interpret(body, values)
    return batchedCall(
      (...own) => interpret(body, own),
      flags,
    )(...values).map((x, i) => (carryFlags[i] === true ? x : functions.at(x, 0)))
  }
  const [a, b] = [is.conditionConsts.length, is.bodyConsts.length]
  const nextCondition = bodyOf(
    (values) => [each ? functions.any(holds(values)) : (interpret(condition, values)[0] as Tensor)],
    all(conditionAvals, each ? is.conditionConsts : is.conditionConsts.map(() => false)),
    all(carryAvals, carryFlags),
    [],
  )
  // The body needs the condition's constants too, to leave the examples alone that have ended.
  const bodyConsts = each ? [...given.conditionConsts, ...given.bodyConsts] : given.bodyConsts
  const nextBody = bodyOf(
    (values) => {
      const own = values.slice(each ? a : 0)
      if (!each) return step(own)
      const carry = values.slice(a + b)
      const going = holds([...values.slice(0, a), ...carry])
      return step(own).map((x, i) => {
        const wideGoing = functions.reshape(going, [size, ...x.shape.slice(1).map(() => 1)])
        return functions.where(wideGoing as Tensor<readonly number[], 'bool'>, x, carry[i] as Tensor)
      })
    },
    each
      ? [...all(conditionAvals, is.conditionConsts), ...all(bodyAvals, is.bodyConsts)]
      : all(bodyAvals, is.bodyConsts),
    all(carryAvals, carryFlags),
    [],
  )
  const carry = given.carry.map((x, i) =>
    carryFlags[i] === true && is.carry[i] !== true ? functions.broadcastTo(x, [size, ...x.shape]) : x,
  )
  return run({ ...given, bodyConsts, carry }, nextCondition, nextBody).map((x, i) =>
    carryFlags[i] === true ? x : functions.broadcastTo(x, [size, ...x.shape]),
  )
}

const lower = ({ inputs, params, outputs, builder }: LowerSite<WhileParams>): readonly Lazy[] => {
  const given = partsOf(inputs, params)
  const conditionConsts = given.conditionConsts.map((x) => stable(x, builder))
  const bodyConsts = given.bodyConsts.map((x) => stable(x, builder))
  const variables = given.carry.map((x) => variable(x, builder))
  const states = variables.map((id, i) => whole(id, (outputs[i] as Aval).shape, (outputs[i] as Aval).dtype))
  const flag = builder.buffer('bool', 1)
  const condition = builder.inside(() => {
    const [holds] = lowerInto(lowered(params.condition), [...conditionConsts, ...states], builder)
    builder.write(holds as Lazy, { buffer: flag, strides: [], offset: 0 })
  })
  const launches = builder.inside(() =>
    assign(variables, lowerInto(lowered(params.body), [...bodyConsts, ...states], builder), builder),
  )
  builder.emit({ kind: 'while', condition, flag, launches })
  return states
}

const whilePrimitive: Primitive<WhileParams> = {
  name: 'whileLoop',
  shape: (_, { body }) => avalsOf(body.outputs),
  vjp: 'none',
  linearise: () => {
    throw argumentError(
      'whileLoop',
      'it has no reverse-mode derivative, since the number of steps whose values would have to be kept is not known; use scan or forLoop, which have a fixed number, or forward mode (jvp)',
    )
  },
  jvp: pushed,
  batch,
  lower,
  key: ({ condition, body, conditionConsts, bodyConsts }) =>
    `whileLoop ${conditionConsts} ${bodyConsts} ${graphKey(condition)} ${graphKey(body)}`,
}

/**
 * `body` of the carry again and again, as long as `condition` of it is true. Both are traced once. Differentiable in
 * forward mode only. JAX's `while_loop`. On a GPU each round waits for the condition to be read.
 *
 * @example
 * ```ts
 * import { item, less, mul, tensor } from 'pullback'
 * const power = whileLoop((x) => less(x, 100), (x) => mul(x, 2), tensor(3))
 * console.log(await item(power)) // => 192
 * ```
 */
export const whileLoop = <C>(
  condition: (carry: C) => Tensor | boolean,
  body: (carry: C) => NoInfer<C | Carried<C>>,
  init: C,
): C => {
  const [first, structure] = tensorsOf(init)
  const tested = bodyOf(
    (values) => [scalarBool('whileLoop', condition(structure.unflatten(values) as C))],
    [],
    first,
    [],
  )
  const stepped = bodyOf(
    (values) => nextCarry('whileLoop', body(structure.unflatten(values) as C), first, structure),
    [],
    first,
    [],
  )
  return structure.unflatten(run({ conditionConsts: [], bodyConsts: [], carry: first }, tested, stepped)) as C
}
