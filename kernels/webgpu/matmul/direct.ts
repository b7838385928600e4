/** Products without the memory of a group. */
import type { MatmulLaunch, View } from '../../program/index.ts'
import { batchAddress, unravel } from '../axis.ts'
import type { Context, Dispatch } from '../shader.ts'
import { binder, storedType } from '../shader.ts'
import { vectorsOf, zeros } from '../tile.ts'
import { dispatchOf, epilogue } from './epilogue.ts'
import type { Tile } from './tile.ts'
import { plainAcross, plainThreads } from './tile.ts'

/**
 * Each thread reads what it needs for its block itself. Where threads run one after the
 * other, as in software, waiting for each other costs more than reading twice.
 */
export const direct = (
  launch: MatmulLaunch,
  context: Context,
  { high, wide }: Pick<Tile, 'high' | 'wide'>,
): Dispatch => {
  const { batch, rows, columns, inner, a, b, outputs } = launch
  const rank = batch.length
  const type = storedType(context.dtype(a.buffer))
  const bind = binder(context)
  const [threads, across] = [plainThreads, plainAcross]
  const [tall, broad] = [(threads / across) * high, across * wide]
  const outer = unravel('group.z', batch, 'i')
  const axes = [...outer.axes, 'row', 'column']
  const { block, finish, store } = epilogue(launch, context, bind, axes, { high, wide }, across)
  const written = new Set(outputs.map(({ target }) => context.home(target.buffer)))
  const vectors = (view: View, acrossStride: number, along: number) =>
    written.has(context.home(view.buffer))
      ? undefined
      : vectorsOf({
          view,
          batchStrides: view.strides.slice(0, rank),
          across: acrossStride,
          along,
          end: inner,
        })
  const [aRow, aStep] = a.strides.slice(rank) as [number, number]
  const [bStep, bColumn] = b.strides.slice(rank) as [number, number]
  const left = vectors(a, aRow, aStep) === 'along' ? bind.quads(a.buffer, 'read') : undefined
  const right = vectors(b, bColumn, bStep) === 'across' ? bind.quads(b.buffer, 'read') : undefined
  const steps = inner % 4 === 0 ? [0, 1, 2, 3] : [0]
  const ofRows = Array.from({ length: high }, (_, r) => r)
  const quads = Array.from({ length: wide / 4 }, (_, q) => q)
  const element = (step: number): string => (step === 0 ? 'k' : `(k + ${step})`)
  const readLeft = ofRows.flatMap((r) =>
    left === undefined
      ? steps.map(
          (k) => `let a${r}_${k} = ${bind.name(a.buffer, 'read')}[left${r} + ${element(k)} * ${aStep}];`,
        )
      : [`let a${r} = ${left}[(left${r} + k) >> 2u];`],
  )
  const leftAt = (r: number, k: number): string => (left === undefined ? `a${r}_${k}` : `a${r}[${k}]`)
  const readRight = (k: number, q: number): string =>
    right === undefined
      ? `vec4<${type}>(${[0, 1, 2, 3].map((e) => `${bind.name(b.buffer, 'read')}[right${q} + ${element(k)} * ${bStep}${e === 0 ? '' : ` + ${e * bColumn}`}]`).join(', ')})`
      : `${right}[(right${q} + ${element(k)} * ${bStep}) >> 2u]`
  const code = [
    `let x = local % ${across}u;`,
    `let y = local / ${across}u;`,
    `let top = i32(group.y) * ${tall};`,
    `let left = i32(group.x) * ${broad};`,
    ...outer.code,
    ...zeros(block),
    // What lies beyond the result is computed of what lies in it, and not written.
    ...ofRows.map(
      (r) =>
        `let left${r} = ${a.offset}${batchAddress(a, outer.axes)} + min(top + i32(y) * ${high} + ${r}, ${rows - 1}) * ${aRow};`,
    ),
    ...quads.map(
      (q) =>
        `let right${q} = ${b.offset}${batchAddress(b, outer.axes)} + min(left + (i32(x) + ${q * across}) * 4, ${4 * Math.ceil(columns / 4) - 4}) * ${bColumn};`,
    ),
    `for (var k = 0i; k < ${inner}; k += ${steps.length}) {`,
    ...readLeft,
    ...steps.flatMap((k) => [
      '{',
      ...quads.map((q) => `let b${q} = ${readRight(k, q)};`),
      ...ofRows.flatMap((r) => quads.map((q) => `s${r}_${q} += ${leftAt(r, k)} * b${q};`)),
      '}',
    ]),
    '}',
    ...store,
  ]
  return dispatchOf(launch, bind, code, [tall, broad], threads, [finish])
}
