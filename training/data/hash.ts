/** Hashes of texts: for finding duplicates and for choices that a seed decides. Not for secrets. */

/** MurmurHash3's finaliser: every bit of the input reaches every bit of the result. */
export const mix = (x: number): number => {
  let h = x | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits of a text (FNV-1a over its UTF-16 units, then mixed). */
export const hash32 = (text: string, seed = 0): number => {
  let h = 0x811c9dc5 ^ mix(seed)
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h)
}

/** Whether a UTF-16 unit is a letter; beyond ASCII by Unicode's table, outside of the basic plane never. */
export const isLetter = (code: number): boolean =>
  code < 128
    ? (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
    : (code < 0xd800 || code >= 0xe000) && /\p{L}/u.test(String.fromCharCode(code))

/** The hashes of a text's words, whatever their case. */
export const wordHashes = (text: string): readonly number[] => {
  const found: number[] = []
  let h = 0
  let inWord = false
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32
    if (isLetter(code)) {
      const lower = code < 91 ? code + 32 : code
      h = Math.imul((inWord ? h : 0x811c9dc5) ^ lower, 0x01000193)
      inWord = true
    } else if (inWord) {
      found.push(mix(h))
      inWord = false
    }
  }
  return found
}
