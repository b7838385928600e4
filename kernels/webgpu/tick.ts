/**
 * Dawn in Node asks whether anything has happened by calling `setImmediate` over and over for as long as a
 * device exists: a core would never rest and a program never end. So whenever Dawn is called, which is here
 * alone, it is given another `setImmediate`, which asks often while somebody waits for an answer, and else
 * rarely and without keeping the process alive.
 */
export interface Ticker {
  /** Calls Dawn, and waits for its answer. */
  readonly awaited: <A>(call: () => Promise<A>) => Promise<A>
  /** Calls Dawn, whose answer may take its time. */
  readonly called: <A>(call: () => A) => A
}

/** Milliseconds between questions while nobody waits. */
const rare = 50

const inNode = (): Ticker => {
  let waiting = 0
  let question: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const ask = (): void => {
    const now = question
    question = undefined
    clearTimeout(timer)
    timer = undefined
    if (now !== undefined) called(now)
  }
  const schedule = (): void => {
    if (waiting > 0) setImmediate(ask)
    else timer = setTimeout(ask, rare).unref()
  }
  const called = <A>(call: () => A): A => {
    const own = globalThis.setImmediate
    let asked: (() => void) | undefined
    globalThis.setImmediate = ((next: () => void) => void (asked = next)) as unknown as typeof setImmediate
    try {
      return call()
    } finally {
      globalThis.setImmediate = own
      if (asked !== undefined) {
        question = asked
        schedule()
      }
    }
  }
  const awaited = async <A>(call: () => Promise<A>): Promise<A> => {
    waiting++
    try {
      const answer = called(call)
      // A question that was to be asked rarely is asked now.
      if (timer !== undefined) {
        clearTimeout(timer)
        timer = undefined
        setImmediate(ask)
      }
      return await answer
    } finally {
      waiting--
    }
  }
  return { awaited, called }
}

/** Where answers come by themselves. */
const inBrowser: Ticker = { awaited: (call) => call(), called: (call) => call() }

export const tickerFor = (throughDawn: boolean): Ticker => (throughDawn ? inNode() : inBrowser)
