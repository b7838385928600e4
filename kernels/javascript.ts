/**
 * Prints launches as plain JavaScript loops, one position after the other, nothing reordered: the code that
 * the reference engine runs. Arithmetic is float64; float32 results are rounded after every operation, sums
 * and products of a fold or matmul once at its end.
 */
import type { Dtype } from './dtype.ts'
import { isFloating } from './dtype.ts'
import type { Body, ScalarOp } from './scalar.ts'
import type {
  AttentionGradientLaunch,
  AttentionLaunch,
  AttentionSite,
  Fold,
  Launch,
  MapLaunch,
  MatmulLaunch,
  Operand,
  ReduceLaunch,
  Step,
  Strided,
  View,
} from './program.ts'
import * as special from './special.ts'

type DtypeOf = (buffer: number) => Dtype

const literal = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

const unary: Readonly<Record<string, (x: string) => string>> = {
  abs: (x) => `Math.abs(${x})`,
  sign: (x) => `Math.sign(${x})`,
  exp: (x) => `Math.exp(${x})`,
  expm1: (x) => `Math.expm1(${x})`,
  log: (x) => `Math.log(${x})`,
  log1p: (x) => `Math.log1p(${x})`,
  sqrt: (x) => `Math.sqrt(${x})`,
  rsqrt: (x) => `1 / Math.sqrt(${x})`,
  sin: (x) => `Math.sin(${x})`,
  cos: (x) => `Math.cos(${x})`,
  tanh: (x) => `Math.tanh(${x})`,
  sigmoid: (x) => `special.sigmoid(${x})`,
  erf: (x) => `special.erf(${x})`,
  erfInv: (x) => `special.erfInv(${x})`,
  floor: (x) => `Math.floor(${x})`,
  ceil: (x) => `Math.ceil(${x})`,
  round: (x) => `special.roundEven(${x})`,
  isFinite: (x) => `+Number.isFinite(${x})`,
  isNaN: (x) => `+Number.isNaN(${x})`,
  neg: (x) => `-${x}`,
}

const compare: Readonly<Record<string, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
const infix: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  div: '/',
  rem: '%',
  and: '&',
  or: '|',
  xor: '^',
  shiftLeft: '<<',
}

const binary = (op: string, x: string, y: string, dtype: Dtype): string => {
  if (op in compare) return `+(${x} ${compare[op]} ${y})`
  if (op === 'mul') return isFloating(dtype) ? `${x} * ${y}` : `Math.imul(${x}, ${y})`
  // Shifting by 32 or more gives 0, as in XLA; JavaScript would take the amount modulo 32.
  // A negative amount counts as its unsigned bits, which are 32 or more.
  if (op === 'shiftLeft') return `${y} >>> 0 > 31 ? 0 : ${x} << ${y}`
  if (op === 'shiftRight')
    return dtype === 'uint32' ? `${y} > 31 ? 0 : ${x} >>> ${y}` : `${x} >> Math.min(${y} >>> 0, 31)`
  if (op === 'pow') return `special.power(${x}, ${y})`
  if (op === 'atan2') return `Math.atan2(${x}, ${y})`
  if (op === 'max' || op === 'min') return `Math.${op}(${x}, ${y})`
  return `${x} ${infix[op]} ${y}`
}

/** The expression, rounded or wrapped to its dtype. */
const rounded = (expression: string, dtype: Dtype): string => {
  switch (dtype) {
    case 'float32':
      return `Math.fround(${expression})`
    case 'int32':
      return `(${expression}) | 0`
    case 'uint32':
      return `(${expression}) >>> 0`
    default:
      return expression
  }
}

const cast = (x: string, from: Dtype, to: Dtype): string => {
  if (to === 'bool') return `+(${x} !== 0)`
  if (isFloating(from) && to === 'int32') return `special.toInt32(${x})`
  if (isFloating(from) && to === 'uint32') return `special.toUint32(${x})`
  return rounded(x, to)
}

const printOp = (op: ScalarOp, body: Body, read: (index: number) => string): string => {
  const v = (index: number): string => `v${index}`
  switch (op.op) {
    case 'read':
      return read(op.index)
    case 'fold':
      return `f${op.index}`
    case 'constant':
      return rounded(literal(op.value), op.dtype)
    case 'select':
      return `${v(op.args[0])} ? ${v(op.args[1])} : ${v(op.args[2])}`
    case 'cast':
      return cast(v(op.args[0]), (body[op.args[0]] as ScalarOp).dtype, op.dtype)
    case 'threefry':
      return `special.threefry(${op.args.map(v).join(', ')}, ${JSON.stringify(op.word)})`
    case 'not':
      return op.dtype === 'bool' ? `1 - ${v(op.args[0])}` : rounded(`~${v(op.args[0])}`, op.dtype)
    default: {
      if (op.args.length === 1) {
        const print = unary[op.op]
        if (print === undefined) throw new Error(`javascript: no rule prints ${op.op}`)
        return rounded(print(v(op.args[0])), op.dtype)
      }
      const of = (body[op.args[0]] as ScalarOp).dtype
      const printed = binary(op.op, v(op.args[0]), v(op.args[1]), of)
      return op.dtype === 'bool' ? printed : rounded(printed, op.dtype)
    }
  }
}

const address = (view: Strided, axes: readonly string[]): string =>
  [String(view.offset), ...view.strides.flatMap((s, axis) => (s === 0 ? [] : [`${s} * ${axes[axis]}`]))].join(
    ' + ',
  )

const element = (view: View, axes: readonly string[]): string => `b${view.buffer}[${address(view, axes)}]`

const clamped = (index: string, size: number): string => `Math.min(Math.max(${index}, 0), ${size - 1})`

const readOperand = (operand: Operand, axes: readonly string[]): string => {
  if (operand.kind === 'iota') return `(${address(operand, axes)})`
  const gathered = (operand.at ?? []).map(
    ({ index, stride, size }) => ` + ${stride} * ${clamped(element(index, axes), size)}`,
  )
  return `b${operand.buffer}[${address(operand, axes)}${gathered.join('')}]`
}

const axesOf = (shape: readonly number[], prefix = 'i'): string[] =>
  shape.map((_, axis) => `${prefix}${axis}`)

const loops = (shape: readonly number[], axes: readonly string[], inside: string): string =>
  shape.reduceRight(
    (code, size, axis) =>
      `for (let ${axes[axis]} = 0; ${axes[axis]} < ${size}; ${axes[axis]}++) {\n${code}\n}`,
    inside,
  )

/** The definitions of the operations that `values` need, in order. */
const definitions = (
  body: Body,
  values: readonly number[],
  operands: readonly Operand[],
  axes: readonly string[],
): string => {
  const needed = new Set<number>()
  const visit = (index: number): void => {
    if (needed.has(index)) return
    needed.add(index)
    const op = body[index] as ScalarOp
    if ('args' in op) op.args.forEach(visit)
  }
  values.forEach(visit)
  return body
    .flatMap((op, index) =>
      needed.has(index)
        ? [`const v${index} = ${printOp(op, body, (o) => readOperand(operands[o] as Operand, axes))}`]
        : [],
    )
    .join('\n')
}

const map = ({ shape, operands, body, outputs }: MapLaunch): string => {
  const axes = axesOf(shape)
  const values = outputs.map(({ value }) => value)
  const stores = outputs.map(({ target, value }) => `${element(target, axes)} = v${value}`)
  return loops(shape, axes, [definitions(body, values, operands, axes), ...stores].join('\n'))
}

const foldStart: Readonly<Record<Fold['op'], string>> = {
  sum: '0',
  prod: '1',
  max: '-Infinity',
  min: 'Infinity',
  argmax: '-Infinity',
  argmin: 'Infinity',
}

const bounds: Partial<Record<Dtype, readonly [min: string, max: string]>> = {
  int32: ['-2147483648', '2147483647'],
  uint32: ['0', '4294967295'],
  bool: ['0', '1'],
}

const startOf = (op: Fold['op'], dtype: Dtype): string => {
  const limits = bounds[dtype]
  if (limits === undefined || op === 'sum' || op === 'prod') return foldStart[op]
  return op === 'max' || op === 'argmax' ? limits[0] : limits[1]
}

const accumulate = (fold: Fold, index: number, dtype: Dtype): string => {
  const a = `a${index}`
  const v = `v${fold.value}`
  switch (fold.op) {
    case 'sum':
      return `${a} = ${isFloating(dtype) ? `${a} + ${v}` : rounded(`${a} + ${v}`, dtype)}`
    case 'prod':
      return `${a} = ${isFloating(dtype) ? `${a} * ${v}` : rounded(`Math.imul(${a}, ${v})`, dtype)}`
    case 'max':
    case 'min':
      return `${a} = Math.${fold.op}(${a}, ${v})`
    case 'argmax':
    case 'argmin':
      // The first NaN wins, as in NumPy.
      return `if ((n${index} === 0 || ${v} ${fold.op === 'argmax' ? '>' : '<'} ${a} || ${v} !== ${v}) && ${a} === ${a}) { ${a} = ${v}; f${index} = n${index} }\nn${index}++`
  }
}

const reduce = ({ outer, inner, operands, body, folds, outputs }: ReduceLaunch): string => {
  const outerAxes = axesOf(outer)
  const innerAxes = axesOf(inner, 'j')
  const axes = [...outerAxes, ...innerAxes]
  const zeroed = [...outerAxes, ...inner.map(() => '0')]
  const foldCode = folds.map((fold, index) => {
    const dtype = (body[fold.value] as ScalarOp).dtype
    const arg = fold.op === 'argmax' || fold.op === 'argmin'
    const loop = loops(
      inner,
      innerAxes,
      `${definitions(body, [fold.value], operands, axes)}\n${accumulate(fold, index, dtype)}`,
    )
    const start = `let a${index} = ${startOf(fold.op, dtype)}`
    return arg
      ? `${start}, n${index} = 0, f${index} = 0\n${loop}`
      : `${start}\n${loop}\nconst f${index} = ${rounded(`a${index}`, dtype)}`
  })
  const write = (over: 'outer' | 'all'): string => {
    const chosen = outputs.filter((output) => output.over === over)
    if (chosen.length === 0) return ''
    const at = over === 'all' ? axes : zeroed
    const code = [
      definitions(
        body,
        chosen.map(({ value }) => value),
        operands,
        at,
      ),
      ...chosen.map(
        ({ target, value }) => `${element(target, over === 'all' ? axes : outerAxes)} = v${value}`,
      ),
    ].join('\n')
    return over === 'all' ? loops(inner, innerAxes, code) : `{\n${code}\n}`
  }
  return loops(outer, outerAxes, [...foldCode, write('outer'), write('all')].join('\n'))
}

const matmul = (launch: MatmulLaunch, dtypeOf: DtypeOf): string => {
  const { batch, rows, columns, inner, a, b, operands, body, outputs } = launch
  const axes = axesOf([...batch, rows, columns])
  const [row, column] = axes.slice(batch.length) as [string, string]
  const leading = axes.slice(0, batch.length)
  const dtype = dtypeOf(a.buffer)
  const product = binary(
    'mul',
    element(a, [...leading, row, 'k']),
    element(b, [...leading, 'k', column]),
    dtype,
  )
  // Integers wrap at each step: their exact sum may be too large for a float64.
  const sum = isFloating(dtype) ? `a0 + ${product}` : rounded(`a0 + ${product}`, dtype)
  const code = [
    'let a0 = 0',
    loops([inner], ['k'], `a0 = ${sum}`),
    `const f0 = ${rounded('a0', dtype)}`,
    definitions(
      body,
      outputs.map(({ value }) => value),
      operands,
      axes,
    ),
    ...outputs.map(({ target, value }) => `${element(target, axes)} = v${value}`),
  ]
  return loops([...batch, rows, columns], axes, code.join('\n'))
}

const combine = (
  op: 'add' | 'set' | 'max' | 'min' | 'sum' | 'prod',
  at: string,
  value: string,
  dtype: Dtype,
): string => {
  if (op === 'set') return value
  if (op === 'max' || op === 'min') return `Math.${op}(${at}, ${value})`
  if (op === 'prod') return rounded(binary('mul', at, value, dtype), dtype)
  return rounded(`${at} + ${value}`, dtype)
}

/** Σ x · y over `count` places, rounded: a definition of `name`. */
const dot = (name: string, count: number, x: string, y: string, dtype: Dtype): string =>
  [
    `let sum_${name} = 0`,
    loops([count], ['c'], `sum_${name} += ${x} * ${y}`),
    `const ${name} = ${rounded(`sum_${name}`, dtype)}`,
  ].join('\n')

/** Defines `f0` and the score and factor of query i and key j; keys that a query does not look at are left out. */
const scores = (launch: AttentionLaunch | AttentionGradientLaunch, dtype: Dtype): string => {
  const { batch, width, query, key, scale, operands, body, score, factor } = launch
  const lead = axesOf(batch, 'n')
  const roots = factor === undefined ? [score] : [score, factor]
  return [
    dot('product', width, element(query, [...lead, 'i', 'c']), element(key, [...lead, 'j', 'c']), dtype),
    `const f0 = ${rounded(`product * ${rounded(literal(scale), dtype)}`, dtype)}`,
    definitions(body, roots, operands, [...lead, 'i', 'j']),
  ].join('\n')
}

const seenBy = ({ keys, causal }: AttentionSite): string =>
  causal === undefined
    ? `const seen = ${keys}`
    : `const seen = Math.max(0, Math.min(${keys}, i + ${causal + 1}))`

const attention = (launch: AttentionLaunch, dtype: Dtype): string => {
  const { batch, queries, valueWidth, value, output, total, score, factor } = launch
  const lead = axesOf(batch, 'n')
  const overSeen = (inside: string): string => `for (let j = 0; j < seen; j++) {\n${inside}\n}`
  const code = [
    seenBy(launch),
    'const list = []',
    overSeen(
      `${scores(launch, dtype)}\nlist.push({ s: v${score}, m: ${factor === undefined ? '1' : `v${factor}`} })`,
    ),
    'let peak = -Infinity, sum = 0',
    'for (const { s } of list) peak = Math.max(peak, s)',
    `const low = Math.max(peak, -${dtype === 'float32' ? '3.4028234663852886e38' : 'Number.MAX_VALUE'})`,
    'for (const one of list) sum += one.e = Math.exp(one.s - low)',
    `${element(total, [...lead, 'i'])} = sum === 0 ? 0 : ${rounded('low + Math.log(sum)', dtype)}`,
    loops(
      [valueWidth],
      ['c'],
      [
        'let mixed = 0',
        overSeen(
          `const { e, m } = list[j]\nmixed += ${factor === undefined ? 'e' : 'e * m'} * ${element(value, [...lead, 'j', 'c'])}`,
        ),
        `${element(output, [...lead, 'i', 'c'])} = sum === 0 ? 0 : ${rounded('mixed / sum', dtype)}`,
      ].join('\n'),
    ),
  ]
  return loops([...batch, queries], [...lead, 'i'], code.join('\n'))
}

const attentionGradient = (launch: AttentionGradientLaunch, dtype: Dtype): string => {
  const { batch, queries, keys, width, valueWidth, query, key, value, scale, score, factor } = launch
  const { cotangent, total, delta, queryGradient, keyGradient, valueGradient } = launch
  const lead = axesOf(batch, 'n')
  const at = (view: View, row: string): string => element(view, [...lead, row, 'c'])
  const sums = (name: string, size: number): string => `const ${name} = new Float64Array(${size})`
  const m = factor === undefined ? '1' : `v${factor}`
  const pair = [
    scores(launch, dtype),
    `const p = Math.exp(v${score} - ${element(total, [...lead, 'i'])})`,
    dot('dp', valueWidth, at(cotangent, 'i'), at(value, 'j'), dtype),
    `const ds = p * (${m} * dp - ${element(delta, [...lead, 'i'])}) * ${rounded(literal(scale), dtype)}`,
    loops(
      [width],
      ['c'],
      `dq[i * ${width} + c] += ds * ${at(key, 'j')}\ndk[j * ${width} + c] += ds * ${at(query, 'i')}`,
    ),
    loops([valueWidth], ['c'], `dv[j * ${valueWidth} + c] += p * ${m} * ${at(cotangent, 'i')}`),
  ].join('\n')
  const write = (name: string, rows: number, columns: number, target: View): string =>
    loops(
      [rows, columns],
      ['i', 'c'],
      `${at(target, 'i')} = ${rounded(`${name}[i * ${columns} + c]`, dtype)}`,
    )
  const code = [
    sums('dq', queries * width),
    sums('dk', keys * width),
    sums('dv', keys * valueWidth),
    loops([queries], ['i'], `${seenBy(launch)}\nfor (let j = 0; j < seen; j++) {\n${pair}\n}`),
    write('dq', queries, width, queryGradient),
    write('dk', keys, width, keyGradient),
    write('dv', keys, valueWidth, valueGradient),
  ]
  return loops(batch, lead, code.join('\n'))
}

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
export const printLaunch = (launch: Launch, dtypeOf: DtypeOf): string => {
  switch (launch.kind) {
    case 'map':
      return map(launch)
    case 'reduce':
      return reduce(launch)
    case 'matmul':
      return matmul(launch, dtypeOf)
    case 'scatter': {
      const { shape, operands, body, value, target, at, op } = launch
      const axes = axesOf(shape)
      const moved = at.map(
        ({ index, stride, size }) => ` + ${stride} * ${clamped(element(index, axes), size)}`,
      )
      const where = `b${target.buffer}[at]`
      const code = `${definitions(body, [value], operands, axes)}
const at = ${address(target, axes)}${moved.join('')}
${where} = ${combine(op, where, `v${value}`, dtypeOf(target.buffer))}`
      return loops(shape, axes, code)
    }
    case 'sort': {
      const { outer, length, descending, input, target } = launch
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
    case 'scan': {
      const { outer, length, reverse, input, target, op } = launch
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
    case 'attention':
      return attention(launch, dtypeOf(launch.query.buffer))
    case 'attentionGradient':
      return attentionGradient(launch, dtypeOf(launch.query.buffer))
    case 'custom': {
      const inputs = launch.inputs.map((id) => `b${id}`).join(', ')
      return `const kernel = (${launch.source})
const self = { thread: { x: 0, y: 0, z: 0 }, output: { x: ${launch.size} }, constants: {} }
for (let x = 0; x < ${launch.size}; x++) { self.thread.x = x; b${launch.target}[x] = kernel.call(self, ${inputs}) }`
    }
  }
}

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
