import type { Executable, HostArray, Memory } from '../kernels/index.ts'
import { hostArray } from '../kernels/index.ts'
import { defaultEngine } from './engine.ts'
import { PullbackError } from './error.ts'
import type { Engine } from '../kernels/index.ts'
import type { Var } from './graph.ts'
import { lowerEquations } from './lower/lower.ts'
import type { Primitive } from './primitive.ts'
import { keyOf } from './primitive.ts'
import type { Aval, Tensor, Literal } from './tensor.ts'
import { Concrete } from './tensor.ts'

const caches = new WeakMap<Engine, Map<string, Executable>>()
const cacheLimit = 4096

const literals = new WeakMap<Engine, Map<string, Memory>>()

/** A literal's memory on an engine; a few hundred of the last are kept. */
export const literalMemory = (literal: Literal, engine: Engine): Memory => {
  const known = memo(literals, engine)
  const key = `${literal.dtype} ${Object.is(literal.value, -0) ? '-0' : String(literal.value)}`
  return remember(known, key, 256, () => {
    const data: HostArray = hostArray(literal.dtype, 1)
    data[0] = literal.value
    return engine.upload(data)
  })
}

const memo = <V>(all: WeakMap<Engine, Map<string, V>>, engine: Engine): Map<string, V> => {
  let known = all.get(engine)
  if (known === undefined) all.set(engine, (known = new Map<string, V>()))
  return known
}

const remember = <V>(known: Map<string, V>, key: string, limit: number, make: () => V): V => {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    if (known.size >= limit) known.delete(known.keys().next().value as string)
    known.set(key, value)
  }
  return value
}

/** The engine of the inputs, which must be one; the default engine where there are only literals. */
export const engineOf = (operation: string, inputs: readonly Tensor[]): Engine => {
  let engine: Engine | undefined
  for (const input of inputs) {
    if (!(input instanceof Concrete)) continue
    if (engine !== undefined && input.engine !== engine)
      throw new PullbackError({
        tag: 'engine',
        operation,
        detail: `tensors are on different engines (${engine.name} and ${input.engine.name}); move one with transfer(x, engine)`,
      })
    engine = input.engine
  }
  return engine ?? defaultEngine()
}

/** A primitive compiled for inputs of some shapes and dtypes. */
interface Ready {
  readonly inputs: readonly Aval[]
  readonly params: unknown
  readonly outputs: readonly Aval[]
  readonly executable: Executable
}

/**
 * The last signatures of each primitive, before the cache of all: comparing small lists of numbers costs a tenth
 * of writing them down as a key, and on small tensors that is what an operation costs.
 */
const recent = new WeakMap<Engine, Map<object, Ready[]>>()
const recentLimit = 6

const sameParams = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  for (const name in a) if (!(name in b) || !sameParams((a as never)[name], (b as never)[name])) return false
  for (const name in b) if (!(name in a)) return false
  return true
}

const sameAvals = (a: readonly Aval[], b: readonly Aval[]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as Aval, b[i] as Aval]
    if (x.dtype !== y.dtype) return false
    if (x.shape === y.shape) continue
    const rank = x.shape.length
    if (rank !== y.shape.length) return false
    for (let axis = 0; axis < rank; axis++) if (x.shape[axis] !== y.shape[axis]) return false
  }
  return true
}

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype })

/** A program of one equation, compiled once for each signature. */
const compileOne = <P>(
  engine: Engine,
  primitive: Primitive<P>,
  inputs: readonly Aval[],
  params: P,
  outputs: readonly Aval[],
): Executable => {
  let key = keyOf(primitive, params)
  for (const input of inputs) key += ` ${input.dtype}${input.shape.join(',')}`
  const variable = ({ shape, dtype }: Aval, id: number): Var => ({ id, shape, dtype })
  return remember(memo(caches, engine), key, cacheLimit, () => {
    const given = inputs.map(variable)
    const made = outputs.map((out, i) => variable(out, inputs.length + i))
    const equation = { primitive: primitive as Primitive, params, inputs: given, outputs: made }
    const graph = { inputs: given, equations: [equation], outputs: made }
    return engine.compile(lowerEquations(graph, [], engine))
  })
}

const readyFor = <P>(
  engine: Engine,
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
): Ready => {
  let table = recent.get(engine)
  if (table === undefined) recent.set(engine, (table = new Map<object, Ready[]>()))
  let known = table.get(primitive)
  if (known === undefined) table.set(primitive, (known = []))
  const same = (other: unknown): boolean =>
    primitive.key === undefined
      ? sameParams(other, params)
      : primitive.key(other as P) === primitive.key(params)
  for (const one of known) if (sameAvals(one.inputs, inputs) && same(one.params)) return one
  const outputs = primitive.shape(inputs, params)
  const executable = compileOne(engine, primitive, inputs, params, outputs)
  const fresh = { inputs: inputs.map(avalOf), params, outputs: outputs.map(avalOf), executable }
  known.unshift(fresh)
  if (known.length > recentLimit) known.pop()
  return fresh
}

/** Runs one primitive at once. Inputs that do not fit are refused before anything runs. */
export const evaluate = <P>(
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
): readonly Tensor[] => {
  const engine = engineOf(primitive.name, inputs)
  const { executable, outputs } = readyFor(engine, primitive, inputs, params)
  const memories = executable.run(
    inputs.map((input) =>
      input instanceof Concrete ? input.memory(primitive.name) : literalMemory(input as Literal, engine),
    ),
  )
  return outputs.map(({ shape, dtype }, i) => new Concrete(shape, dtype, engine, memories[i] as Memory))
}
