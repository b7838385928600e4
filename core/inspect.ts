import type { Atom, Equation, Graph, Var } from './graph.ts'
import { isVar } from './graph.ts'
import { renderShape } from './error.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'

const nameOf = (n: number): string =>
  n < 26 ? (letters[n] as string) : nameOf(Math.floor(n / 26) - 1) + (letters[n % 26] as string)

const typed = (name: string, { dtype, shape }: Var): string => `${name}: ${dtype}${renderShape(shape)}`

const isGraph = (value: unknown): value is Graph =>
  typeof value === 'object' && value !== null && 'equations' in value

const renderParam = (value: unknown): string => (isGraph(value) ? renderGraph(value) : JSON.stringify(value))

const renderParams = (params: unknown): string => {
  const parts = Object.entries((params ?? {}) as Readonly<Record<string, unknown>>)
  return parts.length === 0
    ? ''
    : `[${parts.map(([name, value]) => `${name}=${renderParam(value)}`).join(' ')}]`.replaceAll('\n', '\n  ')
}

/** The names of a graph's values, in the order in which they come up. */
export const equationNames = (graph: Graph): ((atom: Atom) => string) => {
  const names = new Map<number, string>()
  const name = (atom: Atom): string => {
    if (!isVar(atom)) return String(atom.value)
    let known = names.get(atom.id)
    if (known === undefined) names.set(atom.id, (known = nameOf(names.size)))
    return known
  }
  graph.inputs.forEach(name)
  graph.equations.forEach(({ outputs }) => outputs.forEach(name))
  return name
}

/** One equation as text: `c: float32[2] = mul a b`. */
export const renderEquation = (
  { primitive, params, inputs, outputs }: Equation,
  name: (atom: Atom) => string,
): string => {
  const left = outputs.map((out) => typed(name(out), out)).join(', ')
  return `${left} = ${[primitive.name + renderParams(params), ...inputs.map(name)].join(' ')}`
}

/** The graph as text, one equation a line, with dtypes and shapes. */
export const renderGraph = (graph: Graph): string => {
  const name = equationNames(graph)
  return [
    `(${graph.inputs.map((variable) => typed(name(variable), variable)).join(', ')}) => {`,
    ...graph.equations.map((equation) => `  ${renderEquation(equation, name)}`),
    `  return ${graph.outputs.map(name).join(', ')}`,
    '}',
  ].join('\n')
}
