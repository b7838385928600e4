/**
 * Tests of types that users' generic code passes through. A conditional type that asks something of a type
 * parameter waits until it is known, and so does everything made of it; a shape such as [B, T, 64] must not wait.
 * Two types that are the same are so whatever they stand for. Whether a size is a literal is found by comparing
 * what it is with the word for it, inside a list: a type parameter differs from it for certain. The word is handed
 * in as a parameter, `W`, because it would otherwise be compared before the types here are used at all.
 */

/** Whether two types are the same. */
export type Same<A, B> = (<G>() => G extends A ? 1 : 2) extends <G>() => G extends B ? 1 : 2 ? true : false

type Kind<N> = number extends N ? 'open' : 'literal'

/** The word by which literals are known. */
export type Literal = readonly ['literal']

/** Whether a size is a literal: not `number`, nor generic. */
export type IsLiteral<N, W> = Same<readonly [Kind<N>], W>

/** Whether two sizes are literals, and different. */
export type Unequal<M extends number, N extends number, W> =
  IsLiteral<M, W> extends true
    ? IsLiteral<N, W> extends true
      ? [M] extends [N]
        ? false
        : [N] extends [M]
          ? false
          : true
      : false
    : false

/** Of two sizes that are one, the one that is known. */
export type Known<M extends number, N extends number, W> =
  IsLiteral<M, W> extends true ? M : IsLiteral<N, W> extends true ? N : M | N

/**
 * By what is known that shapes cannot fit: `Same<readonly [X], N>` with this for `N` is false of all that is generic,
 * which a plain question whether X is `never` would wait for.
 */
export type Never = readonly [never]
