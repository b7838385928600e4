/**
 * A program is plain data: typed buffers and an ordered list of launches with static shapes.
 *
 * Every launch reads its operands through strided views, so transposing, slicing, broadcasting and reversing
 * cost nothing, and writes through strided targets, so concatenating and padding are launches into parts of
 * one buffer. Positions are row-major; strides and offsets count elements, not bytes.
 */
import type { Dtype } from '../dtype.ts'
import type { Step } from './control.ts'
import type { BufferId } from './view.ts'

export interface BufferSpec {
  readonly dtype: Dtype
  /** Number of elements. */
  readonly size: number
}

export interface Program {
  readonly buffers: readonly BufferSpec[]
  /** The buffers that hold the arguments, in order. A launch never writes one that is not donated. */
  readonly inputs: readonly BufferId[]
  /** The buffers returned, in order. A buffer may be returned twice; an input may be returned. */
  readonly outputs: readonly BufferId[]
  /** Positions in `inputs` whose memory the program may take over. */
  readonly donated: readonly number[]
  readonly launches: readonly Step[]
}
