/** Finding all matches of a regular expression. */

/**
 * Calls `found(start, end)` for every match, from left to right. An empty match
 * right behind a match does not count, as in Rust and Oniguruma.
 */
export type Finder = (text: string, found: (start: number, end: number) => void) => void

/** Finds the matches of an expression given by its source. */
export const finder = (source: string): Finder => {
  const sticky = new RegExp(source, 'uy')
  const global = new RegExp(source, 'gu')
  return (text, found) => {
    let at = 0
    let before = -1
    while (at <= text.length) {
      // most expressions cover the text without gaps, and `test` makes no array
      sticky.lastIndex = at
      let start = at
      let end: number
      if (sticky.test(text)) end = sticky.lastIndex
      else {
        global.lastIndex = at
        const match = global.exec(text)
        if (match === null) return
        start = match.index
        end = global.lastIndex
      }
      if (end > start || start !== before) found(start, end)
      before = end
      at = end > start ? end : end + (isPair(text, end) ? 2 : 1)
    }
  }
}

const isPair = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit <= 0xdbff
}
