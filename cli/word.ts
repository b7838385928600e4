/** Numbers in words, as the command line tells them. */

/** `1,234` */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US')

/** `3 files`, `1 file` */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`

/** `1.35 million`, `820,000` */
export const large = (n: number): string => (n >= 1e6 ? `${(n / 1e6).toFixed(2)} million` : count(n))

/** `2 min 5 s`, `12 s`, `0.4 s` */
export const duration = (seconds: number): string => {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** `61.5 %` */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** `12.3 MB` */
export const bytes = (n: number): string => `${(n / 1e6).toFixed(1)} MB`

/** A text on one line of at most so many characters. */
export const short = (text: string, most: number): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`
}

/** A short text as one word of a command to try. */
export const quoted = (text: string): string => `"${short(text.replace(/["\\$`]/g, ''), 60)}"`

/** Rows as aligned columns; the first column to the left, the others to the right. */
export const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
