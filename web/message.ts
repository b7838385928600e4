/** What the page and its worker say to each other. */

export interface Settings {
  readonly engine: string
  readonly model: 'gpt' | 'bert'
  readonly layers: number
  readonly width: number
  readonly heads: number
  /** Characters that the model sees at once. */
  readonly length: number
  readonly batch: number
  readonly rate: number
}

export type Request =
  | { readonly kind: 'engines' }
  | {
      readonly kind: 'start'
      readonly settings: Settings
      readonly text: string
      readonly checkpoint?: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'stop' }
  /** On this engine, where the one that it ran on is gone. */
  | { readonly kind: 'resume'; readonly engine: string }
  | { readonly kind: 'save' }
  | { readonly kind: 'attend'; readonly text: string }
  | { readonly kind: 'differentiate'; readonly source: string; readonly shapes: string }

export interface EngineOffer {
  readonly name: string
  readonly available: boolean
  readonly detail: string
}

/** A stretch of a sample; `guess` says that the model filled it in, and whether rightly. */
export interface Piece {
  readonly text: string
  readonly guess?: 'right' | 'wrong' | 'free'
}

/** A place in a text; lines and columns begin with 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Source {
  readonly title: string
  readonly code: string
}

export interface Derivative {
  readonly kind: 'derivative'
  readonly value: string
  readonly gradient: string
  readonly traced: string
  readonly differentiated: string
  readonly sources: readonly Source[]
}

export type Answer =
  | { readonly kind: 'engines'; readonly offers: readonly EngineOffer[] }
  | {
      readonly kind: 'started'
      readonly settings: Settings
      readonly step: number
      readonly parameters: number
      readonly vocabulary: number
      readonly detail: string
    }
  | {
      readonly kind: 'progress'
      /** The losses of the steps since the last message; the last of them is that of `step`. */
      readonly step: number
      readonly losses: readonly number[]
      readonly tokensPerSecond: number
    }
  | { readonly kind: 'sample'; readonly step: number; readonly pieces: readonly Piece[] }
  | {
      readonly kind: 'attention'
      readonly tokens: readonly string[]
      /** By layer and head: a row of weights for each token. */
      readonly weights: readonly (readonly (readonly Float32Array[])[])[]
    }
  | { readonly kind: 'stopped'; readonly step: number }
  | { readonly kind: 'saved'; readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string }
  | Derivative
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly about: 'training' | 'function'
      /** Whether a run of training has ended with it. */
      readonly ended: boolean
      /** Whether there is something trained, that could go on. */
      readonly trained: boolean
      /** Where in the typed function it went wrong, as far as that is known. */
      readonly place?: Place | undefined
    }
