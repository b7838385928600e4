/** Folds of a row as loops of gpu.js' kernel language. */
import type { Fold } from '../program/index.ts'
import { contiguous, sizeOf } from '../program/index.ts'
import { address } from './axis.ts'
import type { Mode } from './mode.ts'
import { runsOnHost } from './mode.ts'

const loop = (name: string, size: number, code: readonly string[]): readonly string[] => [
  `for (let ${name} = 0; ${name} < ${size}; ${name}++) {`,
  ...code,
  '}',
]

/** Above this many terms a sum is taken in blocks, whose rounding errors do not add up as fast. */
const block = 64

/** Kahan's summation: `carry` is what rounding took from the total so far. */
const compensated = (total: string, part: string, carry: string): readonly string[] => [
  `const y${part} = ${part} - ${carry};`,
  `const t${part} = ${total} + y${part};`,
  `${carry} = (t${part} - ${total}) - y${part};`,
  `${total} = t${part};`,
]

type Step = (axes: readonly string[], suffix: string, into: string) => readonly string[]

/** Loops over `inner` around `step`; the last axis of a long sum in blocks with a sum of their own. */
const nest = (
  inner: readonly number[],
  tag: string,
  total: string,
  blocked: boolean,
  step: Step,
): readonly string[] => {
  const axes = inner.map((_, axis) => `j${axis}${tag}`)
  const wrap = (code: readonly string[], axis: number): readonly string[] =>
    axis < 0 ? code : wrap(loop(axes[axis] as string, inner[axis] as number, code), axis - 1)
  const last = inner.length - 1
  const length = inner[last] ?? 1
  const carry = `k${tag}`
  if (!blocked || sizeOf(inner) <= 2 * block) return wrap(step(axes, `${tag}`, total), last)
  if (length <= 2 * block) {
    const part = `p${tag}`
    const row = loop(axes[last] as string, length, step(axes, tag, part))
    return [
      `let ${carry} = 0;`,
      ...wrap([`let ${part} = 0;`, ...row, ...compensated(total, part, carry)], last - 1),
    ]
  }
  const blocks = Math.floor(length / block)
  const rest = length - blocks * block
  const run = (part: string, name: string, size: number, from: string): readonly string[] => [
    `let ${part} = 0;`,
    ...loop(name, size, step([...axes.slice(0, last), `(${from} + ${name})`], name, part)),
    ...compensated(total, part, carry),
  ]
  const whole = loop(`q${tag}`, blocks, run(`p${tag}`, `r${tag}`, block, `${block} * q${tag}`))
  const tail = rest === 0 ? [] : run(`u${tag}`, `s${tag}`, rest, String(blocks * block))
  return [`let ${carry} = 0;`, ...wrap([...whole, ...tail], last - 1)]
}

/** The statements of fold `index` over `inner`, whose result is then called `f<index>`. */
export const foldCode = (
  { op, value }: Fold,
  index: number,
  inner: readonly number[],
  mode: Mode,
  define: (axes: readonly string[], suffix: string) => readonly string[],
): readonly string[] => {
  const [a, n, seen] = [`a_${index}`, `n_${index}`, `seen_${index}`]
  const tag = `_f${index}`
  const v = (suffix: string): string => `v${value}${suffix}`
  const host = runsOnHost(mode)
  switch (op) {
    case 'sum':
      return [
        `let ${a} = 0;`,
        ...nest(inner, tag, a, true, (axes, suffix, into) => [
          ...define(axes, suffix),
          `${into} = ${into} + ${v(suffix)};`,
        ]),
        `const f${index} = ${a};`,
      ]
    case 'prod':
      return [
        `let ${a} = 1;`,
        ...nest(inner, tag, a, false, (axes, suffix) => [
          ...define(axes, suffix),
          `${a} = ${a} * ${v(suffix)};`,
        ]),
        `const f${index} = ${a};`,
      ]
    case 'max':
    case 'min': {
      const order = op === 'max' ? '>' : '<'
      // Infinity is no number that every driver can write, so elsewhere the first element starts the fold.
      const better = (x: string): string =>
        host
          ? `Math.${op}(${a}, ${x})`
          : `(${seen} < 0.5 || ${x} ${order} ${a} || ${x} !== ${x}) ? ${x} : ${a}`
      return [
        ...(host
          ? [`let ${a} = ${op === 'max' ? '-Infinity' : 'Infinity'};`]
          : [`let ${a} = 0;`, `let ${seen} = 0;`]),
        ...nest(inner, tag, a, false, (axes, suffix) => [
          ...define(axes, suffix),
          `${a} = ${better(v(suffix))};`,
          ...(host ? [] : [`${seen} = 1;`]),
        ]),
        `const f${index} = ${a};`,
      ]
    }
    case 'argmax':
    case 'argmin': {
      const order = op === 'argmax' ? '>' : '<'
      const position = (axes: readonly string[]): string =>
        address({ strides: contiguous(inner), offset: 0 }, axes)
      return [
        `let ${a} = 0;`,
        `let ${seen} = 0;`,
        `let ${n} = 0;`,
        ...nest(inner, tag, a, false, (axes, suffix) => {
          const x = v(suffix)
          return [
            ...define(axes, suffix),
            // The first NaN wins and stays.
            `const b${suffix} = (${seen} < 0.5 || ${x} ${order} ${a} || ${x} !== ${x}) ? 1 : 0;`,
            `const c${suffix} = ${a} === ${a} ? b${suffix} : 0;`,
            `const d${suffix} = ${position(axes)};`,
            `${a} = c${suffix} > 0.5 ? ${x} : ${a};`,
            `${n} = c${suffix} > 0.5 ? d${suffix} : ${n};`,
            `${seen} = 1;`,
          ]
        }),
        `const f${index} = ${n};`,
      ]
    }
  }
}
