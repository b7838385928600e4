/** Which memory a program's results stand in, and what becomes of its arguments: the same for engines that plan. */
import type { Dtype } from './dtype.ts'
import type { BufferId, BufferSpec, Program } from './program/index.ts'

/** A result: a new memory, or that of the argument at position `from`, itself or taken over. */
export interface Returned {
  readonly id: BufferId
  readonly dtype: Dtype
  readonly size: number
  readonly from: number | undefined
  readonly takes: boolean
}

export interface Handover {
  /** The distinct buffers that are returned. */
  readonly returned: readonly Returned[]
  /** For each output of the program, which of them it is. */
  readonly order: readonly number[]
  /** Positions of donated arguments that no result takes over: their memory goes when the program has run. */
  readonly ending: readonly number[]
}

/** Where a buffer stands, as far as it matters here. */
type Place = { readonly kind: string; readonly position?: number } | undefined

export const handoverOf = (
  { buffers, inputs, outputs, donated }: Program,
  places: readonly Place[],
): Handover => {
  const distinct = [...new Set(outputs)]
  const returned = distinct.map((id): Returned => {
    const { dtype, size } = buffers[id] as BufferSpec
    const place = places[id]
    return { id, dtype, size, from: place?.position, takes: place?.kind === 'donated' }
  })
  const taken = new Set(returned.flatMap(({ from, takes }) => (takes ? [from] : [])))
  return {
    returned,
    order: outputs.map((id) => distinct.indexOf(id)),
    ending: donated.filter(
      (position) => !taken.has(position) && !outputs.includes(inputs[position] as BufferId),
    ),
  }
}

/** Donated memory that is another argument too must not be written to: the program gets a copy of it. */
export const apart = <M>(
  donated: readonly number[],
  given: readonly M[],
  copy: (memory: M) => M,
): readonly M[] => {
  if (donated.length === 0 || new Set(given).size === given.length) return given
  const own = [...given]
  for (const position of donated) {
    const memory = own[position] as M
    if (own.indexOf(memory) !== own.lastIndexOf(memory)) own[position] = copy(memory)
  }
  return own
}
