/** What the lanes of a row found, joined. */
import type { Accumulator } from '../fold.ts'
import type { WgslType } from '../shader.ts'
import type { Subgroups } from '../subgroup.ts'
import { isDivided, joinedBySubgroups } from '../subgroup.ts'
import type { Rows } from './row.ts'
import type { Shape } from './shape.ts'

/** Statements that leave in `a<i>` (and `n<i>`) of every lane what all lanes of the row found together. */
export const joined = (
  index: number,
  { type, seeks, take }: Accumulator,
  { rows, lanes, lanesFirst }: Shape,
  shared: Set<WgslType>,
  subgroups: Subgroups | undefined,
): readonly string[] => {
  if (lanes === 1) return []
  const [a, n] = [`a${index}`, `n${index}`]
  const found = `shared_${type}`
  const places = seeks ? (type === 'i32' ? 'places_i32' : 'shared_i32') : ''
  if (subgroups === undefined || isDivided(lanes, subgroups)) {
    shared.add(type)
    if (seeks) shared.add('i32')
  }
  if (subgroups !== undefined)
    return joinedBySubgroups(
      subgroups,
      lanes,
      [[type, a] as const, ...(seeks ? [['i32', n] as const] : [])],
      ([v = '', at = '']) => take(a, n, v, at),
      (variable, subgroup) => `${variable === 0 ? found : places}[${subgroup}]`,
    )
  const step = lanesFirst ? 1 : rows
  const code = [
    `${found}[local] = ${a};`,
    ...(seeks ? [`${places}[local] = ${n};`] : []),
    'workgroupBarrier();',
  ]
  for (let half = lanes / 2; half >= 1; half /= 2) {
    const other = `local + ${half * step}u`
    code.push(
      `if (lane < ${half}u) {`,
      seeks
        ? `let v = ${found}[${other}]; let at = ${places}[${other}]; ${take(a, n, 'v', 'at')}`
        : take(a, n, `${found}[${other}]`, ''),
      `${found}[local] = ${a};`,
      ...(seeks ? [`${places}[local] = ${n};`] : []),
      '}',
      'workgroupBarrier();',
    )
  }
  const first = lanesFirst ? `local - lane` : `local % ${rows}u`
  return [
    ...code,
    `${a} = ${found}[${first}];`,
    ...(seeks ? [`${n} = ${places}[${first}];`] : []),
    'workgroupBarrier();',
  ]
}

export const sharedDeclarations = (
  shared: ReadonlySet<WgslType>,
  rows: Rows,
  threads: number,
): readonly string[] => {
  const both = rows.accumulators.some(({ seeks, type }) => seeks && type === 'i32')
  return [
    ...[...shared].map((type) => `var<workgroup> shared_${type}: array<${type}, ${threads}>;`),
    ...(both ? [`var<workgroup> places_i32: array<i32, ${threads}>;`] : []),
  ]
}
