/** The backward pass: scores again, and what they give to queries, keys and values. */
import type { AttentionGradientLaunch } from '../../program/index.ts'
import { call, f32x4, get, i32, larger, set, smaller, v128, when } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import { upTo } from '../gemm.ts'
import { beginParameter, endParameter } from '../kernel.ts'
import { exp } from '../math.ts'
import { addressOf, overKeys, plus, scratch, setBlock, setCoordinates, strideOf, times } from './context.ts'
import type { Context } from './context.ts'
import { acrossKeys, multiply, packBatch, stripOf, stripTimes } from './product.ts'
import type { Panels } from './product.ts'
import { clearRest, expressionsOf, inside, overLines, overVectors } from './score.ts'
import { overWidth, storeSome } from './width.ts'

/**
 * How the gradient of one batch is cut: into groups of queries, which give their own gradients, and ranges of keys,
 * which give those of keys and values. Both compute the scores that they need, seven products in place of five.
 */
export interface Pieces {
  readonly groups: number
  /** Queries of a group, and keys of a range. */
  readonly rows: number
  readonly ranges: number
  readonly keys: number
}

/** Keys of a range, and queries of a group at least. */
const least = 96

/** The pieces, where threads gain by them; the bits are the same either way. */
export const piecesOf = (
  { queries, keys }: AttentionGradientLaunch,
  rows: number,
  batches: number,
  threads: number,
): Pieces | undefined => {
  const gains = Math.ceil(batches / threads) > (1.45 * batches) / threads
  if (!gains || queries < 2 * least || keys < 2 * least) return undefined
  const each = rows * Math.ceil(least / rows)
  return { groups: Math.ceil(queries / each), rows: each, ranges: Math.ceil(keys / least), keys: least }
}

export const backward = (
  context: Context,
  launch: AttentionGradientLaunch,
  pieces: Pieces | undefined,
): void => {
  const { e, layout, unit, start, stop, row, height, limit, line, at, steps, block } = context
  const { queries, keys, width, valueWidth, score, factor, causal } = launch
  const [query, key, value, cotangent, total, delta, queryTarget, keyTarget, valueTarget] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ]
  const keySide = acrossKeys(context, key as number, width, layout.keys)
  const valueSide = acrossKeys(context, value as number, valueWidth, layout.values)
  const keyRows: Panels = { which: key as number, width, place: layout.keyRows }
  const [firstStrip, secondStrip] = layout.strips as [number, number]
  const [to, end, piece] = [e.local('i32'), e.local('i32'), e.local('i32')]
  /** Whether this piece gives the gradients of queries, of keys and values, or of all. */
  const [ofQueries, ofKeys] = [e.local('i32'), e.local('i32')]
  /** Every part is added to. */
  const clear = (which: number, size: number, from: Code, until: Code): void => {
    e.push(set(line, from))
    upTo(e, line, until, i32.const(1), () => {
      e.push(set(to, addressOf(context, which, get(line))))
      overWidth(e, at, size, (lanes) => storeSome(e, plus(get(to), get(at)), e.f32(0), lanes))
    })
  }
  e.push(set(unit, get(beginParameter)))
  upTo(e, unit, get(endParameter), i32.const(1), () => {
    e.push(set(row, i32.const(0)), set(end, i32.const(queries)))
    e.push(set(start, i32.const(0)), set(stop, i32.const(keys)))
    e.push(set(ofQueries, i32.const(1)), set(ofKeys, i32.const(1)))
    if (pieces === undefined) setCoordinates(context, get(unit))
    else {
      const each = i32.const(pieces.groups + pieces.ranges)
      setCoordinates(context, i32.divU(get(unit), each))
      e.push(set(piece, i32.sub(i32.remU(get(unit), each), i32.const(pieces.groups))))
      e.push(set(ofKeys, i32.geS(get(piece), i32.const(0))), set(ofQueries, i32.eqz(get(ofKeys))))
      const first = times(get(piece), pieces.keys)
      const begin = i32.sub(get(start), i32.const(causal ?? 0))
      const range = [
        set(start, first),
        set(stop, smaller(i32.const(keys), plus(first, i32.const(pieces.keys)))),
        // Queries before the first that sees the range: whole blocks of them are left out.
        causal === undefined
          ? []
          : set(
              row,
              i32.sub(
                larger(i32.const(0), begin),
                i32.remU(larger(i32.const(0), begin), i32.const(layout.rows)),
              ),
            ),
      ]
      const own = times(plus(get(piece), i32.const(pieces.groups)), pieces.rows)
      const group = [
        set(row, own),
        set(end, smaller(i32.const(queries), plus(own, i32.const(pieces.rows)))),
        causal === undefined
          ? []
          : set(stop, larger(i32.const(0), smaller(i32.const(keys), plus(get(end), i32.const(causal))))),
      ]
      e.push(when(get(ofKeys), range, group))
    }
    e.push(
      when(
        get(ofQueries),
        e.capture(() => clear(queryTarget as number, width, get(row), get(end))),
      ),
      when(
        get(ofKeys),
        e.capture(() => {
          clear(keyTarget as number, width, get(start), get(stop))
          clear(valueTarget as number, valueWidth, get(start), get(stop))
        }),
      ),
    )
    packBatch(context, [keySide, valueSide], keyRows)
    upTo(e, row, get(end), i32.const(layout.rows), () => {
      setBlock(context)
      stripOf(context, query as number, width, keySide, 0)
      stripOf(context, cotangent as number, valueWidth, valueSide, 1)
      const expressions = expressionsOf(context)
      const [strip, other] = [e.local('i32'), e.local('i32')]
      const scale = e.f32(launch.scale)
      overLines(context, expressions, (rowScope) => {
        e.push(
          set(strip, plus(scratch(firstStrip), times(get(line), layout.stride))),
          set(other, plus(scratch(secondStrip), times(get(line), layout.stride))),
        )
        const own = plus(get(row), get(line))
        const spread = (which: number): Code => e.keep(v128.load32Splat(addressOf(context, which, own)))
        const [sum, part] = [spread(total as number), spread(delta as number)]
        const place = (pointer: number): Code => plus(get(pointer), times(get(at), 4))
        overVectors(context, expressions, rowScope, (scoped, kernelValues, vector) => {
          const behind = 16 * vector
          kernelValues.setFold(0, e.keep(f32x4.mul(v128.load(place(strip), behind), scale)), scoped)
          const exponent = e.keep(f32x4.sub(kernelValues.value(score, scoped), sum))
          const lanes = inside(context, vector)
          const weight = e.keep(v128.and(exp(e, exponent), lanes))
          const product = v128.load(place(other), behind)
          const m =
            factor === undefined ? undefined : e.keep(v128.and(kernelValues.value(factor, scoped), lanes))
          const through = m === undefined ? product : f32x4.mul(product, m)
          const change = f32x4.mul(f32x4.mul(weight, f32x4.sub(through, part)), scale)
          const used = m === undefined ? weight : f32x4.mul(weight, m)
          const [first, second] = [e.keep(used), e.keep(v128.and(change, lanes))]
          e.push(v128.store(place(strip), first, behind), v128.store(place(other), second, behind))
        })
        clearRest(context, [strip, other])
      })
      const queryProduct = e.capture(() => {
        const into = addressOf(context, queryTarget as number, get(row))
        stripTimes(context, 1, keyRows, into, strideOf(context, queryTarget as number, 0), i32.const(1))
      })
      e.push(when(get(ofQueries), queryProduct))
      const transposedProduct = (strip: number, which: number, size: number, into: number): void => {
        e.push(
          call(
            e.gemm('packColumns'),
            addressOf(context, which, get(row)),
            i32.const(strideOf(context, which, 1)),
            i32.const(strideOf(context, which, 0)),
            i32.const(size),
            get(height),
            scratch(layout.columns),
          ),
        )
        overKeys(context, get(limit), () => {
          const left = plus(scratch(strip), times(get(block), 4))
          multiply(e, {
            rows: get(steps),
            columns: i32.const(size),
            depth: get(height),
            left: [left, 4, layout.stride],
            right: scratch(layout.columns),
            into: addressOf(context, into, get(block)),
            stride: i32.const(strideOf(context, into, 0)),
            adds: i32.const(1),
          })
        })
      }
      const keyProducts = e.capture(() => {
        transposedProduct(secondStrip, query as number, width, keyTarget as number)
        transposedProduct(firstStrip, cotangent as number, valueWidth, valueTarget as number)
      })
      e.push(when(get(ofKeys), keyProducts))
    })
  })
}
