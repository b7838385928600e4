/** Which values of a graph depend on which inputs, and the graph cut in two by it. */
import { isFloating } from '../../kernels/index.ts'
import type { Atom, Equation, Graph, Var } from '../graph.ts'
import { isVar } from '../graph.ts'
import { removeDead } from '../optimise.ts'

/** The variables that depend on the inputs for which `moving` is true; `through` tells what passes dependence on. */
const reached = (
  graph: Graph,
  moving: readonly boolean[],
  through: (equation: Equation) => boolean = () => true,
  kept: (out: Var) => boolean = () => true,
): ReadonlySet<number> => {
  const found = new Set<number>()
  graph.inputs.forEach(({ id }, i) => {
    if (moving[i] === true) found.add(id)
  })
  for (const equation of graph.equations)
    if (through(equation) && equation.inputs.some((atom) => isVar(atom) && found.has(atom.id)))
      for (const out of equation.outputs) if (kept(out)) found.add(out.id)
  return found
}

const isIn =
  (set: ReadonlySet<number>) =>
  (atom: Atom): boolean =>
    isVar(atom) && set.has(atom.id)

/** Which outputs depend on the moving inputs at all. */
export const dependents = (graph: Graph, moving: readonly boolean[]): readonly boolean[] =>
  graph.outputs.map(isIn(reached(graph, moving)))

/** Which outputs depend differentiably on the moving inputs. */
export const smoothDependents = (graph: Graph, moving: readonly boolean[]): readonly boolean[] => {
  const smooth = ({ primitive }: Equation): boolean =>
    primitive.vjp !== 'none' || primitive.linearise !== undefined || primitive.jvp !== undefined
  return graph.outputs.map(isIn(reached(graph, moving, smooth, ({ dtype }) => isFloating(dtype))))
}

/** Cheap enough to be computed again rather than kept: what only moves elements. */
const free = new Set(['broadcastTo', 'reshape', 'transpose', 'slice', 'reverse', 'iota'])

export interface Halves {
  /** The inputs for which `later` is false → the outputs for which it is false, then the residuals. */
  readonly early: Graph
  /** All inputs, then the residuals → the outputs that depend on a later input. */
  readonly late: Graph
  /** The values of the early half that the late half needs. */
  readonly residuals: readonly Var[]
}

/**
 * The graph as two: what can be computed without the inputs for which `later` is true, and what follows. Views and
 * what is made of nothing are computed again in the late half instead of being kept.
 */
export const halves = (graph: Graph, later: readonly boolean[]): Halves => {
  const late = reached(graph, later)
  const isLate = isIn(late)
  const inputs = new Set(graph.inputs.map(({ id }) => id))
  const makers = new Map<number, Equation>()
  for (const equation of graph.equations) for (const { id } of equation.outputs) makers.set(id, equation)
  const residuals = new Map<number, Var>()
  const repeated = new Set<Equation>()
  const need = (atom: Atom): void => {
    if (!isVar(atom) || late.has(atom.id) || inputs.has(atom.id) || residuals.has(atom.id)) return
    const maker = makers.get(atom.id) as Equation
    if (!free.has(maker.primitive.name) && maker.inputs.some(isVar)) {
      residuals.set(atom.id, atom)
      return
    }
    repeated.add(maker)
    maker.inputs.forEach(need)
  }
  const lateEquations = graph.equations.filter(({ outputs }) => outputs.some(({ id }) => late.has(id)))
  for (const { inputs: read } of lateEquations) read.forEach(need)
  const kept = [...residuals.values()]
  const lateSet = new Set(lateEquations)
  return {
    residuals: kept,
    early: removeDead({
      inputs: graph.inputs.filter((_, i) => later[i] !== true),
      equations: graph.equations.filter((equation) => !lateSet.has(equation)),
      outputs: [...graph.outputs.filter((atom) => !isLate(atom)), ...kept],
    }),
    late: removeDead({
      inputs: [...graph.inputs, ...kept],
      equations: graph.equations.filter((equation) => lateSet.has(equation) || repeated.has(equation)),
      outputs: graph.outputs.filter(isLate),
    }),
  }
}

/** The graph without the inputs that nothing reads, and which inputs are left. */
export const withoutUnread = (graph: Graph): { readonly graph: Graph; readonly kept: readonly boolean[] } => {
  const read = new Set(
    [...graph.equations.flatMap(({ inputs }) => inputs), ...graph.outputs].flatMap((atom) =>
      isVar(atom) ? [atom.id] : [],
    ),
  )
  const kept = graph.inputs.map(({ id }) => read.has(id))
  return { graph: { ...graph, inputs: graph.inputs.filter((_, i) => kept[i]) }, kept }
}
