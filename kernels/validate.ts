/** The check of a program: whatever passes it, every engine can run or refuses by dtype alone. */
import { either as E } from 'fp-ts'
import type { Dtype } from './dtype.ts'
import type { BufferId, Program, Step } from './program/index.ts'
import { isControl, readsOf, writesOf } from './program/index.ts'
import type { Complain } from './valid/complain.ts'
import { isCount } from './valid/complain.ts'
import { checkLaunch } from './valid/launch.ts'
import { checkWrites } from './valid/target.ts'

const checkDecision = ({ buffers }: Program, id: BufferId, dtype: Dtype, complain: Complain): void => {
  const spec = buffers[id]
  if (spec === undefined) complain(`decides by buffer ${id}, which is not there`)
  else if (spec.dtype !== dtype || spec.size < 1)
    complain(`must decide by one ${dtype}, got ${spec.size} of ${spec.dtype}`)
}

const checkProgram = (program: Program, complain: Complain): void => {
  const { buffers, inputs, outputs, donated, launches } = program
  buffers.forEach(({ size }, id) => {
    if (!isCount(size)) complain(`buffer ${id} has a size that is not a count, ${size}`)
  })
  for (const id of [...inputs, ...outputs])
    if (buffers[id] === undefined)
      complain(`an argument or result is buffer ${id}, but there are ${buffers.length} buffers`)
  for (const position of donated)
    if (inputs[position] === undefined)
      complain(`argument ${position} is donated, but there are ${inputs.length}`)
  const given = new Set(donated.map((position) => inputs[position]))
  const fixed = new Set(inputs.filter((id) => !given.has(id)))
  const defined = new Set(inputs)
  const walk = (step: Step, name: string): void => {
    let sound = true
    const complainHere: Complain = (problem) => {
      sound = false
      complain(`launch ${name} (${step.kind}): ${problem}`)
    }
    const undefinedReads = (ids: readonly BufferId[]): void => {
      for (const id of ids)
        if (!defined.has(id) && (buffers[id]?.size ?? 0) > 0)
          complainHere(`reads buffer ${id}, which nothing has written yet`)
    }
    if (isControl(step)) {
      if (step.kind === 'when') {
        checkDecision(program, step.index, 'int32', complainHere)
        undefinedReads([step.index])
      }
      if (step.kind === 'loop' && !isCount(step.count))
        complainHere(`must run a whole number of times, got ${step.count}`)
      if (step.kind === 'while') {
        step.condition.forEach((inner, i) => walk(inner, `${name}.condition.${i}`))
        checkDecision(program, step.flag, 'bool', complainHere)
        undefinedReads([step.flag])
      }
      step.launches.forEach((inner, i) => walk(inner, `${name}.${i}`))
      return
    }
    checkLaunch(program, step, complainHere)
    // The rest supposes that every view is one.
    if (!sound) return
    checkWrites(step, complainHere)
    undefinedReads(readsOf(step))
    for (const id of writesOf(step)) {
      if (fixed.has(id)) complainHere(`writes buffer ${id}, an argument that is not donated`)
      defined.add(id)
    }
  }
  launches.forEach((step, time) => walk(step, String(time)))
  for (const id of outputs)
    if (!defined.has(id) && (buffers[id]?.size ?? 0) > 0)
      complain(`buffer ${id} is returned, but nothing writes it`)
}

/**
 * Every problem of a program, each as one sentence that names the launch and the part; none when it is
 * valid: buffers and operations that are named exist and come before their use, dtypes agree, every view
 * stays within its buffer, no element is written twice by one launch, outputs meet operands only exactly,
 * an output over `outer` depends only on folds and on what is the same along the row, and arguments that
 * are not donated are not written. That a buffer is written in all its elements before it is read is not
 * checked, only that it was written at all.
 *
 * @example
 * ```ts
 * import { problemsOf } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * console.log(problemsOf({ ...program, outputs: [7] }))
 * // => ['an argument or result is buffer 7, but there are 2 buffers']
 * ```
 */
export const problemsOf = (program: Program): readonly string[] => {
  const problems: string[] = []
  checkProgram(program, (problem) => problems.push(problem))
  return problems
}

/**
 * The program itself when it is valid, else the first of its problems.
 *
 * @example
 * validate({ buffers: [], inputs: [], outputs: [0], donated: [], launches: [] })
 * // left('program: an argument or result is buffer 0, but there are 0 buffers')
 */
export const validate = (program: Program): E.Either<string, Program> => {
  const [first] = problemsOf(program)
  return first === undefined ? E.right(program) : E.left(`program: ${first}`)
}
