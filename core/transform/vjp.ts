/**
 * Reverse mode: a function is run on tracers that compute their value with operations of the level below and
 * note each differentiable step; the pullback walks the steps backwards. Values are there while tracing, so
 * ordinary control flow on concrete numbers works, and since both passes are made of ordinary operations they
 * can be compiled and differentiated again. (Speelpenning 1980; the interpreter form follows "Autodidax".)
 */
import { isFloating } from '../../kernels/index.ts'
import { tensorsOf } from '../argument.ts'
import { bind, whileOpen, withLevel } from '../bind.ts'
import { argumentError, escapedError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Linearised, Primitive } from '../primitive.ts'
import type { Application, Trace } from '../tensor.ts'
import type { Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import { ValueTracer, checkLike } from './tracer.ts'

interface Step {
  readonly pullback: Linearised['pullback']
  /** For each input, the node that its cotangent goes to. */
  readonly sources: readonly (number | undefined)[]
  /** The nodes of the outputs. */
  readonly nodes: readonly number[]
}

class VjpTracer extends ValueTracer {
  readonly trace: VjpTrace
  readonly node: number

  constructor(trace: VjpTrace, value: Tensor, node: number) {
    super(value)
    this.trace = trace
    this.node = node
  }
}

class VjpTrace implements Trace {
  readonly level: number
  readonly steps: Step[] = []
  nodes = 0
  open = true

  constructor(level: number) {
    this.level = level
  }

  input(value: Tensor): VjpTracer {
    return new VjpTracer(this, value, this.nodes++)
  }

  own(x: Tensor): x is VjpTracer {
    return x instanceof VjpTracer && x.trace === this
  }

  process({ primitive, inputs, params }: Application): readonly Tensor[] {
    if (!this.open) throw escapedError(primitive.name, 'differentiated')
    const record = primitive as Primitive
    const values = inputs.map((x) => (this.own(x) ? x.value : x))
    const sources = inputs.map((x) => (this.own(x) && isFloating(x.dtype) ? x.node : undefined))
    const needs = sources.map((source) => source !== undefined)
    if (!needs.includes(true)) return bind(record, values, params)
    const { outputs, pullback } = linearised(record, values, params, needs)
    if (pullback === undefined || !outputs.some(({ dtype }) => isFloating(dtype))) return outputs
    const traced = outputs.map((value) => this.input(value))
    this.steps.push({ pullback, sources, nodes: traced.map(({ node }) => node) })
    return traced
  }
}

/** The outputs of an operation on values of the level below, and its pullback if it has one. */
export const linearised = (
  record: Primitive,
  inputs: readonly Tensor[],
  params: unknown,
  needs: readonly boolean[],
): { readonly outputs: readonly Tensor[]; readonly pullback?: Linearised['pullback'] } => {
  if (record.linearise !== undefined) return record.linearise(functions, { inputs, params, needs })
  const outputs = bind(record, inputs, params)
  const rule = record.vjp
  if (rule === 'none') return { outputs }
  return {
    outputs,
    pullback: (cotangents) => rule(functions, { cotangents, inputs, outputs, params, needs }),
  }
}

const backward = (
  trace: VjpTrace,
  seeds: ReadonlyMap<number, Tensor>,
  wanted: readonly VjpTracer[],
): Tensor[] => {
  const cotangents = new Map(seeds)
  for (let i = trace.steps.length - 1; i >= 0; i--) {
    const { pullback, sources, nodes } = trace.steps[i] as Step
    if (!nodes.some((node) => cotangents.has(node))) continue
    const given = nodes.map((node) => cotangents.get(node))
    nodes.forEach((node) => cotangents.delete(node))
    const results = pullback(given)
    sources.forEach((source, j) => {
      const result = results[j]
      if (source === undefined || result === undefined) return
      const before = cotangents.get(source)
      cotangents.set(source, before === undefined ? result : functions.add(before, result))
    })
  }
  return wanted.map((x) => cotangents.get(x.node) ?? functions.zerosLike(x.value))
}

/** What `vjp` gives: the value, and the map from an output's cotangent to the arguments' cotangents. */
export interface Vjp<A extends readonly unknown[], B> {
  readonly value: B
  readonly pullback: (cotangent: B) => A
}

/**
 * The value of `f` at the arguments (trees of tensors) and its pullback, the linear map that reverse mode applies: of
 * a cotangent with the output's structure and shapes, the arguments' cotangents, in a list. Integer tensors among the
 * arguments get zero cotangents. It may be called any number of times; `f` is not run again.
 *
 * @throws PullbackError, from the pullback, when the cotangent has another structure, other shapes or other dtypes than
 * the output.
 * @example
 * ```ts
 * import { sin, tensor, vjp } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const { value, pullback } = vjp((x: Tensor) => sin(x), tensor([0, 1]))
 * console.log(value, pullback(tensor([1, 1]))) // => float32[2] [0, 0.841471] [float32[2] [1, 0.540302]]
 * ```
 */
export const vjp = <A extends readonly unknown[], B>(f: (...args: A) => B, ...args: A): Vjp<A, B> => {
  const { value, pullback } = vjpWithAux<A, B>((...inner) => [f(...inner), undefined], args)
  return { value, pullback }
}

/** What `vjp` gives of the first of two results; the second, any tree, comes out as it is, and has no derivative. */
export const vjpWithAux = <A extends readonly unknown[], B>(
  f: (...args: A) => readonly [output: B, aux: unknown],
  args: A,
): Vjp<A, B> & { readonly aux: unknown } => {
  const [values, structure] = tensorsOf(args)
  return withLevel((level) => {
    const trace = new VjpTrace(level)
    const tracers = values.map((value) => trace.input(value))
    const [result, aux] = whileOpen(trace, () => f(...(structure.unflatten(tracers) as A)))
    const strip = (x: Tensor): Tensor => (trace.own(x) ? x.value : x)
    const [outputs, outStructure] = tree.flatten(result)
    const pullback = (cotangent: B): A => {
      const [given, same] = tree.flatten(cotangent)
      if (same.key !== outStructure.key)
        throw argumentError('pullback', "the cotangent must have the structure of the function's output")
      const seeds = new Map<number, Tensor>()
      outputs.forEach((out, i) => {
        const seed = given[i] as Tensor
        checkLike('pullback', ['a cotangent', 'output'], seed, out)
        if (!trace.own(out) || !isFloating(out.dtype)) return
        const before = seeds.get(out.node)
        seeds.set(out.node, before === undefined ? seed : functions.add(before, seed))
      })
      return structure.unflatten(backward(trace, seeds, tracers)) as A
    }
    return {
      value: outStructure.unflatten(outputs.map(strip)) as B,
      aux: tree.map(strip, aux),
      pullback,
    }
  })
}
