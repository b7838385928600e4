/** Windows of texts that are larger than what is asked for. */

/** The length of a window, in characters. */
export const windowLength: number = 2 ** 17

/** Whether the unit at `at` is the second half of a character beyond the basic plane. */
const isHalf = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** The line end within a window's length from `at`, or `at` itself where lines are longer than that. */
const cutNear = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  if (end >= 0 && end - at < windowLength) return end
  return isHalf(text, at) ? at + 1 : at
}

/** At most about `longest` characters of a text: pieces spread evenly over it, cut at line ends where there are some. */
export const sampleText = (text: string, longest: number): string => {
  if (text.length <= longest) return text
  const pieces = Math.ceil(longest / windowLength)
  const windows: string[] = []
  for (let i = 0, done = 0; i < pieces; i++) {
    const start = Math.floor((i * text.length) / pieces)
    // not what the piece before has already
    const from = Math.max(done, start === 0 ? 0 : cutNear(text, start))
    done = cutNear(text, from + windowLength)
    windows.push(text.slice(from, done))
  }
  return windows.join('\n\n')
}
