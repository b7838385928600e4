/** Graph clean-up before lowering: equal equations become one, and what nobody needs goes. */
import type { Atom, Equation, Graph, Var } from './graph.ts'
import { isVar } from './graph.ts'
import type { Primitive } from './primitive.ts'
import { keyOf } from './primitive.ts'

const atomKey = (atom: Atom): string =>
  isVar(atom) ? `%${atom.id}` : `${atom.dtype} ${Object.is(atom.value, -0) ? '-0' : String(atom.value)}`

/** A text that is equal for graphs that compute the same by the same equations. */
export const graphKey = (graph: Graph): string => {
  const names = new Map<number, number>()
  const typed = ({ id, shape, dtype }: Var): string => {
    names.set(id, names.size)
    return `${dtype}${shape.join()}`
  }
  const named = (atom: Atom): string => (isVar(atom) ? `%${names.get(atom.id)}` : atomKey(atom))
  const inputs = graph.inputs.map(typed).join(' ')
  const equations = graph.equations.map(({ primitive, params, inputs, outputs }) => {
    const read = inputs.map(named).join()
    return `${keyOf(primitive, params)} ${read} ${outputs.map(typed).join(' ')}`
  })
  return `(${inputs}){${equations.join(';')}}(${graph.outputs.map(named).join()})`
}

/** The graph with every call in it written out. */
export const expandCalls = (graph: Graph): Graph => {
  if (!graph.equations.some(({ primitive }) => primitive.inline !== undefined)) return graph
  let next =
    1 +
    Math.max(
      -1,
      ...graph.inputs.map(({ id }) => id),
      ...graph.equations.flatMap((e) => e.outputs.map(({ id }) => id)),
    )
  const equations: Equation[] = []
  const write = (inner: Graph, values: Map<number, Atom>): readonly Atom[] => {
    const read = (atom: Atom): Atom => (isVar(atom) ? (values.get(atom.id) ?? atom) : atom)
    for (const { primitive, params, inputs, outputs } of inner.equations) {
      const given = inputs.map(read)
      const called = primitive.inline?.(params)
      if (called !== undefined) {
        const results = write(called, new Map(called.inputs.map(({ id }, i) => [id, given[i] as Atom])))
        outputs.forEach(({ id }, i) => values.set(id, results[i] as Atom))
        continue
      }
      const fresh = inner === graph ? outputs : outputs.map((out) => ({ ...out, id: next++ }))
      outputs.forEach(({ id }, i) => values.set(id, fresh[i] as Var))
      equations.push({ primitive, params, inputs: given, outputs: fresh })
    }
    return inner.outputs.map(read)
  }
  const outputs = write(graph, new Map(graph.inputs.map((input) => [input.id, input])))
  return { inputs: graph.inputs, equations, outputs }
}

/** One equation in place of several with the same primitive, parameters and inputs. */
const mergeCommon = (graph: Graph): Graph => {
  const renamed = new Map<number, Var>()
  const known = new Map<string, readonly Var[]>()
  const numbers = new Map<Primitive, number>()
  const numberOf = (primitive: Primitive): number => {
    const number = numbers.get(primitive) ?? numbers.size
    numbers.set(primitive, number)
    return number
  }
  const rename = (atom: Atom): Atom => (isVar(atom) ? (renamed.get(atom.id) ?? atom) : atom)
  const equations: Equation[] = []
  for (const equation of graph.equations) {
    const inputs = equation.inputs.map(rename)
    const { primitive, params } = equation
    if (primitive.distinct === true) {
      equations.push({ ...equation, inputs })
      continue
    }
    const key = `${numberOf(primitive)} ${keyOf(primitive, params)} ${inputs.map(atomKey).join()}`
    const before = known.get(key)
    if (before !== undefined) {
      equation.outputs.forEach((out, i) => renamed.set(out.id, before[i] as Var))
      continue
    }
    known.set(key, equation.outputs)
    equations.push({ ...equation, inputs })
  }
  return { ...graph, equations, outputs: graph.outputs.map(rename) }
}

/** Without the equations whose outputs reach no output of the graph. */
export const removeDead = (graph: Graph): Graph => {
  const needed = new Set<number>()
  const need = (atom: Atom): void => {
    if (isVar(atom)) needed.add(atom.id)
  }
  graph.outputs.forEach(need)
  const kept = graph.equations
    .toReversed()
    .filter((equation) => {
      if (!equation.outputs.some(({ id }) => needed.has(id))) return false
      equation.inputs.forEach(need)
      return true
    })
    .reverse()
  return { ...graph, equations: kept }
}

export const optimise = (graph: Graph): Graph => removeDead(mergeCommon(graph))
