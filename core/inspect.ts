import type { Atom, Graph, Var } from './graph.ts'
import { isVar } from './graph.ts'
import { renderShape } from './error.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'

const nameOf = (n: number): string =>
  n < 26 ? (letters[n] as string) : nameOf(Math.floor(n / 26) - 1) + (letters[n % 26] as string)

const typed = (name: string, { dtype, shape }: Var): string => `${name}: ${dtype}${renderShape(shape)}`

const renderParams = (params: unknown): string => {
  const parts = Object.entries((params ?? {}) as Readonly<Record<string, unknown>>)
  return parts.length === 0
    ? ''
    : `[${parts.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')}]`
}

/** The graph as text, one equation a line, with dtypes and shapes. */
export const renderGraph = (graph: Graph): string => {
  const names = new Map<number, string>()
  const name = (atom: Atom): string => {
    if (!isVar(atom)) return String(atom.value)
    let known = names.get(atom.id)
    if (known === undefined) names.set(atom.id, (known = nameOf(names.size)))
    return known
  }
  const inputs = graph.inputs.map((variable) => typed(name(variable), variable))
  const equations = graph.equations.map(({ primitive, params, inputs, outputs }) => {
    const left = outputs.map((out) => typed(name(out), out)).join(', ')
    return `  ${left} = ${[primitive.name + renderParams(params), ...inputs.map(name)].join(' ')}`
  })
  return [
    `(${inputs.join(', ')}) => {`,
    ...equations,
    `  return ${graph.outputs.map(name).join(', ')}`,
    '}',
  ].join('\n')
}
