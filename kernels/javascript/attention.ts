/** Attention as loops: the scores of one query at a time. */
import type { Dtype } from '../dtype.ts'
import type { AttentionGradientLaunch, AttentionLaunch, AttentionSite, View } from '../program/index.ts'
import { literal, rounded } from './scalar.ts'
import { axesOf, definitions, element, loops } from './view.ts'

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

export const attention = (launch: AttentionLaunch, dtype: Dtype): string => {
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

export const attentionGradient = (launch: AttentionGradientLaunch, dtype: Dtype): string => {
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
