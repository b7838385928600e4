/** Counts an engine's memories that are alive, so that freedom from leaks can be a law. */
export interface Ledger<M extends object> {
  readonly add: (memory: M, bytes: number, free?: () => void) => M
  readonly remove: (memory: M) => void
  readonly live: () => { readonly bytes: number; readonly count: number }
}

interface Entry {
  readonly bytes: number
  readonly free: (() => void) | undefined
  open: boolean
}

/**
 * A ledger whose entries close when `remove` is called or when the memory has been collected; either way
 * `free` is called once.
 *
 * @example
 * ```ts
 * import { ledger } from 'pullback/kernels'
 * const held = ledger<{ readonly name: string }>()
 * console.log(Object.keys(held)) // => ['add', 'remove', 'live']
 * ```
 */
export const ledger = <M extends object>(): Ledger<M> => {
  let bytes = 0
  let count = 0
  const entries = new WeakMap<M, Entry>()
  const close = (entry: Entry): void => {
    if (!entry.open) return
    entry.open = false
    bytes -= entry.bytes
    count--
    entry.free?.()
  }
  const registry = new FinalizationRegistry<Entry>(close)
  return {
    add: (memory, size, free) => {
      const entry: Entry = { bytes: size, free, open: true }
      bytes += size
      count++
      entries.set(memory, entry)
      registry.register(memory, entry)
      return memory
    },
    remove: (memory) => {
      const entry = entries.get(memory)
      if (entry !== undefined) close(entry)
    },
    live: () => ({ bytes, count }),
  }
}
