/**
 * Arithmetic of sizes in types, on the digits of literals as one does it on paper. What is not a literal gives
 * `number`; what is generic waits until it is known.
 */

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'

/** A list as long as the digit says. */
interface Units {
  '0': []
  '1': [0]
  '2': [0, 0]
  '3': [0, 0, 0]
  '4': [0, 0, 0, 0]
  '5': [0, 0, 0, 0, 0]
  '6': [0, 0, 0, 0, 0, 0]
  '7': [0, 0, 0, 0, 0, 0, 0]
  '8': [0, 0, 0, 0, 0, 0, 0, 0]
  '9': [0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/** The products of two digits, each with two digits. */
interface Products {
  '0': ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00']
  '1': ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09']
  '2': ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18']
  '3': ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27']
  '4': ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36']
  '5': ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45']
  '6': ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54']
  '7': ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63']
  '8': ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72']
  '9': ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81']
}

// Numbers are worked on with their last digit first.
type Turn<S extends string, Done extends string = ''> = S extends `${infer A}${infer R}`
  ? Turn<R, `${A}${Done}`>
  : Done
type Head<S extends string> = S extends `${infer A extends Digit}${string}` ? A : '0'
type Tail<S extends string> = S extends `${Digit}${infer R}` ? R : ''

/** The sum of digits as [carry, digit]. */
type DigitSum<
  A extends Digit,
  B extends Digit,
  C extends Digit,
> = `${[...Units[A], ...Units[B], ...Units[C]]['length'] & number}` extends infer S
  ? S extends `1${infer D extends Digit}`
    ? ['1', D]
    : ['0', S]
  : never

type Sum<A extends string, B extends string, C extends Digit = '0', Done extends string = ''> = [
  A,
  B,
] extends ['', '']
  ? C extends '0'
    ? Done
    : `${Done}1`
  : DigitSum<Head<A>, Head<B>, C> extends [infer K extends Digit, infer D extends string]
    ? Sum<Tail<A>, Tail<B>, K, `${Done}${D}`>
    : never

/** A digit less two others as [borrow, digit]. */
type DigitDifference<A extends Digit, B extends Digit, C extends Digit> = Units[A] extends [
  ...Units[B],
  ...Units[C],
  ...infer R,
]
  ? ['0', `${R['length'] & number}`]
  : [...Units['9'], 0, ...Units[A]] extends [...Units[B], ...Units[C], ...infer R]
    ? ['1', `${R['length'] & number}`]
    : never

/** A - B; `never` where B is larger. */
type Difference<A extends string, B extends string, C extends Digit = '0', Done extends string = ''> = [
  A,
  B,
] extends ['', '']
  ? C extends '0'
    ? Done
    : never
  : DigitDifference<Head<A>, Head<B>, C> extends [infer K extends Digit, infer D extends string]
    ? Difference<Tail<A>, Tail<B>, K, `${Done}${D}`>
    : never

type DigitProduct<
  A extends string,
  B extends Digit,
  C extends Digit = '0',
  Done extends string = '',
> = A extends ''
  ? C extends '0'
    ? Done
    : C extends infer Last extends string
      ? `${Done}${Last}`
      : never
  : Products[Head<A>][B] extends `${infer T extends Digit}${infer O extends Digit}`
    ? DigitSum<O, C, '0'> extends [infer K extends Digit, infer D extends string]
      ? DigitSum<T, K, '0'> extends [Digit, infer N extends Digit]
        ? DigitProduct<Tail<A>, B, N, `${Done}${D}`>
        : never
      : never
    : never

type Product<
  A extends string,
  B extends string,
  Done extends string = '0',
  Shift extends string = '',
> = B extends ''
  ? Done
  : Head<B> extends '0'
    ? Product<A, Tail<B>, Done, `${Shift}0`>
    : DigitProduct<A, Head<B>, '0', Shift> extends infer P extends string
      ? Product<A, Tail<B>, Sum<Done, P>, `${Shift}0`>
      : never

/** How often B can be taken from A, a digit, and what is left. */
type Often<A extends string, B extends string, N extends 0[] = []> =
  Difference<A, B> extends infer R extends string
    ? [R] extends [never]
      ? [`${N['length'] & number}`, A]
      : Often<R, B, [...N, 0]>
    : never

/** [quotient, remainder] of A, first digit first, by B, last digit first. */
type Division<
  A extends string,
  B extends string,
  R extends string = '',
  Q extends string = '',
> = A extends `${infer D}${infer Rest}`
  ? Often<`${D}${R}`, B> extends [infer N extends string, infer Left extends string]
    ? Division<Rest, B, Left, `${Q}${N}`>
    : never
  : [Q, R]

type Whole<S extends string> = S extends `0${infer R extends `${Digit}${string}`}`
  ? Whole<R>
  : S extends `${infer N extends number}`
    ? N
    : never

/** A whole number that is known, as digits; `never` of everything else. */
type Digits<N extends number> = number extends N
  ? never
  : `${N}` extends `${string}${'-' | '.' | 'e' | 'n' | 'N'}${string}`
    ? never
    : `${N}`

/** Whether arithmetic is possible: `false` where either is no whole number that is known. */
type Countable<A extends number, B extends number> = [Digits<A>] extends [never]
  ? false
  : [Digits<B>] extends [never]
    ? false
    : true

export type Plus<A extends number, B extends number> =
  Countable<A, B> extends true ? Whole<Turn<Sum<Turn<Digits<A>>, Turn<Digits<B>>>>> : number

/** A - B; `number` where that is negative, which no size is. */
export type Minus<A extends number, B extends number> =
  Countable<A, B> extends true
    ? Difference<Turn<Digits<A>>, Turn<Digits<B>>> extends infer R extends string
      ? [R] extends [never]
        ? number
        : Whole<Turn<R>>
      : number
    : number

export type Times<A extends number, B extends number> =
  Countable<A, B> extends true ? Whole<Turn<Product<Turn<Digits<A>>, Turn<Digits<B>>>>> : number

/** [quotient, remainder] of A by B as digits; `unknown` where B is 0 or either is not known. */
type Parts<A extends number, B extends number> =
  Countable<A, B> extends true ? (B extends 0 ? unknown : Division<Digits<A>, Turn<Digits<B>>>) : unknown

/** ⌊A / B⌋ */
export type Quotient<A extends number, B extends number> =
  Parts<A, B> extends [infer Q extends string, string] ? Whole<Q> : number

/** A / B where B divides A, else `never`; `number` where that is not known. */
export type Exactly<A extends number, B extends number> =
  Parts<A, B> extends [infer Q extends string, infer R extends string]
    ? Whole<R> extends 0
      ? Whole<Q>
      : never
    : number

/** The smaller of two sizes. */
export type Least<A extends number, B extends number> =
  Countable<A, B> extends true
    ? [Difference<Turn<Digits<A>>, Turn<Digits<B>>>] extends [never]
      ? A
      : B
    : number

/** The product of sizes. */
export type Count<S extends readonly number[], Done extends number = 1> = number extends S['length']
  ? number
  : S extends readonly [infer N extends number, ...infer R extends readonly number[]]
    ? number extends Done
      ? number
      : Count<R, Times<Done, N>>
    : Done
