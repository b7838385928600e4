/** Which equation of a traced function breaks a law that the function breaks. */
import { bind } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Equation } from '../../core/graph.ts'
import { isVar } from '../../core/graph.ts'
import { equationNames, renderEquation } from '../../core/inspect.ts'
import { stage } from '../../core/transform/stage.ts'

/** One equation of a function, with the values that it meets. */
export interface Step {
  readonly equation: Equation
  readonly index: number
  /** As it stands in the printed graph. */
  readonly text: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

/**
 * The function's equations in order, each with its inputs' and outputs' values: `run` computes the outputs,
 * eagerly by default.
 */
export async function* stepsOf(
  f: (inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  run: (equation: Equation, inputs: readonly Tensor[]) => readonly Tensor[] = (
    { primitive, params },
    given,
  ) => bind(primitive, given, params),
): AsyncGenerator<Step> {
  const { graph, captured } = stage(f, inputs)
  const values = new Map<number, Tensor>()
  graph.inputs.forEach(({ id }, i) => values.set(id, [...inputs, ...captured][i] as Tensor))
  const names = equationNames(graph)
  for (const [index, equation] of graph.equations.entries()) {
    const given = equation.inputs.map((atom) => (isVar(atom) ? (values.get(atom.id) as Tensor) : atom))
    const outputs = run(equation, given)
    equation.outputs.forEach(({ id }, i) => values.set(id, outputs[i] as Tensor))
    yield { equation, index, text: renderEquation(equation, names), inputs: given, outputs }
  }
}

/** The first equation for which `broken` gives a reason, and that reason; undefined where each holds by itself. */
export const firstFault = async (
  f: (inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  broken: (step: Step) => Promise<string | undefined>,
): Promise<{ readonly text: string; readonly reason: string } | undefined> => {
  for await (const step of stepsOf(f, inputs)) {
    const reason = await broken(step)
    if (reason !== undefined) return { text: step.text, reason }
  }
  return undefined
}
