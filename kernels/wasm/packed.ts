/**
 * Packed columns that stay in a thread's scratch memory from one part of a launch to its next: a note beside them
 * tells which columns they are, and of which launch, so that small parts pack no more than large ones.
 */
import type { Code } from './code/index.ts'
import { choose, get, globalGet, i32 } from './code/index.ts'
import { partBits, words } from './control.ts'
import type { Emitter } from './emitter.ts'
import { beginParameter, blockParameter, endParameter } from './kernel.ts'
import { packedNoteAt } from './scratch.ts'

/** The number of the launch that threads share now. */
const launchNumber: Code = i32.shrU(i32.load(i32.const(4 * words.claim)), i32.const(partBits))

/** The columns that are packed when a part begins, -1 if none: a launch that is run as a whole knows of nothing. */
export const packedBefore = (e: Emitter, units: number): Code => {
  const note = e.keep(i32.add(globalGet(0), i32.const(packedNoteAt)), 'i32')
  const part = i32.ltU(i32.sub(get(endParameter), get(beginParameter)), i32.const(units))
  const same = i32.and(i32.eq(i32.load(note), launchNumber), i32.eq(i32.load(note, 4), get(blockParameter)))
  return choose(i32.and(part, same), i32.load(note, 8), i32.const(-1))
}

/** Notes what is packed when a part ends. */
export const rememberPacked = (e: Emitter, packed: Code): void => {
  const note = e.keep(i32.add(globalGet(0), i32.const(packedNoteAt)), 'i32')
  e.push(i32.store(note, launchNumber), i32.store(note, get(blockParameter), 4), i32.store(note, packed, 8))
}

/** For kernels that use the memory of packed columns for something else. */
export const forgetPacked = (e: Emitter): void =>
  e.push(i32.store(i32.add(globalGet(0), i32.const(packedNoteAt)), i32.const(0), 4))
