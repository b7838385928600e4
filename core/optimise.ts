/** Graph clean-up before lowering: equal equations become one, and what nobody needs goes. */
import type { Atom, Equation, Graph, Var } from './graph.ts'
import { isVar } from './graph.ts'

const atomKey = (atom: Atom): string =>
  isVar(atom) ? `%${atom.id}` : `${atom.dtype} ${Object.is(atom.value, -0) ? '-0' : String(atom.value)}`

/** One equation in place of several with the same primitive, parameters and inputs. */
export const mergeCommon = (graph: Graph): Graph => {
  const renamed = new Map<number, Var>()
  const known = new Map<string, readonly Var[]>()
  const rename = (atom: Atom): Atom => (isVar(atom) ? (renamed.get(atom.id) ?? atom) : atom)
  const equations: Equation[] = []
  for (const equation of graph.equations) {
    const inputs = equation.inputs.map(rename)
    const key = `${equation.primitive.name} ${JSON.stringify(equation.params)} ${inputs.map(atomKey).join()}`
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
