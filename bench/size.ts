/** Sizes of the reference loads, for ourselves and for peers. */

/** Pre-norm blocks, GELU by tanh, learned positions, an untied head, AdamW. */
export interface Load {
  readonly vocabulary: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly time: number
  readonly batch: number
}

/** `S` and `M` are measured everywhere; `X` is there to try the programs that measure. */
export const loads: Readonly<Record<'X' | 'S' | 'M', Load>> = {
  X: { vocabulary: 32, width: 32, layers: 1, heads: 2, hidden: 64, time: 16, batch: 2 },
  S: { vocabulary: 96, width: 128, layers: 4, heads: 4, hidden: 512, time: 128, batch: 8 },
  M: { vocabulary: 8192, width: 256, layers: 6, heads: 8, hidden: 1024, time: 256, batch: 4 },
}

export type LoadName = keyof typeof loads
