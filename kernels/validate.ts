/** The check of a program: whatever passes it, every engine can run or refuses by dtype alone. */
import { either as E } from 'fp-ts'
import type { Dtype } from './dtype.ts'
import { isFloating } from './dtype.ts'
import type {
  BufferId,
  BufferSpec,
  Fold,
  Indexed,
  Launch,
  Operand,
  Output,
  Program,
  ReduceLaunch,
  Step,
  Strided,
  View,
} from './program/index.ts'
import { attentionParts, isControl, readsOf, sizeOf, viewsOf, writesOf } from './program/index.ts'
import { extentOf } from './region.ts'
import type { Body } from './scalar.ts'
import { accepts } from './scalar.ts'
import { behind, checkBody } from './valid/body.ts'
import type { Complain } from './valid/complain.ts'
import { isCount } from './valid/complain.ts'
import { checkWrites } from './valid/target.ts'

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`

const checkStrides = (
  { strides, offset }: Strided,
  shape: readonly number[],
  what: string,
  complain: Complain,
) => {
  if (strides.length !== shape.length)
    complain(`${what} has ${strides.length} strides over a shape of ${shape.length} axes, ${show(shape)}`)
  else if (![offset, ...strides].every(Number.isSafeInteger))
    complain(`${what} has strides or an offset that are not whole numbers`)
  else return true
  return false
}

/** Whether a view stays within its buffer. */
const checkView = (
  program: Program,
  view: View,
  shape: readonly number[],
  what: string,
  complain: Complain,
  at: readonly Indexed[] = [],
): void => {
  const spec = program.buffers[view.buffer]
  if (spec === undefined)
    return complain(`${what} is of buffer ${view.buffer}, but there are ${program.buffers.length} buffers`)
  if (!checkStrides(view, shape, what, complain)) return
  const touched = sizeOf(shape) > 0
  for (const [axis, { index, size, stride }] of at.entries()) {
    const name = `index ${axis} of ${what}`
    if (program.buffers[index.buffer]?.dtype !== 'int32') complain(`${name} must be an int32 buffer`)
    checkView(program, index, shape, name, complain)
    if (!Number.isSafeInteger(stride)) return complain(`${name} has a stride that is not a whole number`)
    if (!isCount(size) || (touched && size === 0))
      return complain(`${name} must choose among at least 1, got ${size}`)
  }
  const extent = extentOf(view, shape, at)
  if (extent !== undefined && (extent.low < 0 || extent.high >= spec.size))
    complain(
      `${what} touches elements ${extent.low} to ${extent.high} of buffer ${view.buffer}, which has ${spec.size}`,
    )
}

const dtypeOfOperand = ({ buffers }: Program, operand: Operand): Dtype | undefined =>
  operand.kind === 'iota' ? 'int32' : buffers[operand.buffer]?.dtype

const checkOperands = (
  program: Program,
  operands: readonly Operand[],
  shape: readonly number[],
  complain: Complain,
): void =>
  operands.forEach((operand, index) => {
    const what = `operand ${index}`
    if (operand.kind === 'iota') checkStrides(operand, shape, what, complain)
    else checkView(program, operand, shape, what, complain, operand.at)
  })

const checkValue = (
  { buffers }: Program,
  body: Body,
  value: number,
  target: View,
  what: string,
  complain: Complain,
): void => {
  const op = body[value]
  if (op === undefined)
    return complain(`${what} is operation ${value}, but the body has ${body.length} operations`)
  const dtype = buffers[target.buffer]?.dtype
  if (dtype !== undefined && dtype !== op.dtype)
    complain(`${what} is ${op.dtype}, but buffer ${target.buffer} holds ${dtype}`)
}

const foldDtype = (fold: Fold, body: Body): Dtype | undefined =>
  fold.op === 'argmax' || fold.op === 'argmin' ? 'int32' : body[fold.value]?.dtype

const checkFolds = ({ body, folds }: ReduceLaunch, complain: Complain): void =>
  folds.forEach((fold, index) => {
    const dtype = body[fold.value]?.dtype
    if (dtype === undefined)
      return complain(`fold ${index} is of operation ${fold.value}, which is not there`)
    if ((fold.op === 'sum' || fold.op === 'prod') && !accepts('add', dtype))
      complain(`fold ${index} is a ${fold.op} of ${dtype}`)
    const later = behind(body, fold.value).find((op) => op.op === 'fold' && op.index >= index)
    if (later !== undefined) complain(`fold ${index} depends on a fold that is not before it`)
  })

const checkRowOutputs = (launch: ReduceLaunch, complain: Complain): void => {
  const { outer, inner, operands, body, outputs } = launch
  const still = ({ strides }: Strided): boolean =>
    strides.slice(outer.length).every((stride, axis) => stride === 0 || (inner[axis] as number) <= 1)
  const rowwise = (operand: Operand | undefined): boolean =>
    operand === undefined || (still(operand) && viewsOf(operand).every(still))
  outputs.forEach(({ over, value }, index) => {
    if (over === 'all') return
    const moving = behind(body, value).find((op) => op.op === 'read' && !rowwise(operands[op.index]))
    if (moving?.op === 'read')
      complain(
        `output ${index} is written once per row but depends on operand ${moving.index} within the row`,
      )
  })
}

const checkShape = (sizes: readonly number[], complain: Complain): boolean => {
  const good = sizes.every(isCount)
  if (!good) complain(`sizes must be whole and not negative, got ${show(sizes)}`)
  return good
}

const checkLaunch = (program: Program, launch: Launch, complain: Complain): void => {
  const { buffers } = program
  const dtypes = (operands: readonly Operand[]): (Dtype | undefined)[] =>
    operands.map((operand) => dtypeOfOperand(program, operand))
  const outputs = (
    { body, outputs: outs }: { body: Body; outputs: readonly Output[] },
    shapeOf: (index: number) => readonly number[],
  ): void =>
    outs.forEach(({ value, target }, index) => {
      checkView(program, target, shapeOf(index), `output ${index}`, complain)
      checkValue(program, body, value, target, `output ${index}`, complain)
    })
  switch (launch.kind) {
    case 'map': {
      const { shape, operands, body } = launch
      if (!checkShape(shape, complain)) return
      checkOperands(program, operands, shape, complain)
      checkBody(body, { operands: dtypes(operands), folds: [] }, complain)
      outputs(launch, () => shape)
      return
    }
    case 'reduce': {
      const { outer, inner, operands, body, folds } = launch
      const all = [...outer, ...inner]
      if (!checkShape(all, complain)) return
      checkOperands(program, operands, all, complain)
      checkBody(
        body,
        { operands: dtypes(operands), folds: folds.map((fold) => foldDtype(fold, body)) },
        complain,
      )
      checkFolds(launch, complain)
      outputs(launch, (index) => (launch.outputs[index]?.over === 'outer' ? outer : all))
      checkRowOutputs(launch, complain)
      return
    }
    case 'matmul': {
      const { batch, rows, inner, columns, a, b, operands, body } = launch
      if (!checkShape([...batch, rows, inner, columns], complain)) return
      checkView(program, a, [...batch, rows, inner], 'a', complain)
      checkView(program, b, [...batch, inner, columns], 'b', complain)
      const [x, y] = [buffers[a.buffer]?.dtype, buffers[b.buffer]?.dtype]
      if (x !== y || x === 'bool')
        complain(`a and b must have one dtype that is a number's, got ${x} and ${y}`)
      const shape = [...batch, rows, columns]
      checkOperands(program, operands, shape, complain)
      checkBody(body, { operands: dtypes(operands), folds: [x] }, complain)
      outputs(launch, () => shape)
      return
    }
    case 'scatter': {
      const { shape, operands, body, value, target, at, op } = launch
      if (!checkShape(shape, complain)) return
      checkOperands(program, operands, shape, complain)
      checkBody(body, { operands: dtypes(operands), folds: [] }, complain)
      checkView(program, target, shape, 'the target', complain, at)
      checkValue(program, body, value, target, 'the value', complain)
      if (op === 'add' && buffers[target.buffer]?.dtype === 'bool') complain('adds to a bool buffer')
      return
    }
    case 'sort':
    case 'scan': {
      const shape = [...launch.outer, launch.length]
      if (!checkShape(shape, complain)) return
      checkView(program, launch.input, shape, 'the input', complain)
      checkView(program, launch.target, shape, 'the target', complain)
      const [from, to] = [buffers[launch.input.buffer]?.dtype, buffers[launch.target.buffer]?.dtype]
      const wanted = launch.kind === 'sort' ? 'int32' : from
      if (to !== wanted) complain(`writes ${wanted}, but its target holds ${to}`)
      if (launch.kind === 'scan' && (launch.op === 'sum' || launch.op === 'prod') && from === 'bool')
        complain(`is a ${launch.op} of bool`)
      return
    }
    case 'attention':
    case 'attentionGradient': {
      const { batch, queries, keys, width, valueWidth, operands, body, score, factor, scale, causal } = launch
      if (!checkShape([...batch, queries, keys, width, valueWidth], complain)) return
      const { reads, writes } = attentionParts(launch)
      const dtype = buffers[launch.query.buffer]?.dtype
      for (const [name, view, shape] of [...reads, ...writes]) {
        checkView(program, view, shape, name, complain)
        if (buffers[view.buffer]?.dtype !== dtype)
          complain(`${name} is ${buffers[view.buffer]?.dtype}, but the query is ${dtype}`)
      }
      if (dtype === undefined || !isFloating(dtype))
        complain(`is defined on floating dtypes, and the query is ${dtype}`)
      if (Number.isNaN(scale)) complain('has a scale that is no number')
      if (causal !== undefined && !Number.isSafeInteger(causal))
        complain(`looks back from ${causal}, which is not a whole number`)
      checkOperands(program, operands, [...batch, queries, keys], complain)
      checkBody(body, { operands: dtypes(operands), folds: [dtype] }, complain)
      for (const [name, index] of [
        ['score', score],
        ['factor', factor],
      ] as const) {
        if (index === undefined) continue
        if (body[index] === undefined)
          complain(`the ${name} is operation ${index}, but the body has ${body.length} operations`)
        else if (body[index].dtype !== dtype)
          complain(`the ${name} is ${body[index].dtype}, but the query is ${dtype}`)
      }
      return
    }
    case 'custom': {
      if (!checkShape([launch.size], complain)) return
      const missing = [...launch.inputs, launch.target].find((id) => buffers[id] === undefined)
      if (missing !== undefined) return complain(`names buffer ${missing}, which is not there`)
      const { size } = buffers[launch.target] as BufferSpec
      if (size !== launch.size) complain(`gives ${launch.size} elements, but its target holds ${size}`)
      if (launch.inputs.includes(launch.target)) complain('reads its own target')
    }
  }
}

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
