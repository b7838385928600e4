/**
 * Prints launches as plain JavaScript loops, one position after the other, nothing reordered: the code that
 * the reference engine runs. Arithmetic is float64; float32 results are rounded after every operation, sums
 * and products of a fold or matmul once at its end.
 */
import type { Dtype } from '../dtype.ts'
import type { CustomLaunch, Launch, ScanLaunch, ScatterLaunch, SortLaunch, Step } from '../program/index.ts'
import { byKind } from '../program/index.ts'
import * as special from '../special.ts'
import { attention, attentionGradient } from './attention.ts'
import { map, matmul, reduce, startOf } from './row.ts'
import { combine } from './scalar.ts'
import { axesOf, definitions, element, gathered, loops } from './view.ts'

type DtypeOf = (buffer: number) => Dtype

const scatter = (
  { shape, operands, body, value, target, at, op }: ScatterLaunch,
  dtypeOf: DtypeOf,
): string => {
  const axes = axesOf(shape)
  const where = `b${target.buffer}[at]`
  const code = `${definitions(body, [value], operands, axes)}
const at = ${gathered(target, at, axes)}
${where} = ${combine(op, where, `v${value}`, dtypeOf(target.buffer))}`
  return loops(shape, axes, code)
}

const sort = ({ outer, length, descending, input, target }: SortLaunch): string => {
  const axes = axesOf(outer)
  const at = (index: string): string => element(input, [...axes, index])
  const order = descending ? `(y < x ? -1 : y > x ? 1 : 0)` : `(x < y ? -1 : x > y ? 1 : 0)`
  return loops(
    outer,
    axes,
    `const order = Array.from({ length: ${length} }, (_, i) => i)
order.sort((p, q) => {
const x = ${at('p')}, y = ${at('q')}
return x !== x ? (y !== y ? 0 : 1) : y !== y ? -1 : ${order}
})
${loops([length], ['k'], `${element(target, [...axes, 'k'])} = order[k]`)}`,
  )
}

const scan = ({ outer, length, reverse, input, target, op }: ScanLaunch, dtypeOf: DtypeOf): string => {
  const axes = axesOf(outer)
  const dtype = dtypeOf(target.buffer)
  const next = combine(op, 'running', element(input, [...axes, 'k']), dtype)
  return loops(
    outer,
    axes,
    `let running = ${startOf(op, dtype)}
${loops([length], ['step'], `const k = ${reverse ? `${length - 1} - step` : 'step'}\nrunning = ${next}\n${element(target, [...axes, 'k'])} = running`)}`,
  )
}

const custom = ({ source, inputs, size, target }: CustomLaunch): string =>
  `const kernel = (${source})
const self = { thread: { x: 0, y: 0, z: 0 }, output: { x: ${size} }, constants: {} }
for (let x = 0; x < ${size}; x++) { self.thread.x = x; b${target}[x] = kernel.call(self, ${inputs.map((id) => `b${id}`).join(', ')}) }`

/**
 * The body of a function over `b0, b1, …` (the program's buffers) and `special` that runs the launch.
 *
 * @example
 * ```ts
 * import { printLaunch } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(printLaunch(launch, () => 'float32').includes('b1')) // => true
 * ```
 */
export const printLaunch: (launch: Launch, dtypeOf: DtypeOf) => string = byKind<[dtypeOf: DtypeOf], string>({
  map,
  reduce,
  matmul,
  scatter,
  sort,
  scan,
  attention: (launch, dtypeOf) => attention(launch, dtypeOf(launch.query.buffer)),
  attentionGradient: (launch, dtypeOf) => attentionGradient(launch, dtypeOf(launch.query.buffer)),
  custom,
})

/** Steps as one piece of code; each launch has a scope of its own. */
const printSteps = (steps: readonly Step[], dtypeOf: DtypeOf): string =>
  steps.map((step) => `{\n${printStep(step, dtypeOf)}\n}`).join('\n')

const printStep = (step: Step, dtypeOf: DtypeOf): string => {
  if (step.kind === 'loop')
    return `for (let round = 0; round < ${step.count}; round++) {\n${printSteps(step.launches, dtypeOf)}\n}`
  if (step.kind === 'while')
    return `while (true) {\n${printSteps(step.condition, dtypeOf)}\nif (b${step.flag}[0] === 0) break\n${printSteps(step.launches, dtypeOf)}\n}`
  if (step.kind === 'when')
    return `if (b${step.index}[0] === ${step.value}) {\n${printSteps(step.launches, dtypeOf)}\n}`
  return printLaunch(step, dtypeOf)
}

/** The step as a function of the program's buffers. */
export const compileLaunch = (
  launch: Step,
  dtypeOf: DtypeOf,
  bufferCount: number,
): ((...buffers: readonly ArrayBufferView[]) => void) => {
  const names = Array.from({ length: bufferCount }, (_, id) => `b${id}`)
  // Printed code is the only way to have loops of any depth that the runtime optimises; it holds nothing but
  // what the printer above wrote (and a custom launch's own source).
  const make = new Function(
    'special',
    `'use strict'\nreturn (${names.join(', ')}) => {\n${printStep(launch, dtypeOf)}\n}`,
  )
  return make(special) as (...buffers: readonly ArrayBufferView[]) => void
}
