/** Options of functions whose result's type depends on them. */

/** No options. */
export type NoOptions = Readonly<Record<never, never>>

/** What options say under a name; `undefined` where they do not name it. */
export type OptionOf<O, N> = N extends keyof O ? O[N] : undefined
