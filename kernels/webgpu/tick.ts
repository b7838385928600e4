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

/** Who has waited for so many milliseconds waits one more without asking, and leaves the core to others meanwhile. */
const patient = 100

const inNode = (): Ticker => {
  let waiting = 0
  /** When the last wait began. */
  let since = 0
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
    const patience = Math.min(rare, (performance.now() - since) / patient)
    if (waiting === 0) timer = setTimeout(ask, rare).unref()
    else if (patience >= 1) timer = setTimeout(ask, patience)
    else setImmediate(ask)
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
    since = performance.now()
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
