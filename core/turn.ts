/** Turns of the event loop. */

/**
 * Lets timers, signals and messages have their turn; awaiting what is finished already would not, however often. No
 * timer: in pages those wait for milliseconds.
 */
export const nextTurn = (): Promise<void> =>
  new Promise((done) => {
    if (typeof setImmediate === 'function') {
      setImmediate(done)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(undefined)
  })
