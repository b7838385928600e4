/** What can be told of launches without running them. */
import type { Control, Launch, Program, Step } from '../program/index.ts'
import { flatLaunches, insideOf, isControl } from '../program/index.ts'
import { flopsOf, overLaunches } from '../plan/index.ts'
import { trafficOf } from './traffic.ts'

/** What is known of a launch before it runs. */
export interface LaunchFact {
  /** Launches of the same work have the same name: `matmul 1024×256×768: add`. */
  readonly name: string
  readonly kind: Step['kind']
  readonly flops: number
  /** Bytes of distinct elements that it reads and writes. */
  readonly bytes: number
}

const times = (shape: readonly number[]): string => (shape.length === 0 ? '1' : shape.join('×'))

/** The different operations of a body, in order of appearance. */
const operationsOf = (body: readonly { readonly op: string }[]): string =>
  [...new Set(body.map(({ op }) => op))]
    .filter((op) => op !== 'read' && op !== 'fold' && op !== 'constant')
    .join(' ')

const withOperations = (name: string, body: readonly { readonly op: string }[]): string => {
  const operations = operationsOf(body)
  return operations === '' ? name : `${name}: ${operations}`
}

/** A launch in a few words: what it does over which shape. */
export const launchName = (launch: Launch): string => {
  switch (launch.kind) {
    case 'map':
      return withOperations(`map ${times(launch.shape)}`, launch.body)
    case 'reduce': {
      const folds = launch.folds.map(({ op }) => op).join(' ')
      return withOperations(
        `reduce ${times(launch.outer)} of ${times(launch.inner)} by ${folds || 'nothing'}`,
        launch.body,
      )
    }
    case 'matmul': {
      const { batch, rows, inner, columns, body } = launch
      const lead = batch.length === 0 ? '' : `${times(batch)} of `
      return withOperations(`matmul ${lead}${rows}×${inner}×${columns}`, body)
    }
    case 'scatter':
      return withOperations(`scatter ${launch.op} ${times(launch.shape)}`, launch.body)
    case 'sort':
      return `sort ${times([...launch.outer, launch.length])}`
    case 'scan':
      return `scan ${launch.op} ${times([...launch.outer, launch.length])}`
    case 'attention':
    case 'attentionGradient': {
      const { kind, batch, queries, keys, width, causal } = launch
      const name = kind === 'attention' ? 'attention' : 'attention gradient'
      return `${name} ${times([...batch, queries])} to ${keys} of ${width}${causal === undefined ? '' : ', causal'}`
    }
    case 'custom':
      return `custom ${launch.size}`
  }
}

const controlName = (control: Control): string => {
  const inside = `${flatLaunches(insideOf(control)).length} launches`
  if (control.kind === 'loop') return `loop ${control.count} × ${inside}`
  return control.kind === 'while' ? `while ${inside}` : `when ${control.value}: ${inside}`
}

/**
 * What can be told of every launch of a program without running it.
 *
 * @example
 * ```ts
 * import { launchFacts } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * console.log(launchFacts(program)[0]) // => { name: 'map 3: add', kind: 'map', flops: 3, bytes: 24 }
 * ```
 */
export const launchFacts = (program: Program): readonly LaunchFact[] =>
  program.launches.map((step) => ({
    name: isControl(step) ? controlName(step) : launchName(step),
    kind: step.kind,
    flops: overLaunches([step], flopsOf),
    bytes: overLaunches([step], (launch) => trafficOf(program, launch)),
  }))
