/**
 * Learning at once which objects are garbage. A FinalizationRegistry tells it only between tasks, which a
 * long synchronous loop never reaches, and a garbage collector knows nothing of how much WebAssembly memory
 * hangs on a small handle.
 */

/** After a call, weak references to garbage are empty. `undefined` where the runtime offers no way. */
export type Collect = (() => void) | undefined

/**
 * In Node: a full collection, after the objects that weak references keep alive until the end of the current
 * job (ECMAScript, ClearKeptObjects) have been let go of, which happens when a context's own microtasks end.
 */
export const makeCollect = (): Collect => {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined
  try {
    const v8 = process.getBuiltinModule('node:v8')
    const vm = process.getBuiltinModule('node:vm')
    v8.setFlagsFromString('--expose-gc')
    const gc = vm.runInNewContext('gc') as unknown
    v8.setFlagsFromString('--no-expose-gc')
    if (typeof gc !== 'function') return undefined
    const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' })
    const script = new vm.Script('0')
    return () => {
      script.runInContext(context)
      gc()
    }
  } catch {
    return undefined
  }
}
