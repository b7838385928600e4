import type { Graph } from '../../graph.ts'
import type { Cut, Tensors } from '../body.ts'

export interface ScanParams extends Cut {
  /** [...constants, ...carry, ...slices] → [...carry, ...results]. */
  readonly body: Graph
  readonly length: number
  /** Whether steps go from the last slice to the first. */
  readonly reverse: boolean
}

/** The primitive, as its rules use it. */
export type Scan = (inputs: Tensors, params: ScanParams) => Tensors
