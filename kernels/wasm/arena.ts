import type { Runtime } from './runtime.ts'
import type { Store } from './store.ts'

/** Memory for the temporaries of whatever program runs: programs run one after the other. */
export interface Arena {
  /** Its address, with room for as many bytes at least. */
  readonly reserve: (bytes: number) => number
}

export const arena = (store: Store, { heap }: Runtime): Arena => {
  let address = 0
  let held = 0
  return {
    reserve: (bytes) => {
      if (bytes <= held) return address
      if (held > 0) heap.free(address, held)
      held = 0
      address = store.reserve(bytes)
      held = bytes
      return address
    },
  }
}
