/**
 * Prints operations of the scalar language as statements of gpu.js' kernel language. Every value is a
 * float32 number there; truth is 0 or 1. Statements are in single assignment form: deep parentheses break
 * the compilers below gpu.js.
 */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import { signs } from '../javascript/scalar.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { isComparison, reachable } from '../scalar.ts'
import type { Statements } from './function.ts'
import { everywhere, literal, nanOnDevice, onDevice, onHost } from './function.ts'
import type { Mode } from './mode.ts'
import { runsOnHost } from './mode.ts'

const infix: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', rem: '%' }

const truth: Readonly<Record<string, (x: string, y: string) => string>> = {
  and: (x, y) => `${x} * ${y}`,
  or: (x, y) => `Math.max(${x}, ${y})`,
  xor: (x, y) => `Math.abs(${x} - ${y})`,
  max: (x, y) => `Math.max(${x}, ${y})`,
  min: (x, y) => `${x} * ${y}`,
}

const cast = (statements: Statements, x: string, from: Dtype, to: Dtype): string => {
  if (to === 'bool' && from !== 'bool') return `${x} !== 0 ? 1 : 0`
  if (!isFloating(from) || isFloating(to)) return x
  const { define } = statements
  const nan = define(nanOnDevice(statements, x, x))
  const toward = define(`${x} < 0 ? Math.ceil(${x}) : Math.floor(${x})`)
  const [low, high] = to === 'int32' ? ['-2147483648', '2147483648'] : ['0', '4294967296']
  const clamped = define(`Math.max(${low}, Math.min(${high}, ${toward}))`)
  return `${nan} > 0.5 ? 0 : ${clamped}`
}

/** The expression for `op`; what it needs first is defined by `statements`. */
const expression = (
  op: ScalarOp,
  body: Body,
  name: (index: number) => string,
  read: (index: number) => string,
  fold: (index: number) => string,
  mode: Mode,
  statements: Statements,
): string => {
  switch (op.op) {
    case 'read':
      return read(op.index)
    case 'fold':
      return fold(op.index)
    case 'constant':
      return literal(op.value)
    case 'select':
      return `${name(op.args[0])} > 0.5 ? ${name(op.args[1])} : ${name(op.args[2])}`
    case 'threefry':
      throw new Error('gpujs: random bits cannot be printed')
    case 'bitcast':
      // Of another dtype it is refused as inexact before.
      return name(op.args[0])
    case 'cast':
      return cast(statements, name(op.args[0]), (body[op.args[0]] as ScalarOp).dtype, op.dtype)
    case 'not':
      return `1 - ${name(op.args[0])}`
    default: {
      const [x, y] = [name(op.args[0]), op.args.length === 2 ? name(op.args[1]) : '']
      if (isComparison(op.op)) return `${x} ${signs[op.op]} ${y} ? 1 : 0`
      const logic = op.dtype === 'bool' && op.args.length === 2 ? truth[op.op] : undefined
      if (logic !== undefined) return logic(x, y)
      const simple = infix[op.op]
      if (simple !== undefined) return `${x} ${simple} ${y}`
      const print = everywhere[op.op] ?? (runsOnHost(mode) ? onHost : onDevice)[op.op]
      if (print === undefined) throw new Error(`gpujs: no rule prints ${op.op}`)
      return print(statements, x, y)
    }
  }
}

/** How the operations of a body are named and read where they are printed. */
export interface Scope {
  readonly body: Body
  readonly mode: Mode
  /** Names are unique in a kernel: `v3_1` is operation 3 in its first block. */
  readonly suffix: string
  readonly read: (operand: number) => string
  readonly fold: (index: number) => string
}

/** Definitions, in order, of the operations that `values` need. */
export const definitions = (scope: Scope, values: readonly number[]): readonly string[] => {
  const { body, mode, suffix, read, fold } = scope
  const name = (index: number): string => `v${index}${suffix}`
  const needed = reachable(body, values)
  return body.flatMap((op, index) => {
    if (!needed.has(index)) return []
    const lines: string[] = []
    const define = (code: string): string => {
      const temporary = `t${index}_${lines.length}${suffix}`
      lines.push(`const ${temporary} = ${code};`)
      return temporary
    }
    const code = expression(op, body, name, read, fold, mode, { define })
    return [...lines, `const ${name(index)} = ${code};`]
  })
}
