/** The forward pass: scores, their softmax and the mean of the values, a block of queries at a time. */
import type { AttentionLaunch } from '../../program/index.ts'
import { f32x4, get, i32, set, v128, when } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import { blockColumns, blockRows, upTo } from '../gemm.ts'
import { beginParameter, endParameter } from '../kernel.ts'
import { expOfNegative, log } from '../math.ts'
import { sumsAt } from '../scratch.ts'
import { addressOf, plus, scratch, setBlock, setCoordinates, times } from './context.ts'
import type { Context } from './context.ts'
import { roundUp } from '../../round.ts'
import { acrossKeys, packBatch, stripOf, stripTimes } from './product.ts'
import type { Panels } from './product.ts'
import { clearRest, expressionsOf, inside, joined, overLines, overVectors } from './score.ts'
import { overWidth, storeSome } from './width.ts'

export const forward = (context: Context, launch: AttentionLaunch, blocks: number): void => {
  const { e, layout, unit, packed, stop, row, height, line, at, block } = context
  const { width, valueWidth, score, factor } = launch
  const [query, key, value, output, total] = [0, 1, 2, 3, 4] as const
  const keySide = acrossKeys(context, key, width, layout.keys)
  const values: Panels = { which: value, width: valueWidth, place: layout.values }
  const wide = 4 * roundUp(valueWidth, blockColumns)
  e.push(set(packed, i32.const(-1)), set(stop, i32.const(launch.keys)), set(unit, get(beginParameter)))
  upTo(e, unit, get(endParameter), i32.const(1), () => {
    const place = e.keep(i32.divU(get(unit), i32.const(blocks)), 'i32')
    setCoordinates(context, place)
    e.push(set(row, times(i32.remU(get(unit), i32.const(blocks)), layout.rows)))
    setBlock(context)
    const fresh = e.capture(() => {
      packBatch(context, [keySide], values)
      e.push(set(packed, place))
    })
    e.push(when(i32.ne(get(packed), place), fresh))
    stripOf(context, query, width, keySide, 0)
    const expressions = expressionsOf(context)
    const strip = e.local('i32')
    const rest = e.local('v128')
    const [peak, sum] = [e.local('v128'), e.local('v128')]
    const scale = e.f32(launch.scale)
    // The parts of each query that its row of the product is divided by stand behind the sums.
    const inverses = sumsAt + roundUp(layout.rows, blockRows) * wide
    overLines(context, expressions, (rowScope) => {
      e.push(set(strip, plus(scratch(layout.strips[0] as number), times(get(line), layout.stride))))
      const here = (): Code => plus(get(strip), times(get(at), 4))
      e.push(set(peak, e.f32(-Infinity)), set(sum, e.f32(0)))
      overVectors(context, expressions, rowScope, (scoped, kernelValues, vector) => {
        const behind = 16 * vector
        kernelValues.setFold(0, e.keep(f32x4.mul(v128.load(here(), behind), scale)), scoped)
        const seen = inside(context, vector)
        const masked = e.keep(v128.select(kernelValues.value(score, scoped), e.f32(-Infinity), seen))
        e.push(v128.store(here(), masked, behind), set(peak, f32x4.pmax(get(peak), masked)))
      })
      const finite = f32x4.pmax(joined(e, get(peak), f32x4.pmax), e.f32(-3.4028234663852886e38))
      e.push(set(peak, finite))
      overVectors(context, expressions, rowScope, (scoped, kernelValues, vector) => {
        const behind = 16 * vector
        const weight = expOfNegative(e, e.keep(f32x4.sub(v128.load(here(), behind), get(peak))))
        e.push(set(sum, f32x4.add(get(sum), weight)))
        if (factor === undefined) e.push(v128.store(here(), weight, behind))
        else {
          // Lanes beyond the last key may read anything, even what is no number.
          const weighted = f32x4.mul(weight, kernelValues.value(factor, scoped))
          e.push(v128.store(here(), v128.and(weighted, inside(context, vector)), behind))
        }
      })
      const all = joined(e, get(sum), f32x4.add)
      const empty = e.keep(f32x4.eq(all, e.f32(0)))
      const inverse = v128.andnot(f32x4.div(e.f32(1), all), empty)
      e.push(v128.store(plus(scratch(inverses), times(get(line), 16)), inverse))
      const logarithm = v128.andnot(f32x4.add(log(e, all), get(peak)), empty)
      e.push(v128.store32Lane(addressOf(context, total, plus(get(row), get(line))), e.keep(logarithm), 0))
      clearRest(context, [strip])
    })
    // Nothing was seen by the whole block: its sums are zeros.
    e.push(set(at, i32.const(0)))
    upTo(e, at, times(get(height), wide), i32.const(16), () =>
      e.push(v128.store(plus(scratch(sumsAt), get(at)), e.f32(0))),
    )
    stripTimes(context, 0, values, scratch(sumsAt), wide, i32.gtS(get(block), i32.const(0)))
    const [from, to] = [e.local('i32'), e.local('i32')]
    e.push(set(line, i32.const(0)))
    upTo(e, line, get(height), i32.const(1), () => {
      e.push(
        set(from, plus(scratch(sumsAt), times(get(line), wide))),
        set(to, addressOf(context, output, plus(get(row), get(line)))),
        set(rest, v128.load(plus(scratch(inverses), times(get(line), 16)))),
      )
      overWidth(e, at, valueWidth, (count) => {
        const scaled = e.keep(f32x4.mul(v128.load(plus(get(from), get(at))), get(rest)))
        storeSome(e, plus(get(to), get(at)), scaled, count)
      })
    })
  })
}
