/**
 * Programming mistakes: one tagged record, rendered in one place. Refusals of outside input are not errors
 * but `Either` lefts.
 */
export type Fault =
  | {
      readonly tag: 'shape'
      readonly operation: string
      readonly detail: string
      readonly shapes: readonly (readonly number[])[]
    }
  | {
      readonly tag: 'dtype'
      readonly operation: string
      readonly detail: string
      readonly dtypes: readonly string[]
    }
  | { readonly tag: 'argument'; readonly operation: string; readonly detail: string }
  | { readonly tag: 'donated'; readonly operation: string; readonly detail: string }
  | { readonly tag: 'escaped'; readonly operation: string; readonly detail: string }
  | { readonly tag: 'engine'; readonly operation: string; readonly detail: string }

export const renderShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`

const render = (fault: Fault): string => {
  switch (fault.tag) {
    case 'shape':
      return `${fault.operation}: ${fault.detail}${list(fault.shapes.map(renderShape))}`
    case 'dtype':
      return `${fault.operation}: ${fault.detail}${list(fault.dtypes)}`
    default:
      return `${fault.operation}: ${fault.detail}`
  }
}

const list = (items: readonly string[]): string =>
  items.length === 0 ? '' : `, got ${items.length < 3 ? items.join(' and ') : items.join(', ')}`

/** What a programming mistake throws: `fault` says what, `path` where in the model, outermost part first. */
export class PullbackError extends Error {
  readonly fault: Fault
  readonly path: readonly string[]

  constructor(fault: Fault, path: readonly string[] = []) {
    super(path.length === 0 ? render(fault) : `${render(fault)}, in ${path.join('/')}`)
    this.name = 'PullbackError'
    this.fault = fault
    this.path = path
  }
}

export const shapeError = (
  operation: string,
  detail: string,
  ...shapes: readonly (readonly number[])[]
): PullbackError => new PullbackError({ tag: 'shape', operation, detail, shapes })

export const dtypeError = (operation: string, detail: string, ...dtypes: readonly string[]): PullbackError =>
  new PullbackError({ tag: 'dtype', operation, detail, dtypes })

export const argumentError = (operation: string, detail: string): PullbackError =>
  new PullbackError({ tag: 'argument', operation, detail })

/** What a value is, in a word or two, for a refusal: `undefined`, `an array of 3`, `a Float32Array`, `a record`. */
export const describe = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') {
    const name = value.constructor?.name ?? 'Object'
    return name === 'Object' ? 'a record' : `a ${name}`
  }
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : `a ${typeof value}`
}

/**
 * Refuses options that are no record, and such as nobody asked for: a misspelt one would be left out without a word.
 */
export const checkOptions = (operation: string, options: unknown, known: readonly string[]): void => {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw argumentError(operation, `options are a record, { ${known.join(', ')} }, got ${describe(options)}`)
  for (const name in options)
    if (!known.includes(name))
      throw argumentError(operation, `there is no option '${name}', there is ${known.join(', ')}`)
}

/** A tracer is used when its transformation has ended; `done` says what was being done with its function. */
export const escapedError = (operation: string, done: string): PullbackError =>
  new PullbackError({
    tag: 'escaped',
    operation,
    detail: `an argument was made while a function was ${done} that has ended, so it stands for no value any more; return it from that function (as an auxiliary output, say) instead of storing it in a variable outside`,
  })

/**
 * Runs `f`; a mistake inside is told with `part` in front of its path.
 *
 * @example
 * ```ts
 * import { matmul, within, zeros } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const layer = (x: Tensor): Tensor => within('encoder', () => matmul(x, zeros([3, 2])))
 * try {
 *   layer(zeros([1, 4]))
 * } catch (error) {
 *   console.log((error as Error).message.includes('encoder')) // => true
 * }
 * ```
 */
export const within = <A>(part: string, f: () => A): A => {
  try {
    return f()
  } catch (error) {
    if (error instanceof PullbackError) throw new PullbackError(error.fault, [part, ...error.path])
    throw error
  }
}
