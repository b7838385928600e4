/** The shapes of matrix products that are measured, and how often, for every peer. */
import type { Turns } from './clock.ts'
import { usualTurns } from './clock.ts'

export interface MatmulShape {
  readonly batch: number
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

const shape = (batch: number, rows: number, inner: number, columns: number): MatmulShape => ({
  batch,
  rows,
  inner,
  columns,
})

const matmulShapes: readonly MatmulShape[] = [
  shape(1, 128, 128, 128),
  shape(1, 256, 256, 256),
  shape(1, 512, 512, 512),
  shape(1, 1024, 1024, 1024),
  shape(1, 1024, 256, 1024),
  shape(1, 1024, 128, 512),
  shape(1, 1024, 256, 8192),
  shape(32, 128, 64, 128),
  shape(32, 128, 128, 64),
]

/** Which shapes are measured: on a GPU larger ones too, and in software few. */
export type ShapeSet = '-' | 'gpu' | 'software'

export const shapesOf = (set: string): readonly MatmulShape[] => {
  if (set === 'software') return [128, 256, 1024, 2048].map((n) => shape(1, n, n, n))
  return set === 'gpu'
    ? [...matmulShapes, shape(1, 2048, 2048, 2048), shape(1, 4096, 4096, 4096)]
    : matmulShapes
}

export interface Pace {
  /** Products that are queued before one is waited for: on a device, waiting costs more than a small product. */
  readonly queued: number
  readonly turns: Turns
}

/** In software a product may take ten seconds. */
export const paceOf = (set: string, onDevice: boolean): Pace =>
  set === 'software'
    ? { queued: 1, turns: { warm: 1, turns: 3, milliseconds: 500 } }
    : { queued: onDevice ? 10 : 1, turns: usualTurns }

export const nameOf = ({ batch, rows, inner, columns }: MatmulShape): string =>
  `${batch === 1 ? '' : `${batch}×`}[${rows}×${inner}×${columns}]`
