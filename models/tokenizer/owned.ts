/** Texts of their own. */

/**
 * A copy of `text` that holds on to no other: what is cut from a text may keep all of it in memory, and a word
 * that is remembered would then hold its whole document.
 */
export const owned = (text: string): string => {
  if (text.length < 12) return text
  const units = new Array<number>(text.length)
  for (let i = 0; i < units.length; i++) units[i] = text.charCodeAt(i)
  return String.fromCharCode(...units)
}
