import type { Tensor } from '../core/index.ts'
import { PullbackError } from '../core/index.ts'
import type { Layer, Run } from './layer.ts'

/** Where layers hand out inner values: the path of the layer that runs, what is wanted, and what was found. */
export interface Taps {
  readonly path: readonly string[]
  readonly wanted: (path: string) => boolean
  readonly found: Map<string, Tensor>
  readonly offered: Set<string>
}

/**
 * Offers an inner value under a name; it is computed only when somebody wants it.
 *
 * @example
 * ```ts
 * import { square, sum, Tensor, tensor } from 'pullback'
 * import { evaluation, noParams, tap, withTaps } from 'pullback/nn'
 * import type { Layer, NoParams } from 'pullback/nn'
 * const layer: Layer<NoParams, Tensor, Tensor> = {
 *   init: () => noParams,
 *   apply: (_, run) => (x) => {
 *     tap(run, 'squares', () => square(x))
 *     return sum(x)
 *   },
 * }
 * console.log(withTaps(layer, ['squares']).apply(noParams, evaluation)(tensor([1, 2])).taps)
 * // => { squares: float32[2] [1, 4] }
 * ```
 */
export const tap = ({ taps }: Run, name: string, value: () => Tensor): void => {
  if (taps === undefined) return
  const path = [...taps.path, name].join('/')
  taps.offered.add(path)
  if (taps.wanted(path)) taps.found.set(path, value())
}

export interface Tapped<O> {
  readonly output: O
  readonly taps: Readonly<Record<string, Tensor>>
}

/**
 * The layer that also returns inner values, by path: attention offers its `weights` [batch, heads, time, keys].
 * `wanted` lists paths, of which each must be there, or is a predicate of paths.
 *
 * @throws PullbackError when a listed path is not offered; it lists those that are.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { encoder, evaluation, withTaps } from 'pullback/nn'
 * const layer = withTaps(encoder({ layers: 2, width: 8, heads: 2, hidden: 16 }), ['block/1/attention/weights'])
 * const { taps } = layer.apply(layer.init(random.key(0)), evaluation)({ x: zeros([1, 5, 8]) })
 * console.log(taps['block/1/attention/weights']?.shape) // => [1, 2, 5, 5]
 * ```
 */
export const withTaps = <P, I, O>(
  layer: Layer<P, I, O>,
  wanted: readonly string[] | ((path: string) => boolean),
): Layer<P, I, Tapped<O>> => {
  const listed = typeof wanted === 'function' ? undefined : new Set(wanted)
  const isWanted = typeof wanted === 'function' ? wanted : (path: string) => wanted.includes(path)
  return {
    init: layer.init,
    apply: (params, run) => (input) => {
      const taps: Taps = { path: [], wanted: isWanted, found: new Map(), offered: new Set() }
      const inner: Run = { ...run, taps }
      const output = layer.apply(params, inner)(input)
      const missing = [...(listed ?? [])].find((path) => !taps.found.has(path))
      if (missing !== undefined)
        throw new PullbackError({
          tag: 'argument',
          operation: 'withTaps',
          detail: `no layer offers '${missing}', there is ${[...taps.offered].join(', ') || 'nothing'}`,
        })
      return { output, taps: Object.fromEntries(taps.found) }
    },
  }
}
