/** What is done with a launch, decided by its kind. */
import type { Launch } from './launch.ts'

type OfKind<K extends Launch['kind']> = Extract<Launch, { readonly kind: K }>

/** A rule for each kind of launch; one that is missing does not compile. */
export type Rules<More extends readonly unknown[], Result> = {
  readonly [K in Launch['kind']]: (launch: OfKind<K>, ...more: More) => Result
}

/** The rules as one function of any launch. */
export const byKind =
  <More extends readonly unknown[], Result>(rules: Rules<More, Result>) =>
  (launch: Launch, ...more: More): Result =>
    (rules[launch.kind] as (launch: Launch, ...more: More) => Result)(launch, ...more)
