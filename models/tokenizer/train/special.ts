/** What trainers write for special tokens. */
import type { AddedToken } from '../added.ts'

/** A special token: found as it stands, and left out when decoding. */
export const specialToken = (id: number, content: string): AddedToken => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
})
