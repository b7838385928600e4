/** Maps, rows and products as loops. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { Fold, MapLaunch, MatmulLaunch, ReduceLaunch } from '../program/index.ts'
import type { ScalarOp } from '../scalar.ts'
import { binary, rounded } from './scalar.ts'
import { axesOf, definitions, element, loops } from './view.ts'

export const map = ({ shape, operands, body, outputs }: MapLaunch): string => {
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

export const startOf = (op: Fold['op'], dtype: Dtype): string => {
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

export const reduce = ({ outer, inner, operands, body, folds, outputs }: ReduceLaunch): string => {
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

export const matmul = (launch: MatmulLaunch, dtypeOf: (buffer: number) => Dtype): string => {
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
