/** A choice among functions by a number that is data, as one primitive with the graphs of all branches. */
import { sizeOf } from '../../kernels/index.ts'
import { tensorsOf } from '../argument.ts'
import { bind } from '../bind.ts'
import { batchedCall } from '../custom/call.ts'
import { PullbackError, argumentError } from '../error.ts'
import { castTo } from '../function/basic.ts'
import * as functions from '../function/index.ts'
import type { Graph } from '../graph.ts'
import { contiguous, isFloating } from '../../kernels/index.ts'
import type { Lazy, Node } from '../lower/lazy.ts'
import { binaryNode, constantNode, selectNode, whole } from '../lower/lazy.ts'
import { lowerInto } from '../lower/lower.ts'
import { graphKey, optimise } from '../optimise.ts'
import type { LowerSite, Primitive } from '../primitive.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { Literal, isTensor } from '../tensor.ts'
import { jvp } from '../transform/jvp.ts'
import { interpret, stage } from '../transform/stage.ts'
import type * as tree from '../tree.ts'
import { scalarBool } from './loop.ts'
import type { Flags, Tensors } from './body.ts'
import { pick, place, replace, zeroOf } from './body.ts'
import { lowered, stable, variable } from './memory.ts'
import { smoothDependents } from './flow.ts'
import { halvedPullback } from './pullback.ts'

export interface BranchParams {
  /** operands → results; all take and give the same. */
  readonly branches: readonly Graph[]
}

/** The graphs of functions of the same inputs; what any of them uses from outside becomes an input of all. */
const united = (
  fs: readonly ((values: Tensors) => Tensors)[],
  avals: readonly Aval[],
): { readonly branches: readonly Graph[]; readonly captured: Tensors } => {
  const staged = fs.map((f) => stage(f, avals))
  const captured = staged.flatMap((each) => each.captured)
  let next = 1e9
  const branches = staged.map(({ graph }, k): Graph => {
    const own = graph.inputs.slice(0, avals.length)
    const others = staged.flatMap(({ graph: other }, j) => {
      const used = other.inputs.slice(avals.length)
      return j === k ? used : used.map(({ shape, dtype }) => ({ id: next++, shape, dtype }))
    })
    return optimise({ ...graph, inputs: [...own, ...others] })
  })
  return { branches, captured }
}

const avalsOf = (values: readonly Aval[]): readonly Aval[] =>
  values.map(({ shape, dtype }) => ({ shape, dtype }))

const choose = (index: Tensor, operands: Tensors, next: ReturnType<typeof united>): Tensors =>
  bind(branchPrimitive, [index, ...operands, ...next.captured], { branches: next.branches })

const smoothOutputs = (branches: readonly Graph[], moving: Flags): Flags => {
  const each = branches.map((branch) => smoothDependents(branch, moving))
  return (each[0] ?? []).map((_, i) => each.some((flags) => flags[i] === true))
}

const lower = ({
  inputs,
  params: { branches },
  outputs,
  builder,
}: LowerSite<BranchParams>): readonly Lazy[] => {
  const [index, ...operands] = inputs as [Lazy, ...Lazy[]]
  const fixed = operands.map((x) => stable(x, builder))
  const last = branches.length - 1
  const clamped = (x: Node): Node =>
    binaryNode('min', binaryNode('max', x, constantNode(0, 'int32')), constantNode(last, 'int32'))
  const settled = builder.settle(index)
  const chosen = variable({ ...settled, node: clamped(settled.node) }, builder)
  const results = branches.map((branch, value) => {
    const nodes: Node[] = []
    const launches = builder.inside(() => {
      for (const result of lowerInto(lowered(branch), fixed, builder)) {
        if (result.node.kind === 'constant') nodes.push(result.node)
        else {
          const id = builder.buffer(result.dtype, sizeOf(result.shape))
          builder.write(result, { buffer: id, strides: contiguous(result.shape), offset: 0 })
          nodes.push(whole(id, result.shape, result.dtype).node)
        }
      }
    })
    if (launches.length > 0) builder.emit({ kind: 'when', index: chosen, value, launches })
    return nodes
  })
  return outputs.map(({ shape, dtype }, i) => {
    const at = { kind: 'buffer', buffer: chosen, offset: 0, strides: shape.map(() => 0) } as const
    const position: Node = { kind: 'leaf', dtype: 'int32', operand: at }
    const node = results
      .map((nodes) => nodes[i] as Node)
      .reduceRight((other, own, k) =>
        selectNode(binaryNode('eq', position, constantNode(k, 'int32')), own, other),
      )
    return { shape, dtype, node }
  })
}

const branchPrimitive: Primitive<BranchParams> = {
  name: 'branch',
  shape: ([index], { branches }) => {
    if ((index as Aval).dtype !== 'int32' || (index as Aval).shape.length > 0)
      throw argumentError('switchCase', 'the index must be one int32')
    return avalsOf((branches[0] as Graph).outputs)
  },
  vjp: 'none',
  jvp: (_, { inputs, tangents, params: { branches } }) => {
    const [index, ...operands] = inputs as [Tensor, ...Tensor[]]
    const slopes = tangents.slice(1)
    const moving = slopes.map((x) => x !== undefined)
    const out = smoothOutputs(branches, moving)
    const directions = slopes.filter((x) => x !== undefined)
    const next = united(
      branches.map((branch) => (values) => {
        const primal = values.slice(0, operands.length)
        const [outputs, moved] = jvp(
          (...own: Tensors) => interpret(branch, replace(primal, moving, own)),
          pick(primal, moving),
          values.slice(operands.length),
        )
        return [...outputs, ...pick(moved, out)]
      }),
      avalsOf([...operands, ...directions]),
    )
    const results = choose(index, [...operands, ...directions], next)
    return { outputs: results.slice(0, out.length), tangents: place(out, results.slice(out.length)) }
  },
  // Each branch keeps what its derivative needs, and zeros for what the others need.
  linearise: (_, { inputs, needs, params: { branches } }) => {
    const [index, ...operands] = inputs as [Tensor, ...Tensor[]]
    const moving = needs.slice(1)
    const out = smoothOutputs(branches, moving)
    const halved = branches.map((branch) => halvedPullback(branch, moving, out))
    const forward = united(
      halved.map(({ early, captured }, k) => (values) => {
        const all = interpret(early, [...values, ...captured])
        const kept = halved.map(({ residuals }, j) =>
          j === k ? all.slice(out.length) : residuals.map(zeroOf),
        )
        return [...all.slice(0, out.length), ...kept.flat()]
      }),
      avalsOf(operands),
    )
    const results = choose(index, operands, forward)
    const [outputs, kept] = [results.slice(0, out.length), results.slice(out.length)]
    return {
      outputs,
      pullback: (cotangents) => {
        const given = pick(
          outputs.map((x, i) => cotangents[i] ?? functions.zerosLike(x)),
          out,
        )
        let start = operands.length + given.length
        const back = united(
          halved.map(({ late, residuals, captured, gives }) => {
            const [from, to] = [start, (start += residuals.length)]
            return (values) => {
              const known = values.slice(0, operands.length + given.length)
              const found = place(gives, interpret(late, [...known, ...captured, ...values.slice(from, to)]))
              return pick(operands, moving).map((x, i) => found[i] ?? zeroOf(x))
            }
          }),
          avalsOf([...operands, ...given, ...kept]),
        )
        return [undefined, ...place(moving, choose(index, [...operands, ...given, ...kept], back))]
      },
    }
  },
  batch: (_, { inputs, batched, size, params: { branches } }) => {
    const [index, ...operands] = inputs as [Tensor, ...Tensor[]]
    const flags = batched.slice(1)
    const wide = (k: number, values: Tensors): Tensors => {
      const call = (...own: Tensors): Tensors => interpret(branches[k] as Graph, own)
      if (flags.includes(true)) return batchedCall(call, flags)(...values)
      return call(...values).map((x) => functions.broadcastTo(x, [size, ...x.shape]))
    }
    if (batched[0] !== true)
      return choose(
        index,
        operands,
        united(
          branches.map((_, k) => (values) => wide(k, values)),
          avalsOf(operands),
        ),
      )
    // Each example has a branch of its own: all are computed, and one is chosen for each.
    const last = branches.length - 1
    const clamped = functions.clip(index, 0, last)
    return branches
      .map((_, k) => wide(k, operands))
      .reduceRight((others, own, k) =>
        own.map((x, i) => {
          const is = functions.reshape(functions.equal(clamped, k), [size, ...x.shape.slice(1).map(() => 1)])
          return functions.where(is as Tensor<readonly number[], 'bool'>, x, others[i] as Tensor)
        }),
      )
  },
  lower,
  key: ({ branches }) => `branch ${branches.map(graphKey).join(' ')}`,
}

/** The results of all branches in one dtype each, and of one structure and shape, or a sentence why not. */
const agreed = (
  operation: string,
  names: readonly string[],
  branches: readonly Graph[],
  structures: readonly tree.Structure[],
): void => {
  const [first, shape] = [branches[0] as Graph, structures[0] as tree.Structure]
  branches.forEach((branch, k) => {
    if (structures[k]?.key !== shape.key)
      throw argumentError(
        operation,
        `branches must return the same structure, but ${names[0]} returns ${shape.key} and ${names[k]} ${structures[k]?.key}, where * is a tensor`,
      )
    branch.outputs.forEach((out, i) => {
      const wanted = first.outputs[i] as Aval
      if (!sameShape(out.shape, wanted.shape))
        throw new PullbackError({
          tag: 'shape',
          operation,
          detail: `branches must return the same shapes, but ${names[0]} and ${names[k]} differ; reshape, broadcast or pad one of them`,
          shapes: [wanted.shape, out.shape],
        })
      if (out.dtype !== wanted.dtype)
        throw new PullbackError({
          tag: 'dtype',
          operation,
          detail: `branches must return the same dtypes, but ${names[0]} and ${names[k]} differ; cast one of them`,
          dtypes: [wanted.dtype, out.dtype],
        })
    })
  })
}

const branched = <A extends readonly unknown[], B>(
  operation: string,
  index: Tensor,
  names: readonly string[],
  fs: readonly ((...operands: A) => B)[],
  operands: A,
): B => {
  const [tensors, structure] = tensorsOf(operands)
  const structures: tree.Structure[] = []
  const next = united(
    fs.map((f, k) => (values) => {
      const [leaves, shape] = tensorsOf(f(...(structure.unflatten(values) as A)))
      structures[k] = shape
      return leaves
    }),
    avalsOf(tensors),
  )
  agreed(operation, names, next.branches, structures)
  return (structures[0] as tree.Structure).unflatten(choose(index, tensors, next)) as B
}

/**
 * `branches[index]` of the operands, where the index is data: clamped to the branches there are, as in JAX's
 * `lax.switch`. All branches are traced, and only the chosen one runs where the engine can look at the index. Under
 * `vmap` with an index for each example all run.
 *
 * @example
 * ```ts
 * import { cos, item, sin, tensor } from 'pullback'
 * console.log(await item(switchCase(tensor(1, { dtype: 'int32' }), [sin, cos], tensor(0)))) // => 1
 * ```
 */
export const switchCase = <A extends readonly unknown[], B>(
  index: Tensor | number,
  branches: readonly ((...operands: A) => B)[],
  ...operands: A
): B => {
  if (branches.length === 0) throw argumentError('switchCase', 'expected at least one branch, got none')
  const at = isTensor(index) ? index : new Literal(index, 'int32')
  if (isFloating(at.dtype) || at.shape.length > 0)
    throw argumentError('switchCase', `the index must be one integer, got ${at.toString()}`)
  const names = branches.map((_, k) => `branch ${k}`)
  return branched('switchCase', castTo(at, 'int32'), names, branches, operands)
}

/**
 * `onTrue` of the operands where the predicate, a scalar that is data, is true, and `onFalse` where it is not. Both
 * are traced, and only the chosen one runs where the engine can look at the predicate. JAX's `lax.cond`.
 *
 * @example
 * ```ts
 * import { greater, item, mul, neg, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const absolute = (x: Tensor) => cond(greater(x, 0), (y: Tensor) => mul(y, 1), neg, x)
 * console.log(await item(absolute(tensor(-3)))) // => 3
 * ```
 */
export const cond = <A extends readonly unknown[], B>(
  predicate: Tensor | boolean,
  onTrue: (...operands: A) => B,
  onFalse: (...operands: A) => NoInfer<B>,
  ...operands: A
): B =>
  branched(
    'cond',
    castTo(scalarBool('cond', predicate), 'int32'),
    ['onFalse', 'onTrue'],
    [onFalse as typeof onTrue, onTrue],
    operands,
  )
