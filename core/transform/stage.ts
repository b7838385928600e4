/** Staging: a function is run on tracers that stand for no value, and every operation is written down. */
import { bind, whileOpen, whileStaging, withLevel } from '../bind.ts'
import { escapedError } from '../error.ts'
import type { Atom, Equation, Graph, Var } from '../graph.ts'
import { isVar } from '../graph.ts'
import type { Primitive } from '../primitive.ts'
import type { Application, Aval, Trace } from '../tensor.ts'
import { Literal, Tensor, Tracer } from '../tensor.ts'

class StageTracer extends Tracer {
  readonly trace: StageTrace
  readonly variable: Var
  override readonly known: Tensor | undefined

  constructor(trace: StageTrace, variable: Var, known?: Tensor) {
    super(variable.shape, variable.dtype)
    this.trace = trace
    this.variable = variable
    this.known = known
  }
}

class StageTrace implements Trace {
  readonly level: number
  readonly equations: Equation[] = []
  /** Tensors from outside that the function uses, and the variables that stand for them. */
  readonly captured = new Map<Tensor, Var>()
  #next = 0
  open = true

  constructor(level: number) {
    this.level = level
  }

  variable({ shape, dtype }: Aval): Var {
    return { id: this.#next++, shape, dtype }
  }

  atom(x: Tensor, operation: string): Atom {
    if (x instanceof StageTracer && x.trace === this) return x.variable
    if (x instanceof Literal) return x
    if (x instanceof StageTracer && !x.trace.open) throw escapedError(operation, 'traced')
    let known = this.captured.get(x)
    if (known === undefined) this.captured.set(x, (known = this.variable(x)))
    return known
  }

  process({ primitive, inputs, params, outputs }: Application): readonly Tensor[] {
    if (!this.open) throw escapedError(primitive.name, 'traced')
    const atoms = inputs.map((x) => this.atom(x, primitive.name))
    const variables = outputs.map((out) => this.variable(out))
    this.equations.push({ primitive: primitive as Primitive, params, inputs: atoms, outputs: variables })
    return variables.map((variable) => new StageTracer(this, variable))
  }
}

/** Staging that writes nothing down: an operation is its shapes. */
class ShapeTrace extends StageTrace {
  override process({ primitive, outputs }: Application): readonly Tensor[] {
    if (!this.open) throw escapedError(primitive.name, 'traced')
    return outputs.map((out) => new StageTracer(this, this.variable(out)))
  }
}

/** A graph, and the tensors from outside that are its last inputs. */
export interface Staged {
  readonly graph: Graph
  readonly captured: readonly Tensor[]
}

/** The graph of a function of flat lists of tensors. */
export const stage = (f: (inputs: readonly Tensor[]) => readonly Tensor[], avals: readonly Aval[]): Staged =>
  withLevel((level) => {
    const trace = new StageTrace(level)
    const inputs = avals.map((aval) => trace.variable(aval))
    try {
      const results = whileStaging(trace, () => f(inputs.map((variable) => new StageTracer(trace, variable))))
      const outputs = results.map((x) => trace.atom(x, 'jit'))
      const captured = [...trace.captured.keys()]
      return {
        graph: { inputs: [...inputs, ...trace.captured.values()], equations: trace.equations, outputs },
        captured,
      }
    } finally {
      trace.open = false
    }
  })

/**
 * What a function makes of tensors that are not there (JAX's `eval_shape`): its own have shapes and dtypes, and no
 * numbers. Nothing is computed, and nothing kept but what it returns. Where a tensor stands for itself its numbers are
 * known to those who check them.
 */
export const evalShape = <A>(f: (inputs: readonly Tensor[]) => A, avals: readonly Aval[]): A =>
  withLevel((level) => {
    const trace = new ShapeTrace(level)
    const stand = (aval: Aval): Tensor =>
      new StageTracer(trace, trace.variable(aval), aval instanceof Tensor ? aval : undefined)
    return whileOpen(trace, () => whileStaging(trace, () => f(avals.map(stand))))
  })

/** Runs a graph's equations through `bind`: eagerly, or into whatever is being traced. */
export const interpret = (graph: Graph, inputs: readonly Tensor[]): readonly Tensor[] => {
  const values = new Map<number, Tensor>()
  graph.inputs.forEach(({ id }, i) => values.set(id, inputs[i] as Tensor))
  const read = (atom: Atom): Tensor => (isVar(atom) ? (values.get(atom.id) as Tensor) : atom)
  for (const { primitive, params, inputs, outputs } of graph.equations) {
    const results = bind(primitive, inputs.map(read), params)
    outputs.forEach(({ id }, i) => values.set(id, results[i] as Tensor))
  }
  return graph.outputs.map(read)
}
