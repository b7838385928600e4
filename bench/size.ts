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

/** `S` and `M` are measured everywhere, `L` on GPUs; `X` is there to try the programs that measure. */
export const loads: Readonly<Record<'X' | 'S' | 'M' | 'L', Load>> = {
  X: { vocabulary: 32, width: 32, layers: 1, heads: 2, hidden: 64, time: 16, batch: 2 },
  S: { vocabulary: 96, width: 128, layers: 4, heads: 4, hidden: 512, time: 128, batch: 8 },
  M: { vocabulary: 8192, width: 256, layers: 6, heads: 8, hidden: 1024, time: 256, batch: 4 },
  L: { vocabulary: 50257, width: 768, layers: 12, heads: 12, hidden: 3072, time: 512, batch: 4 },
}

export type LoadName = keyof typeof loads

/** A GPT-2 that writes: how large it is, what it is given, and how many tokens it writes. */
export interface Writer {
  readonly vocabulary: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly positions: number
  /** Tokens of the prompt, and tokens that are written. */
  readonly prompt: number
  readonly tokens: number
}

/** `small` is the small GPT-2; `X` is there to try the programs that measure. */
export const writers: Readonly<Record<'X' | 'small', Writer>> = {
  X: { vocabulary: 97, width: 32, layers: 2, heads: 2, positions: 64, prompt: 5, tokens: 8 },
  small: { vocabulary: 50257, width: 768, layers: 12, heads: 12, positions: 1024, prompt: 32, tokens: 64 },
}

export type WriterName = keyof typeof writers

/** The prompt of a writer: ids that look random and are the same every time. */
export const promptOf = ({ vocabulary, prompt }: Writer): readonly number[] =>
  Array.from({ length: prompt }, (_, i) => (Math.imul(i + 1, 2654435761 | 0) >>> 8) % vocabulary)
