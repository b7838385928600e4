/** Generated shapes, and sets of shapes that broadcast together. */
import * as fc from 'fast-check'
import type { Shape } from '../../core/index.ts'

export interface ShapeOptions {
  /** 0 by default: scalars are tried too. */
  readonly minRank?: number
  /** 3 by default. */
  readonly maxRank?: number
  /** 0 by default: empty axes are tried too, though seldom. */
  readonly minSize?: number
  /** 4 by default. */
  readonly maxSize?: number
}

/**
 * Sizes of one axis. They shrink toward 1, then 2.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { sizes } from 'pullback/spec'
 * fc.assert(fc.property(sizes({ maxSize: 4 }), (size) => size <= 4))
 * ```
 */
export const sizes = ({
  minSize = 0,
  maxSize = 4,
}: Pick<ShapeOptions, 'minSize' | 'maxSize'> = {}): fc.Arbitrary<number> => {
  const usual = Array.from({ length: maxSize }, (_, i) => i + 1).filter((size) => size >= minSize)
  return fc.constantFrom(...usual, ...usual.filter((size) => size > 1), ...(minSize === 0 ? [0] : []))
}

/**
 * Shapes: of any rank from `minRank` to `maxRank`, empty axes among them. Failing ones shrink toward few axes
 * of size 1.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * fc.assert(fc.property(shapes({ maxRank: 2 }), (shape) => shape.length <= 2))
 * ```
 */
export const shapes = (options: ShapeOptions = {}): fc.Arbitrary<Shape> => {
  const { minRank = 0, maxRank = 3 } = options
  return fc.array(sizes(options), { minLength: minRank, maxLength: maxRank, size: 'max' })
}

/**
 * `count` shapes that broadcast together, as NumPy does: each is a common shape with some leading axes left
 * out and some sizes 1.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { add, zeros } from 'pullback'
 * import type { Shape } from 'pullback'
 * import { broadcastable } from 'pullback/spec'
 * const rank = ([a, b]: readonly Shape[]) => add(zeros(a as Shape), zeros(b as Shape)).shape.length
 * fc.assert(fc.property(broadcastable(2), (pair) => rank(pair) >= 0))
 * ```
 */
export const broadcastable = (count: number, options: ShapeOptions = {}): fc.Arbitrary<readonly Shape[]> =>
  shapes(options).chain((shape) => {
    const own = fc
      .tuple(
        fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(shape.length) }),
        fc.tuple(...shape.map(() => fc.constantFrom(false, false, false, true))),
      )
      .map(([dropped, ones]) => shape.map((size, axis) => (ones[axis] === true ? 1 : size)).slice(dropped))
    return fc.tuple(...Array.from({ length: count }, () => own))
  })
