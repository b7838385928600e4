/**
 * Work for the device, in the order in which it is asked for. Most is done at once; what has to wait for an answer of
 * the device, such as the truth value that ends a loop, makes all that comes after it wait too.
 */
export interface Line {
  /** Whether work waits, so that what is given to `add` will be done later. */
  readonly waits: () => boolean
  /** Does the work now, or when it is its turn. */
  readonly add: (work: () => void) => void
  /** Work that takes a while. */
  readonly addLong: (work: () => Promise<void>) => void
  /** Does the work when it is its turn, and resolves to what it gives. */
  readonly turn: <A>(work: () => A) => Promise<A>
}

/** `failed` is told of what long work, and what waited for it, throws. */
export const lineOfWork = (failed: (error: unknown) => void): Line => {
  let tail: Promise<void> | undefined
  const append = (work: () => void | Promise<void>): void => {
    const own: Promise<void> = (tail ?? Promise.resolve()).then(work).catch(failed)
    tail = own
    void own.then(() => {
      if (tail === own) tail = undefined
    })
  }
  const add = (work: () => void): void => {
    if (tail === undefined) work()
    else append(work)
  }
  return {
    waits: () => tail !== undefined,
    add,
    addLong: append,
    turn: (work) =>
      new Promise((resolve, reject) =>
        add(() => {
          try {
            resolve(work())
          } catch (error) {
            reject(error as Error)
          }
        }),
      ),
  }
}
