/** Matrices whose updates are orthogonal: every direction moves alike. */
import {
  add,
  div,
  matmul,
  maximum,
  mul,
  sqrt,
  square,
  sub,
  sum,
  swapAxes,
  tree,
  zerosLike,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { shapeError } from '../../core/error.ts'
import type { Schedule } from '../schedule/index.ts'
import { movingMean } from './adam.ts'
import { addDecayedWeights, scaleByLearningRate } from './scale.ts'
import type { Mask, Stateless, Transform } from './transform.ts'
import { chain, stateless } from './transform.ts'

export interface OrthogonalConfig {
  /** a, b, c of X ← a X + (b A + c A²) X, A = X Xᵀ; 3.4445, -4.775, 2.0315 by default. */
  readonly coefficients?: readonly [number, number, number]
  /** How often; 5 by default. */
  readonly iterations?: number
  /** The least norm that a matrix is divided by; 1e-7 by default. */
  readonly epsilon?: number
}

const matrixSides = (x: Tensor): readonly [rows: number, columns: number] => {
  const [rows, columns] = x.shape.slice(-2)
  if (rows === undefined || columns === undefined)
    throw shapeError(
      'orthogonalise',
      'parameters must be matrices; give the others to another optimizer (grouped)',
      x.shape,
    )
  return [rows, columns]
}

/**
 * About the nearest matrix with orthonormal rows (or columns, whichever are fewer): U Vᵀ of the singular value
 * decomposition U S Vᵀ, but for singular values that come out between 0.7 and 1.2 (Jordan et al. 2024, "Muon"). The
 * matrices are the last two axes.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { orthogonalise } from 'pullback/training'
 * const q = orthogonalise(tensor([[3, 0], [0, 0.5]]))
 * console.log(q) // => float32[2, 2] [[0.713609, 0], [0, 1.04197]]
 * ```
 */
export const orthogonalise = (x: Tensor, config: OrthogonalConfig = {}): Tensor => {
  const { coefficients: [a, b, c] = [3.4445, -4.775, 2.0315], iterations = 5, epsilon = 1e-7 } = config
  const [rows, columns] = matrixSides(x)
  const wide = rows > columns ? swapAxes(x, -1, -2) : x
  const size = sqrt(sum(square(wide), { axis: [-1, -2], keepDims: true }))
  let flat: Tensor = div(wide, maximum(size, epsilon))
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(flat, swapAxes(flat, -1, -2))
    flat = add(mul(flat, a), matmul(add(mul(gram, b), mul(matmul(gram, gram), c)), flat))
  }
  return rows > columns ? swapAxes(flat, -1, -2) : flat
}

export interface MuonMomentumConfig {
  /** What is kept of the mean gradient at each step; 0.95 by default. */
  readonly momentum?: number
  /** Whether the gradient itself is mixed in once more; yes by default. */
  readonly nesterov?: boolean
}

export interface MuonState {
  readonly mean: unknown
}

/**
 * The running mean of gradients, m ← μ m + (1 - μ) g, or (1 - μ) g + μ m of it.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { meanGradient } from 'pullback/training'
 * const optimizer = meanGradient()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.0975, 0.0975], [-0.0975, 0.04875]]
 * ```
 */
export const meanGradient = ({
  momentum = 0.95,
  nesterov = true,
}: MuonMomentumConfig = {}): Transform<MuonState> => ({
  init: (params) => ({ mean: tree.map(zerosLike, params) }),
  update: (gradients, state) => {
    const mean = movingMean(state.mean, gradients, momentum)
    const updates = nesterov
      ? tree.map((g, m) => add(g, mul(sub(m as Tensor, g), momentum)), gradients, mean)
      : tree.map((_, m) => m, gradients, mean)
    return [updates, { mean }]
  },
})

export interface MuonConfig extends OrthogonalConfig, MuonMomentumConfig {
  readonly learningRate: number | Schedule
  /** Decoupled; 0.1 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
  /**
   * How the rate depends on a matrix's sides: √(out / in) where out is more (`original`, the default), or
   * 0.2 √(the longer side), which gives updates the size of AdamW's, so that its rates and decays serve as well.
   */
  readonly adjust?: 'original' | 'matchAdamW'
  /** Which side of a weight is which: `inOut`, by default, as in this library's layers, `outIn` as in PyTorch's. */
  readonly layout?: 'inOut' | 'outIn'
}

const orthogonalUpdates = (config: MuonConfig): Transform<Stateless> =>
  stateless((gradients) =>
    tree.map((g) => {
      const [rows, columns] = matrixSides(g)
      const widening = config.layout === 'outIn' ? rows / columns : columns / rows
      const factor =
        config.adjust === 'matchAdamW'
          ? 0.2 * Math.sqrt(Math.max(rows, columns))
          : Math.sqrt(Math.max(1, widening))
      return mul(orthogonalise(g, config), factor)
    }, gradients),
  )

/**
 * Muon, for the matrices within a network: `torch.optim.Muon` (which iterates in bfloat16; here it is the parameters'
 * dtype). Everything that is no matrix, and embeddings and output layers, go to another optimizer:
 *
 * @example
 * ```ts
 * import { adamW, grouped, muon } from 'pullback/training'
 * const optimizer = grouped(
 *   (path, { shape }) => (shape.length === 2 && !path.includes('embedding') ? 'matrix' : 'other'),
 *   { matrix: muon({ learningRate: 0.02 }), other: adamW({ learningRate: 3e-4 }) },
 * )
 * console.log(Object.keys(optimizer)) // => [ 'init', 'update' ]
 * ```
 */
export const muon = (config: MuonConfig): Transform =>
  chain(
    meanGradient(config),
    orthogonalUpdates(config),
    addDecayedWeights(config.weightDecay ?? 0.1, config.mask),
    scaleByLearningRate(config.learningRate),
  )
