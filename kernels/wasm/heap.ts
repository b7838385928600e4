/** Memory management inside one WebAssembly memory: small sizes in bins, large ones first fit by address. */
import { roundUp } from '../round.ts'

export interface Heap {
  /** The address of `bytes` bytes, a multiple of 64. Throws, with the numbers, when there is no room. */
  readonly allocate: (bytes: number) => number
  /** Gives back what `allocate` gave for the same number of bytes. */
  readonly free: (address: number, bytes: number) => void
}

const unit = 64
const slabBytes = 65536
const largestSmall = 2048

export const inMegabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

/**
 * A heap from `start` to `end` bytes, where `grow` makes more room and returns the new end, or `undefined`
 * when `wanted` bytes are more than there can be. The last bytes stay free, so that vectors may be read
 * beyond the end of a buffer.
 */
export const heap = (start: number, end: number, grow: (wanted: number) => number | undefined): Heap => {
  const bins: number[][] = []
  /** Free ranges by address: where each begins and ends. */
  const begins: number[] = []
  const ends: number[] = []
  let top = end - unit
  let used = 0

  const insert = (begin: number, stop: number): void => {
    let low = 0
    let high = begins.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((begins[middle] as number) < begin) low = middle + 1
      else high = middle
    }
    const joinsBefore = low > 0 && ends[low - 1] === begin
    const joinsAfter = begins[low] === stop
    if (joinsBefore && joinsAfter) {
      ends[low - 1] = ends[low] as number
      begins.splice(low, 1)
      ends.splice(low, 1)
    } else if (joinsBefore) ends[low - 1] = stop
    else if (joinsAfter) begins[low] = begin
    else {
      begins.splice(low, 0, begin)
      ends.splice(low, 0, stop)
    }
  }
  insert(roundUp(start, unit), top)

  const take = (bytes: number): number | undefined => {
    for (let i = 0; i < begins.length; i++) {
      const begin = begins[i] as number
      if ((ends[i] as number) - begin < bytes) continue
      if (begin + bytes === ends[i]) {
        begins.splice(i, 1)
        ends.splice(i, 1)
      } else begins[i] = begin + bytes
      return begin
    }
    return undefined
  }

  const large = (bytes: number): number => {
    const found = take(bytes)
    if (found !== undefined) return found
    const missing = bytes - (ends.at(-1) === top ? top - (begins.at(-1) as number) : 0)
    const grown = grow(top + unit + missing)
    if (grown === undefined)
      throw new Error(
        `out of memory: ${inMegabytes(bytes)} more are needed where ${inMegabytes(used)} are in use; ` +
          `a WebAssembly memory holds at most ${inMegabytes(2 ** 32)}`,
      )
    insert(top, grown - unit)
    top = grown - unit
    return take(bytes) as number
  }

  const small = (bytes: number): number => {
    const bin = (bins[bytes / unit] ??= [])
    const found = bin.pop()
    if (found !== undefined) return found
    const slab = large(slabBytes)
    for (let at = slab + bytes; at + bytes <= slab + slabBytes; at += bytes) bin.push(at)
    bin.reverse()
    return slab
  }

  return {
    allocate: (bytes) => {
      const rounded = roundUp(Math.max(bytes, 1), unit)
      const address = rounded <= largestSmall ? small(rounded) : large(rounded)
      used += rounded
      return address
    },
    free: (address, bytes) => {
      const rounded = roundUp(Math.max(bytes, 1), unit)
      used -= rounded
      if (rounded <= largestSmall) (bins[rounded / unit] ??= []).push(address)
      else insert(address, address + rounded)
    },
  }
}
