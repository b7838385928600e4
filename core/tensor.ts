import type { Dtype, Engine, Memory } from '../kernels/index.ts'
import { PullbackError, argumentError, describe, renderShape } from './error.ts'
import type { Shape } from './shape.ts'
import { showNumbers } from './show.ts'

/** The shape and dtype of a value, all that tracing knows of it. */
export interface Aval {
  readonly shape: Shape
  readonly dtype: Dtype
}

/**
 * An immutable array of numbers with a static shape. Three kinds stand behind it: concrete tensors in an
 * engine's memory, scalar literals, and tracers that stand for a value while a function is transformed.
 */
export abstract class Tensor<S extends Shape = Shape, D extends Dtype = Dtype> implements Aval {
  readonly shape: Readonly<S>
  readonly dtype: D

  constructor(shape: S, dtype: D) {
    this.shape = shape
    this.dtype = dtype
  }

  toString(): string {
    return `${this.dtype}${renderShape(this.shape)}`
  }

  /** What `console.log` shows: dtype, shape and, where they can be read at once, the numbers. */
  protected shown(): string {
    return this.toString()
  }

  static {
    const value = function (this: Tensor): string {
      return this.shown()
    }
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), { value })
  }

  /** JavaScript's operators would make NaN of a tensor, and false of a comparison, without a word. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'number')
      throw new PullbackError({
        tag: 'argument',
        operation: 'an operator of JavaScript',
        detail: `it works on numbers, and this is ${this.toString()}; use a function (greater(x, 0), mul(x, 2)), or the number in it, item(x)`,
      })
    return this.toString()
  }
}

/** A tensor whose numbers are in an engine's memory. */
export class Concrete<S extends Shape = Shape, D extends Dtype = Dtype> extends Tensor<S, D> {
  readonly engine: Engine
  #memory: Memory | undefined

  constructor(shape: S, dtype: D, engine: Engine, memory: Memory) {
    super(shape, dtype)
    this.engine = engine
    this.#memory = memory
  }

  /** The memory; an error when it was donated. */
  memory(operation: string): Memory {
    if (this.#memory === undefined)
      throw new PullbackError({
        tag: 'donated',
        operation,
        detail: `this ${this.toString()} was donated to a compiled function, which took over its memory; use what that function returned, or do not donate it`,
      })
    return this.#memory
  }

  protected override shown(): string {
    if (this.#memory === undefined) return `${this.toString()} (donated)`
    if (this.engine.readSync === undefined) return `${this.toString()} (on ${this.engine.name})`
    const numbers = showNumbers(this.engine.readSync(this.#memory), this.shape, this.dtype)
    return `${this.toString()}${numbers.includes('\n') ? '\n' : ' '}${numbers}`
  }

  /** Gives the memory away; the tensor cannot be used afterwards. */
  donate(): void {
    this.#memory = undefined
  }
}

/** A scalar that is known while tracing and belongs to no engine. */
export class Literal<D extends Dtype = Dtype> extends Tensor<readonly [], D> {
  readonly value: number

  constructor(value: number, dtype: D) {
    super([], dtype)
    // Anything else that came past the types would be a NaN far from here.
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw argumentError(
        'an operand',
        `it must be a tensor or a number, got ${describe(value)}; tensor(…) and fromArray(…) make tensors`,
      )
    this.value = value
  }

  override toString(): string {
    return String(this.value)
  }
}

/** Stands for a value while a function is transformed. */
export abstract class Tracer<S extends Shape = Shape, D extends Dtype = Dtype> extends Tensor<S, D> {
  abstract readonly trace: Trace
  /** The value at this point, where the transformation computes it as it goes; `undefined` where it cannot be known. */
  abstract readonly known: Tensor | undefined
}

/** The value of a tensor as far as it is known: through tracers, down to memory or a literal. */
export const known = (x: Tensor): Tensor | undefined => {
  let value: Tensor | undefined = x
  while (value instanceof Tracer) value = value.known
  return value
}

/**
 * One running transformation: it is offered every operation that touches one of its tracers, with its inputs
 * as they are, and works with operations of lower levels.
 */
export interface Trace {
  readonly level: number
  readonly process: (equation: Application) => readonly Tensor[]
}

/** An operation about to happen. `primitive` is opaque here; see `primitive.ts`. */
export interface Application {
  readonly primitive: { readonly name: string }
  readonly inputs: readonly Tensor[]
  readonly params: unknown
  readonly outputs: readonly Aval[]
}

/**
 * Whether a value is a tensor: concrete, literal or traced.
 *
 * @example
 * ```ts
 * import { isTensor, tensor } from 'pullback'
 * console.log(isTensor(tensor(1)), isTensor(1)) // => true false
 * ```
 */
export const isTensor = (x: unknown): x is Tensor => x instanceof Tensor
