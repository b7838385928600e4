/** What a run has to show, as data. */

export interface Curve {
  readonly label: string
  /** [step, value] */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly note: string
  readonly curves: readonly Curve[]
  /** Levels to compare with, such as the unigram entropy. */
  readonly levels: readonly { readonly label: string; readonly value: number }[]
}

export interface Table {
  readonly title: string
  readonly note: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Confusion {
  readonly title: string
  readonly labels: readonly string[]
  /** [true][predicted] */
  readonly matrix: readonly (readonly number[])[]
}

export interface Filled {
  readonly text: string
  readonly answer: string
  readonly guesses: readonly { readonly token: string; readonly probability: number }[]
}

/** Attention weights of one text: [layer][head][query][key]. */
export interface Attention {
  readonly title: string
  readonly tokens: readonly string[]
  readonly weights: readonly (readonly (readonly (readonly number[])[])[])[]
}

export interface Report {
  readonly title: string
  readonly lead: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly charts: readonly Chart[]
  readonly tables: readonly Table[]
  readonly filled: readonly Filled[]
  readonly confusion: Confusion | undefined
  readonly attention: Attention | undefined
}
