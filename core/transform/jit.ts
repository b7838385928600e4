import type { Engine, Executable, Memory, Plan, Profile, Program, Span } from '../../kernels/index.ts'
import { launchFacts } from '../../kernels/index.ts'
import { tensorsOf } from '../argument.ts'
import { isStaging } from '../bind.ts'
import { literalMemory } from '../eager.ts'
import { defaultEngine } from '../engine.ts'
import { PullbackError, argumentError, checkOptions } from '../error.ts'
import type { Graph } from '../graph.ts'
import { renderGraph } from '../inspect.ts'
import { lowerEquations } from '../lower/lower.ts'
import { expandCalls, optimise } from '../optimise.ts'
import { report } from '../report.ts'
import type { Literal, Tensor } from '../tensor.ts'
import { Concrete, Tracer } from '../tensor.ts'
import * as tree from '../tree.ts'
import { recompilation, signatureOf } from './signature.ts'
import type { Signature } from './signature.ts'
import { interpret, stage } from './stage.ts'

export interface JitOptions {
  /** Positions of the arguments whose memory the call may take over; they cannot be used afterwards. */
  readonly donate?: readonly number[]
  /**
   * How many programs the function may be compiled to, one for each structure, shape and dtype of its arguments, before
   * it is told once, with what changed (`setReporter` says to whom); 16 by default.
   */
  readonly limit?: number
}

/** A compiled function, and what it will do, told without running it. */
export interface Jitted<A extends readonly unknown[], B> {
  (...args: A): B
  /** Bytes, launches and floating-point operations for these arguments. */
  readonly plan: (...args: A) => Plan
  /** The graph for these arguments, after clean-up, as text. */
  readonly inspect: (...args: A) => string
  /** The program for these arguments. */
  readonly program: (...args: A) => Program
  /**
   * Runs the function with each launch timed by itself; `kernelTable`, `renderProfile` and `chromeTrace` of
   * `pullback/kernels` show what came of it. An error on an engine that cannot time its launches.
   */
  readonly profile: (...args: A) => Promise<readonly [result: B, profile: Profile]>
}

interface Compiled {
  readonly graph: Graph
  readonly program: Program
  readonly executable: Executable
  readonly engine: Engine
  readonly captured: readonly Tensor[]
  readonly output: tree.Structure
}

const engineOf = (inputs: readonly Tensor[]): Engine => {
  const engines = new Set(inputs.flatMap((x) => (x instanceof Concrete ? [x.engine] : [])))
  if (engines.size > 1)
    throw new PullbackError({
      tag: 'engine',
      operation: 'jit',
      detail: `arguments and captured tensors are on different engines (${[...engines].map(({ name }) => name).join(', ')}); move them with transfer(x, engine)`,
    })
  return [...engines][0] ?? defaultEngine()
}

/** The graph of `f` at these arguments, with what it captures, cleaned up. */
const trace = (
  f: (...args: never[]) => unknown,
  structure: tree.Structure,
  inputs: readonly Tensor[],
): { readonly graph: Graph; readonly captured: readonly Tensor[]; readonly output: tree.Structure } => {
  let output: tree.Structure | undefined
  const { graph, captured } = stage((tracers) => {
    const result = f(...(structure.unflatten(tracers) as never[]))
    const [leaves, shape] = tree.flatten(result)
    output = shape
    return leaves
  }, inputs)
  return { graph: optimise(expandCalls(graph)), captured, output: output as tree.Structure }
}

/**
 * Compiles a pure function of trees: it is traced once for each structure, shape and dtype of its arguments,
 * cleaned up, fused, given a static memory plan, and run as one program. Numbers among the arguments are
 * float32 scalars. Inside another transformation the function is inlined.
 *
 * @example
 * ```ts
 * import { jit, toArray, tensor, tanh, mul } from 'pullback'
 * const f = jit((x: ReturnType<typeof tensor>) => tanh(mul(x, 2)))
 * console.log(await toArray(f(tensor([0, 1]))))
 * ```
 */
export const jit = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  options: JitOptions = {},
): Jitted<A, B> => {
  const cache = new Map<string, Compiled>()
  checkOptions('jit', options, ['donate', 'limit'])
  const { donate = [], limit = 16 } = options
  if (!(limit >= 1)) throw argumentError('jit', `limit must be a number from 1 on, got ${limit}`)
  /** What was compiled so far, until there has been something to tell. */
  let signatures: readonly Signature[] | undefined = limit === Infinity ? undefined : []

  const note = (args: A, engine: Engine): void => {
    if (signatures === undefined) return
    signatures = [...signatures, signatureOf(args, engine)]
    if (signatures.length <= limit) return
    const operation = f.name === '' ? 'jit' : `jit of ${f.name}`
    report({ tag: 'recompilation', operation, text: recompilation(operation, signatures) })
    signatures = undefined
  }

  const compiled = (
    args: A,
    [inputs, structure]: ReturnType<typeof tensorsOf> = tensorsOf(args),
  ): {
    readonly entry: Compiled
    readonly inputs: readonly Tensor[]
    readonly donated: readonly number[]
  } => {
    const engine = engineOf(inputs)
    let key = `${engine.name} ${structure.key}`
    for (const x of inputs) key += ` ${x.dtype}${x.shape.join()}`
    const donated = donatedPositions(args, donate)
    let entry = cache.get(key)
    if (entry === undefined || (entry.engine !== engine && inputs.some((x) => x instanceof Concrete))) {
      const { graph, captured, output } = trace(f as never, structure, inputs)
      if (captured.some((x) => x instanceof Tracer))
        return { entry: inlined(graph, captured, output), inputs, donated }
      const on = engineOf([...inputs, ...captured])
      const program = lowerEquations(graph, donated, on)
      entry = { graph, program, executable: on.compile(program), engine: on, captured, output }
      cache.set(key, entry)
      note(args, on)
    }
    return { entry, inputs, donated }
  }

  /** Runs an entry's program, by `execute`. */
  const perform = (
    { entry, inputs, donated }: ReturnType<typeof compiled>,
    execute: (memories: readonly Memory[]) => readonly Memory[],
  ): B => {
    const all = [...inputs, ...entry.captured]
    const memories = all.map((x) =>
      x instanceof Concrete ? x.memory('jit') : literalMemory(x as Literal, entry.engine),
    )
    // A program that is refused before it begins (there is no room for it) leaves what was donated as it was.
    const results = execute(memories)
    for (const position of donated) (inputs[position] as Concrete).donate()
    const leaves = entry.graph.outputs.map(
      ({ shape, dtype }, i) => new Concrete(shape, dtype, entry.engine, results[i] as Memory),
    )
    return entry.output.unflatten(leaves) as B
  }

  const call = (...args: A): B => {
    const given = tensorsOf(args)
    const [inputs, structure] = given
    if (isStaging() || inputs.some((x) => x instanceof Tracer))
      return f(...(structure.unflatten(inputs) as unknown as A))
    const found = compiled(args, given)
    const { entry } = found
    const all = [...inputs, ...entry.captured]
    if (all.some((x) => x instanceof Tracer)) return entry.output.unflatten(interpret(entry.graph, all)) as B
    return perform(found, entry.executable.run)
  }

  const profile = async (...args: A): Promise<readonly [B, Profile]> => {
    const found = compiled(args)
    const { engine, executable, program } = found.entry
    const timed = executable.profile
    if (timed === undefined)
      throw new PullbackError({
        tag: 'engine',
        operation: 'profile',
        detail: `the ${engine.name} engine cannot time its launches`,
      })
    let spans: Promise<readonly Span[]> = Promise.resolve([])
    const result = perform(found, (memories) => {
      const ran = timed(memories)
      spans = ran.spans
      return ran.outputs
    })
    const launches = launchFacts(program)
    return [result, { engine: engine.name, detail: engine.detail, launches, runs: [await spans] }]
  }
  return Object.assign(call, {
    plan: (...args: A) => compiled(args).entry.executable.plan,
    inspect: (...args: A) => renderGraph(compiled(args).entry.graph),
    program: (...args: A) => compiled(args).entry.program,
    profile,
  })
}

/** A function that closes over tracers of a running transformation: it cannot be compiled, only interpreted. */
const inlined = (graph: Graph, captured: readonly Tensor[], output: tree.Structure): Compiled => ({
  graph,
  captured,
  output,
  engine: defaultEngine(),
  program: { buffers: [], inputs: [], outputs: [], donated: [], launches: [] },
  executable: {
    plan: { temporaryBytes: 0, argumentBytes: 0, resultBytes: 0, launches: 0, flops: 0, onHost: [] },
    run: () => [],
  },
})

/** The positions, among all leaves of the arguments, of the leaves of donated arguments. */
const donatedPositions = (args: readonly unknown[], donate: readonly number[]): readonly number[] => {
  if (donate.length === 0) return []
  let position = 0
  return args.flatMap((arg, i) => {
    const [leaves] = tensorsOf(arg)
    const start = position
    position += leaves.length
    return donate.includes(i)
      ? leaves.flatMap((leaf, j) => (leaf instanceof Concrete ? [start + j] : []))
      : []
  })
}

/**
 * The program that a function stands for at these arguments, as text: one line an equation, with shapes.
 *
 * @example
 * ```ts
 * import { grad, inspect, mul, tensor } from 'pullback'
 * const square = (x: ReturnType<typeof tensor>) => mul(x, x)
 * console.log(inspect(grad(square))(tensor(3)))
 * ```
 */
export const inspect =
  <A extends readonly unknown[], B>(f: (...args: A) => B): ((...args: A) => string) =>
  (...args) => {
    const [inputs, structure] = tensorsOf(args)
    return renderGraph(trace(f as never, structure, inputs).graph)
  }
