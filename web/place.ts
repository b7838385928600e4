/** Where in a typed function something went wrong. */
import type { Place } from './message.ts'

/** The name under which engines of JavaScript know the function. */
const file = 'typed-function.js'

/** Behind a compiled text: what it is called where stacks are told. */
export const named: string = `\n//# sourceURL=${file}`

/** An error that is known to belong to a place of the typed text. */
export class PlacedError extends Error {
  readonly place: Place | undefined

  constructor(message: string, place: Place | undefined) {
    super(message)
    this.place = place
  }
}

/** The place at which an error left the typed function, whose text begins `before` lines down in what was compiled. */
export const placeOf = (error: unknown, before: number): Place | undefined => {
  if (!(error instanceof Error)) return undefined
  const found = new RegExp(`${file}:(\\d+):(\\d+)`).exec(error.stack ?? '')
  if (found === null) return undefined
  const line = Number(found[1]) - before
  return line < 1 ? undefined : { line, column: Number(found[2]) }
}

/**
 * Whether a text is an expression, and where it is none. Only the loading of a script tells the place of an error of
 * syntax, so one is loaded, in a worker of its own, and the expression stands in it where nothing evaluates it.
 */
export const syntaxError = (source: string): Promise<PlacedError | undefined> =>
  new Promise((done) => {
    const opening = 'const f = () => ('
    const url = URL.createObjectURL(
      new Blob([`'use strict';${opening}${source}\n)\npostMessage('fine')`], { type: 'text/javascript' }),
    )
    const end = (error: PlacedError | undefined): void => {
      worker.terminate()
      URL.revokeObjectURL(url)
      done(error)
    }
    const worker = new Worker(url)
    worker.onmessage = () => end(undefined)
    worker.onerror = (event) => {
      event.preventDefault()
      const { message, lineno, colno } = event
      const lines = source.split('\n')
      const first = lineno === 1 ? `'use strict';${opening}`.length : 0
      const beyond = lineno > lines.length
      const place = beyond
        ? { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
        : { line: lineno, column: Math.max(1, colno - first) }
      const text = (message ?? 'this cannot be read').replace(/^Uncaught (SyntaxError: )?/, '')
      end(new PlacedError(beyond ? 'a bracket is missing, or there is one too many' : text, place))
    }
  })
