/** Instructions on scalars. */
import type { Code } from './byte.ts'
import { signed } from './byte.ts'
import { choose } from './control.ts'
import type { Load, One, Store, Two } from './form.ts'
import { load, one, store, two } from './form.ts'

export const i32: {
  readonly const: (value: number) => Code
  readonly load: Load
  readonly load8u: Load
  readonly store: Store
  readonly eqz: One
} & Readonly<
  Record<
    | 'eq'
    | 'ne'
    | 'ltS'
    | 'ltU'
    | 'gtS'
    | 'gtU'
    | 'leS'
    | 'leU'
    | 'geS'
    | 'add'
    | 'sub'
    | 'mul'
    | 'divU'
    | 'remU'
    | 'and'
    | 'or'
    | 'xor'
    | 'shl'
    | 'shrS'
    | 'shrU',
    Two
  >
> = {
  const: (value) => [0x41, ...signed(value)],
  load: load(2, 0x28),
  load8u: load(0, 0x2d),
  store: store(2, 0x36),
  eqz: one(0x45),
  eq: two(0x46),
  ne: two(0x47),
  ltS: two(0x48),
  ltU: two(0x49),
  gtS: two(0x4a),
  gtU: two(0x4b),
  leS: two(0x4c),
  leU: two(0x4d),
  geS: two(0x4e),
  add: two(0x6a),
  sub: two(0x6b),
  mul: two(0x6c),
  divU: two(0x6e),
  remU: two(0x70),
  and: two(0x71),
  or: two(0x72),
  xor: two(0x73),
  shl: two(0x74),
  shrS: two(0x75),
  shrU: two(0x76),
}

export const f64: { readonly promoteF32: One; readonly demoteToF32: One } = {
  promoteF32: one(0xbb),
  demoteToF32: one(0xb6),
}

/** The smaller of two signed numbers; both are evaluated twice. */
export const smaller: Two = (a, b) => choose(i32.ltS(a, b), a, b)
/** The larger of two signed numbers; both are evaluated twice. */
export const larger: Two = (a, b) => choose(i32.gtS(a, b), a, b)
