/** Attention: softmax of the scores as they come, block by block (Dao et al., "FlashAttention", 2022). */
import type { AttentionLaunch } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import type { Context, Dispatch } from '../shader.ts'
import { joinedBySubgroups } from '../subgroup.ts'
import { zeros } from '../tile.ts'
import { attentionDispatch, panelsOf } from './site.ts'
import type { Site } from './site.ts'

const lowest = '-3.4028234663852886e38'

/** What the four columns of a thread have in each row, joined over the threads of the row; all of them get it. */
const joined = (
  { perRow, across, subgroups }: Site,
  given: (row: number) => string,
  into: (row: number) => string,
  join: (a: string, b: string) => string,
): readonly string[] => {
  if (subgroups === undefined) return joinedInMemory({ perRow, across }, given, into, join)
  const rows = [0, 1, 2, 3]
  return [
    ...rows.filter((r) => given(r) !== into(r)).map((r) => `${into(r)} = ${given(r)};`),
    ...joinedBySubgroups(
      subgroups,
      across,
      rows.map((r) => ['f32', into(r)]),
      (others) => rows.map((r) => `${into(r)} = ${join(into(r), others[r] as string)};`).join(' '),
      (row, subgroup) => `shares[(${subgroup}) * 4u + ${row}u]`,
    ),
  ]
}

const joinedInMemory = (
  { perRow, across }: Pick<Site, 'perRow' | 'across'>,
  given: (row: number) => string,
  into: (row: number) => string,
  join: (a: string, b: string) => string,
): readonly string[] => [
  ...perRow((r) => `shares[(y * 4u + ${r}u) * ${across}u + x] = ${given(r)};`),
  'workgroupBarrier();',
  `for (var t = 0u; t < ${across}u; t++) {`,
  ...perRow((r) => `${into(r)} = ${join(into(r), `shares[(y * 4u + ${r}u) * ${across}u + t]`)};`),
  '}',
  'workgroupBarrier();',
]

const code = (launch: AttentionLaunch, site: Site): readonly string[] => {
  const { bind, side, axes, perRow, mixed } = site
  const { queries, keys, width, valueWidth, query, key, value, output, total, causal } = launch
  const batch = axes.map((axis) => `${axis}, `).join('')
  const last = causal === undefined ? String(keys) : `min(${keys}, top + ${side + causal})`
  return [
    ...perRow((r) => `var m${r} = f32(${lowest}); var l${r} = 0.0;`),
    ...zeros(mixed('o')),
    `let last = ${last};`,
    `for (var left = 0i; left < last; left += ${side}) {`,
    ...site.scores(
      's',
      { view: query, rows: queries, columns: width },
      { view: key, rows: keys, columns: width },
      'left',
    ),
    'let column = left + i32(x) * 4;',
    ...perRow((r) => `var f${r} = vec4<f32>(); var peak${r} = m${r};`),
    'for (var c = 0i; c < 4; c++) {',
    ...perRow(
      (r) =>
        `{ let one = seen(${batch}own + ${r}, column + c, s${r}_0[c]); s${r}_0[c] = one.x; f${r}[c] = one.y; peak${r} = fn_max(peak${r}, one.x); }`,
    ),
    '}',
    ...joined(
      site,
      (r) => `peak${r}`,
      (r) => `peak${r}`,
      (a, b) => `fn_max(${a}, ${b})`,
    ),
    ...perRow((r) => `let shrink${r} = fn_exp(m${r} - peak${r}); m${r} = peak${r}; l${r} *= shrink${r};`),
    'for (var c = 0i; c < 4; c++) {',
    ...perRow(
      (r) => `let e${r} = fn_exp(s${r}_0[c] - m${r}); l${r} += e${r}; s${r}_0[c] = e${r} * f${r}[c];`,
    ),
    '}',
    ...site.spread('s'),
    ...perRow(
      (r) => `${Array.from({ length: mixed('o').broad }, (_, q) => `o${r}_${q} *= shrink${r};`).join(' ')}`,
    ),
    'workgroupBarrier();',
    ...site.mix('o', { view: value, rows: keys, columns: valueWidth }, 'left'),
    '}',
    ...perRow((r) => `var t${r} = 0.0;`),
    ...joined(
      site,
      (r) => `l${r}`,
      (r) => `t${r}`,
      (a, b) => `${a} + ${b}`,
    ),
    ...site.store(
      'o',
      { view: output, rows: queries, columns: valueWidth },
      (element, r) => `select(${element} / t${r}, 0.0, t${r} == 0.0)`,
    ),
    'if (x == 0u && first_column == 0) {',
    ...perRow(
      (r) =>
        `if (own + ${r} < ${queries}) { let row = own + ${r}; ${bind.store(total, [...axes, 'row'], `select(m${r} + fn_log(t${r}), 0.0, t${r} == 0.0)`)} }`,
    ),
    '}',
  ]
}

export const attentionDispatches = (launch: AttentionLaunch, context: Context): readonly Dispatch[] => {
  const { batch, queries, keys, width, valueWidth, causal } = launch
  if (sizeOf(batch) * queries === 0) return []
  const shape = [...batch, queries].join('×')
  return [
    attentionDispatch(launch, context, {
      label: `attention ${shape} to ${keys} of ${width}${causal === undefined ? '' : ', causal'}`,
      rows: queries,
      panels: panelsOf(valueWidth),
      code: (site) => code(launch, site),
    }),
  ]
}
