/** Paths into trees: what stands at one, and what is refused. */
import type { Tensor } from '../tensor.ts'
import type { Never, Same } from './same.ts'

/** What a path is refused with: where it leads nowhere, and what is there. */
export interface WrongPath<M extends string, There> {
  readonly mismatch: M
  readonly there: There
}

/** The part of a tree under a name; `never` where there is none. */
type Part<T, K extends string> = unknown extends T
  ? unknown
  : T extends Tensor | ((...args: never) => unknown)
    ? never
    : T extends readonly unknown[]
      ? K extends keyof T
        ? T[K]
        : [number extends T['length'] ? K : `${number}`] extends [`${number}`]
          ? `${number}` extends K
            ? T[number]
            : number extends T['length']
              ? T[number]
              : never
          : never
      : T extends object
        ? K extends keyof T
          ? { [N in keyof T]-?: T[N] }[K]
          : never
        : never

/** What stands at a path, whose names are between slashes; `unknown` where the path or the tree is not known. */
export type AtPath<T, P extends string> = string extends P
  ? unknown
  : P extends `${infer H}/${infer R}`
    ? AtPath<Part<T, H>, R>
    : Part<T, P>

type Names<T> = T extends Tensor
  ? never
  : T extends readonly unknown[]
    ? number extends T['length']
      ? number
      : Extract<keyof T, `${number}`>
    : T extends object
      ? `${Extract<keyof T, string>}`
      : never

/** The first name of a path that is not there. */
type Lost<T, P extends string, Done extends string = ''> = P extends `${infer H}/${infer R}`
  ? [Part<T, H>] extends [never]
    ? WrongPath<`tree.get: no '${H}' at '${Done}'`, Names<T>>
    : Lost<Part<T, H>, R, Done extends '' ? H : `${Done}/${H}`>
  : WrongPath<`tree.get: no '${P}' at '${Done}'`, Names<T>>

/** Refuses a path that leads nowhere. */
export type Leads<T, P extends string, N = Never> = string extends P
  ? unknown
  : Same<readonly [AtPath<T, P>], N> extends true
    ? Lost<T, P>
    : unknown

/**
 * The paths of a tree's tensors, as a union; any text where a tree is not known, or deeper than ten names. Places of
 * lists are `${number}`.
 */
export type PathOf<T, Depth extends 0[] = []> = unknown extends T
  ? string
  : Depth['length'] extends 10
    ? string
    : T extends Tensor
      ? ''
      : T extends (...args: never) => unknown
        ? never
        : T extends readonly unknown[]
          ? number extends T['length']
            ? Under<`${number}`, PathOf<T[number], [...Depth, 0]>>
            : { [I in Extract<keyof T, `${number}`>]: Under<I, PathOf<T[I], [...Depth, 0]>> }[Extract<
                keyof T,
                `${number}`
              >]
          : T extends object
            ? {
                [K in Extract<keyof T, string>]-?: Under<K, PathOf<T[K], [...Depth, 0]>>
              }[Extract<keyof T, string>]
            : never

type Under<K extends string, P extends string> = P extends '' ? K : `${K}/${P}`
