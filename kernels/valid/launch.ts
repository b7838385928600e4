/** The check of a launch by its kind. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { BufferSpec, Launch, Operand, Output, Program, View } from '../program/index.ts'
import { attentionParts } from '../program/index.ts'
import type { Body } from '../scalar.ts'
import { checkBody } from './body.ts'
import type { Complain } from './complain.ts'
import { checkFolds, checkRowOutputs, foldDtype } from './row.ts'
import { checkOperands, checkShape, checkView } from './view.ts'

const dtypeOfOperand = ({ buffers }: Program, operand: Operand): Dtype | undefined =>
  operand.kind === 'iota' ? 'int32' : buffers[operand.buffer]?.dtype

/** Complains unless a value is an operation of the body, of the dtype that something else has. */
const checkValue = (
  body: Body,
  value: number,
  { dtype, holder }: { readonly dtype: Dtype | undefined; readonly holder: string },
  what: string,
  complain: Complain,
): void => {
  const op = body[value]
  if (op === undefined)
    return complain(`${what} is operation ${value}, but the body has ${body.length} operations`)
  if (dtype !== undefined && dtype !== op.dtype) complain(`${what} is ${op.dtype}, but ${holder} ${dtype}`)
}

/** Complains of sizes, views, dtypes and operations; what is written where is `checkWrites`. */
export const checkLaunch = (program: Program, launch: Launch, complain: Complain): void => {
  const { buffers } = program
  const dtypes = (operands: readonly Operand[]): (Dtype | undefined)[] =>
    operands.map((operand) => dtypeOfOperand(program, operand))
  const held = ({ buffer }: View): { dtype: Dtype | undefined; holder: string } => ({
    dtype: buffers[buffer]?.dtype,
    holder: `buffer ${buffer} holds`,
  })
  const outputs = (
    { body, outputs: outs }: { body: Body; outputs: readonly Output[] },
    shapeOf: (index: number) => readonly number[],
  ): void =>
    outs.forEach(({ value, target }, index) => {
      checkView(program, target, shapeOf(index), `output ${index}`, complain)
      checkValue(body, value, held(target), `output ${index}`, complain)
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
      checkValue(body, value, held(target), 'the value', complain)
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
      const query = { dtype, holder: 'the query is' }
      checkValue(body, score, query, 'the score', complain)
      if (factor !== undefined) checkValue(body, factor, query, 'the factor', complain)
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
