/**
 * The gradients of attention: one kernel whose groups own queries, and one whose groups own keys, both with the
 * weights computed anew from the total, so that nothing is added up by atomics and sums are the same in every run.
 */
import type { AttentionGradientLaunch } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import type { Context, Dispatch } from '../shader.ts'
import { zeros } from '../tile.ts'
import { attentionDispatch, panelsOf } from './site.ts'
import type { Kernel, Matrix, Site } from './site.ts'

const matrices = (launch: AttentionGradientLaunch) => {
  const { queries, keys, width, valueWidth } = launch
  return {
    query: { view: launch.query, rows: queries, columns: width },
    key: { view: launch.key, rows: keys, columns: width },
    value: { view: launch.value, rows: keys, columns: valueWidth },
    cotangent: { view: launch.cotangent, rows: queries, columns: valueWidth },
  } satisfies Record<string, Matrix>
}

/**
 * For each of the thread's 16 pairs: s becomes the slope of the score times the scale, and d the weight times the
 * factor. `i` and `j` are the query and the key of row r, column c.
 */
const slopes = (
  launch: AttentionGradientLaunch,
  { bind, axes, perRow }: Site,
  i: (row: number) => string,
  j: (row: number) => string,
  needsSlope: boolean,
): readonly string[] => {
  const { total, delta, scale, queries } = launch
  const batch = axes.map((axis) => `${axis}, `).join('')
  const at = (view: typeof total): string => bind.element(view, [...axes, 'row'])
  return [
    'for (var c = 0i; c < 4; c++) {',
    ...perRow((r) =>
      [
        '{',
        `let one = seen(${batch}${i(r)}, ${j(r)}, s${r}_0[c]);`,
        // Beyond the last query nothing is seen, whatever is read there.
        `let row = min(${i(r)}, ${queries - 1});`,
        'let hidden = bitcast<u32>(one.x) == 0xff800000u;',
        `let p = select(fn_exp(one.x - ${at(total)}), 0.0, hidden);`,
        ...(needsSlope
          ? [
              `let slope = select(p * (one.y * d${r}_0[c] - ${at(delta)}) * f32(${Math.fround(scale)}), 0.0, hidden);`,
              `s${r}_0[c] = slope;`,
              `d${r}_0[c] = p * one.y;`,
            ]
          : [`s${r}_0[c] = p * one.y;`]),
        '}',
      ].join('\n'),
    ),
    '}',
  ]
}

/** Groups own queries and walk the keys. */
const ofQueries = (launch: AttentionGradientLaunch): Kernel => {
  const { queries, keys, width, causal, queryGradient } = launch
  const { query, key, value, cotangent } = matrices(launch)
  return {
    label: `attention gradient ${[...launch.batch, queries].join('×')} to ${keys} of ${width}, queries`,
    rows: queries,
    panels: panelsOf(width),
    code: (site) => [
      ...zeros(site.mixed('o')),
      `let last = ${causal === undefined ? keys : `min(${keys}, top + ${site.side + causal})`};`,
      `for (var left = 0i; left < last; left += ${site.side}) {`,
      ...site.scores('s', query, key, 'left'),
      ...site.scores('d', cotangent, value, 'left'),
      ...slopes(
        launch,
        site,
        (r) => `own + ${r}`,
        () => 'left + i32(x) * 4 + c',
        true,
      ),
      ...site.spread('s'),
      'workgroupBarrier();',
      ...site.mix('o', key, 'left'),
      '}',
      ...site.store('o', { ...query, view: queryGradient }, (element) => element),
    ],
  }
}

type Wanted = 'key' | 'value'

/** Groups own keys and walk the queries. */
const ofKeys = (launch: AttentionGradientLaunch, wanted: readonly Wanted[]): Kernel => {
  const { queries, keys, width, valueWidth, causal, keyGradient, valueGradient } = launch
  const { query, key, value, cotangent } = matrices(launch)
  const [forKey, forValue] = [wanted.includes('key'), wanted.includes('value')]
  const panels = Math.max(forKey ? panelsOf(width) : 1, forValue ? panelsOf(valueWidth) : 1)
  return {
    label: `attention gradient ${[...launch.batch, queries].join('×')} to ${keys} of ${width}, ${wanted.join(' and ')}`,
    rows: keys,
    panels,
    code: (site) => [
      ...(forKey ? zeros(site.mixed('k')) : []),
      ...(forValue ? zeros(site.mixed('u')) : []),
      // Queries before this one see none of the group's keys.
      `let start = ${causal === undefined ? '0' : `(max(0, top - ${causal}) / ${site.side}) * ${site.side}`};`,
      `for (var left = start; left < ${queries}; left += ${site.side}) {`,
      ...site.scores('s', key, query, 'left'),
      ...(forKey ? site.scores('d', value, cotangent, 'left') : []),
      ...slopes(
        launch,
        site,
        () => 'left + i32(x) * 4 + c',
        (r) => `own + ${r}`,
        forKey,
      ),
      ...(forValue
        ? [...site.spread(forKey ? 'd' : 's'), 'workgroupBarrier();', ...site.mix('u', cotangent, 'left')]
        : []),
      ...(forKey ? [...site.spread('s'), 'workgroupBarrier();', ...site.mix('k', query, 'left')] : []),
      '}',
      ...(forKey ? site.store('k', { ...key, view: keyGradient }, (element) => element) : []),
      ...(forValue ? site.store('u', { ...value, view: valueGradient }, (element) => element) : []),
    ],
  }
}

export const attentionGradientDispatches = (
  launch: AttentionGradientLaunch,
  context: Context,
): readonly Dispatch[] => {
  const elements = sizeOf(launch.batch)
  const dispatch = (kernel: Kernel): Dispatch => attentionDispatch(launch, context, kernel)
  const queries = elements * launch.queries === 0 ? [] : [dispatch(ofQueries(launch))]
  if (elements * launch.keys === 0) return queries
  const together = dispatch(ofKeys(launch, ['key', 'value']))
  return together.bindings.length <= context.buffersPerKernel
    ? [...queries, together]
    : [...queries, dispatch(ofKeys(launch, ['key'])), dispatch(ofKeys(launch, ['value']))]
}
