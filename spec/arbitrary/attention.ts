/** Random launches of attention and of its gradient, over small whole numbers so that scores are exact. */
import type { AttentionSite, Dtype, Launch, Operand, ScalarOp, View } from '../../kernels/index.ts'
import type { Fact } from './fact.ts'
import { functionUlps, roundoff } from './fact.ts'
import type { Build } from './operand.ts'
import { viewOf } from './operand.ts'
import { target } from './target.ts'
import { layout, plain } from './view.ts'

const largest = 4
const tame = ({ whole, error, bound }: Fact): boolean => whole && error === 0 && bound <= largest

/** Mostly plain views, for which engines have kernels. */
const small = (build: Build, dtype: Dtype, shape: readonly number[]): View =>
  viewOf(build, dtype, build.tape.chance(4) ? layout(build.tape, shape, false) : plain(shape), tame, true)

interface Drawn {
  readonly site: AttentionSite
  readonly dtype: Dtype
  /** The largest score and the largest factor. */
  readonly score: number
  readonly factor: number
}

const siteOf = (build: Build): Drawn => {
  const { tape } = build
  const floats = build.dtypes.filter((dtype) => dtype === 'float32' || dtype === 'float64')
  const dtype =
    floats.length === 0 || (floats.includes('float32') && !tape.chance(6)) ? 'float32' : tape.of(floats)
  const batch = tape.of([[], [2], [1, 3], [0], [2, 2]] as const)
  const sizes = [3, 1, 2, 5, 8, 9, 13, 70, 0] as const
  const [queries, keys] = [tape.of(sizes), tape.of(sizes)]
  const [width, valueWidth] = [tape.of([4, 1, 3, 8, 9, 0]), tape.of([4, 1, 3, 8, 10, 0])]
  const space = [...batch, queries, keys]
  const operands: Operand[] = []
  const body: ScalarOp[] = [{ op: 'fold', index: 0, dtype }]
  const operand = (of: Dtype): number => {
    const view = small(build, of, space)
    operands.push({ kind: 'buffer', ...view })
    return body.push({ op: 'read', index: operands.length - 1, dtype: of }) - 1
  }
  let score = 0
  let bound = largest * largest * Math.max(1, width) * 0.0625
  if (tape.chance(3)) {
    score = body.push({ op: 'add', args: [score, operand(dtype)], dtype }) - 1
    bound += largest
  }
  if (tape.chance(2) && build.dtypes.includes('bool')) {
    const mask = operand('bool')
    const never = body.push({ op: 'constant', value: -Infinity, dtype }) - 1
    score = body.push({ op: 'select', args: [mask, score, never], dtype }) - 1
  }
  const factor = tape.chance(3) ? operand(dtype) : undefined
  const causal = tape.chance(2) ? tape.of([0, 0, 1, -1, 5]) : undefined
  return {
    dtype,
    score: bound,
    factor: factor === undefined ? 1 : largest,
    site: {
      batch,
      queries,
      keys,
      width,
      valueWidth,
      query: small(build, dtype, [...batch, queries, width]),
      key: small(build, dtype, [...batch, keys, width]),
      value: small(build, dtype, [...batch, keys, valueWidth]),
      scale: 0.0625,
      ...(causal === undefined ? {} : { causal }),
      operands,
      body,
      score,
      ...(factor === undefined ? {} : { factor }),
    },
  }
}

/** A value of this bound that took `steps` roundings. */
const inexact = (dtype: Dtype, bound: number, steps: number): Fact => ({
  dtype,
  bound,
  error: (steps + functionUlps) * roundoff(dtype) * bound,
  whole: false,
})

export const attention = (build: Build): Launch[] => {
  const { site, dtype, score, factor } = siteOf(build)
  const before: Launch[] = []
  const rows = [...site.batch, site.queries]
  // A row's sum is at least 1, so that its logarithm is as exact as it is.
  const bound = largest * factor
  const output = target(
    build,
    [...rows, site.valueWidth],
    inexact(dtype, bound, 3 * site.keys + 2 * score),
    [],
    before,
  )
  const total = target(
    build,
    rows,
    inexact(dtype, score + Math.log(site.keys + 1) + 1, 2 * site.keys + 2 * score),
    [],
    before,
  )
  return [...before, { kind: 'attention', ...site, output, total }]
}

export const attentionGradient = (build: Build): Launch[] => {
  const { site, dtype, score, factor } = siteOf(build)
  const { batch, queries, keys, width, valueWidth } = site
  const before: Launch[] = []
  const rows = [...batch, queries]
  const [cotangent, total, delta] = [
    small(build, dtype, [...rows, valueWidth]),
    small(build, dtype, rows),
    small(build, dtype, rows),
  ]
  const weight = Math.exp(score + largest)
  const slope = weight * (factor * largest * largest * Math.max(1, valueWidth) + largest) * 0.0625
  const steps = queries + keys + valueWidth + 2 * (score + largest)
  const into = (shape: readonly number[], bound: number): View =>
    target(build, shape, inexact(dtype, bound, 2 * steps), [], before)
  const queryGradient = into([...rows, width], slope * largest * Math.max(1, keys))
  const keyGradient = into([...batch, keys, width], slope * largest * Math.max(1, queries))
  const valueGradient = into([...batch, keys, valueWidth], weight * factor * largest * Math.max(1, queries))
  const targets = { queryGradient, keyGradient, valueGradient }
  return [...before, { kind: 'attentionGradient', ...site, cotangent, total, delta, ...targets }]
}
