/** Rotary positions as configs tell them, in their older spellings too. */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import type { ConfigFile } from '../config/codec.ts'
import { isRecord } from '../record.ts'

/** How positions turn heads: by base^(-2i/width) radians a place, which scaling changes for longer texts. */
export interface Rope {
  readonly base: number
  /**
   * `linear` divides all by a factor; `llama3` divides slow ones, and leaves fast ones as they are; so does `yarn` (Peng
   * et al. 2023), with a ramp between them, and it scales what is turned; `longrope` (Ding et al. 2024) divides each by
   * a factor of its own, and by another in texts that are longer than the original length; `dynamic` takes a larger base
   * there, which grows with the text.
   */
  readonly kind: 'default' | 'linear' | 'dynamic' | 'llama3' | 'yarn' | 'longrope'
  readonly factor: number
  /** Wavelengths beyond original / low are divided, those below original / high are not (`llama3`). */
  readonly lowFactor: number
  readonly highFactor: number
  /** The longest text before scaling. */
  readonly originalLength: number
  /** What turns more often than this in a text of that length is left as it is (`yarn`). */
  readonly fastTurns?: number
  /** What turns less often than this is divided by the factor (`yarn`). */
  readonly slowTurns?: number
  /** Whether the ramp begins and ends at whole places (`yarn`). */
  readonly whole?: boolean
  /**
   * What queries and keys are multiplied by; by default 0.1 ln(factor) + 1 (`yarn`), or
   * √(1 + ln(factor) / ln(originalLength)) (`longrope`).
   */
  readonly amplitude?: number
  /** Where both are there, the amplitude is the quotient of 0.1 m ln(factor) + 1 for both (`yarn`). */
  readonly scale?: number
  readonly scaleAll?: number
  /** What each pair's radians are divided by, up to the original length and beyond it: width / 2 each (`longrope`). */
  readonly shortFactors?: readonly number[]
  readonly longFactors?: readonly number[]
}

/** Positions as they are in the paper. */
export const defaultRope: Rope = {
  base: 10000,
  kind: 'default',
  factor: 1,
  lowFactor: 1,
  highFactor: 4,
  originalLength: 8192,
}

type Kind = Rope['kind']

const kinds: readonly Kind[] = ['default', 'linear', 'dynamic', 'llama3', 'yarn', 'longrope']

const isKind = (u: unknown): u is Kind => (kinds as readonly unknown[]).includes(u)

/** Entries that are numbers, by our names and the file's; needed where no fallback is given. */
type Numbers = readonly (readonly [own: keyof Rope, name: string, fallback?: number | undefined])[]

const original = ['originalLength', 'original_max_position_embeddings'] as const

/** What a kind has beside its base. */
const needed: { readonly [K in Kind]: Numbers } = {
  default: [],
  linear: [['factor', 'factor']],
  dynamic: [['factor', 'factor']],
  llama3: [
    ['factor', 'factor'],
    ['lowFactor', 'low_freq_factor'],
    ['highFactor', 'high_freq_factor'],
    original,
  ],
  yarn: [['factor', 'factor'], original],
  longrope: [['factor', 'factor'], original],
}

/** What it may have. */
const optional: { readonly [K in Kind]?: Numbers } = {
  yarn: [
    ['fastTurns', 'beta_fast'],
    ['slowTurns', 'beta_slow'],
    ['amplitude', 'attention_factor'],
    ['scale', 'mscale'],
    ['scaleAll', 'mscale_all_dim'],
  ],
  longrope: [['amplitude', 'attention_factor']],
}

const lists = [
  ['shortFactors', 'short_factor'],
  ['longFactors', 'long_factor'],
] as const

const isPositive = (u: unknown): u is number => typeof u === 'number' && u > 0 && Number.isFinite(u)

const isGiven = (u: unknown): boolean => u !== undefined && u !== null

const ropeOf = (u: unknown): E.Either<string, Rope> => {
  const kind = isRecord(u) ? (u['rope_type'] ?? u['type'] ?? 'default') : undefined
  if (!isRecord(u) || !isKind(kind)) return E.left(`expected rotary positions of type ${kinds.join(', ')}`)
  if (isGiven(u['partial_rotary_factor']) && u['partial_rotary_factor'] !== 1)
    return E.left('expected whole heads to be turned (partial_rotary_factor 1)')
  const base = u['rope_theta'] ?? defaultRope.base
  const numbers = [
    ...needed[kind],
    ...(optional[kind] ?? []).filter(([, name]) => isGiven(u[name])),
    // What nothing is divided beyond is the model's longest text, where it is told.
    ...(kind === 'dynamic' && isGiven(u[original[1]]) ? [original] : []),
  ]
  const wrong = [
    ...(isPositive(base) ? [] : ['rope_theta']),
    ...numbers.flatMap(([, name]) => (isPositive(u[name]) ? [] : [name])),
  ]
  if (wrong.length > 0) return E.left(`expected positive numbers for ${wrong.join(', ')} of ${kind}`)
  if (kind === 'yarn' && isGiven(u['truncate']) && typeof u['truncate'] !== 'boolean')
    return E.left('expected true or false for truncate of yarn')
  const unlisted = lists.filter(([, name]) => {
    const list: unknown = u[name]
    return kind === 'longrope' && !(Array.isArray(list) && list.length > 0 && list.every(isPositive))
  })
  if (unlisted.length > 0)
    return E.left(`expected lists of positive numbers for ${unlisted.map(([, name]) => name).join(', ')}`)
  return E.right({
    ...defaultRope,
    base: base as number,
    kind,
    ...Object.fromEntries(numbers.map(([own, name]) => [own, u[name]])),
    ...(kind === 'longrope' ? Object.fromEntries(lists.map(([own, name]) => [own, u[name]])) : {}),
    ...(kind === 'yarn' && typeof u['truncate'] === 'boolean' ? { whole: u['truncate'] } : {}),
  })
}

const isRope = (u: unknown): u is Rope => isRecord(u) && typeof u['base'] === 'number' && isKind(u['kind'])

/** The positions of a config file. */
export const ropeCodec: t.Type<Rope, unknown> = new t.Type<Rope, unknown, unknown>(
  'rotary positions',
  isRope,
  (u, context) =>
    E.match(
      (message: string) => t.failure<Rope>(u, context, message),
      (rope: Rope) => t.success(rope),
    )(ropeOf(u)),
  (rope) => {
    const { base, kind, whole } = rope
    const names = [...needed[kind], ...(optional[kind] ?? []), ...(kind === 'longrope' ? lists : [])]
    return {
      rope_theta: base,
      rope_type: kind,
      ...Object.fromEntries(
        names.flatMap(([own, name]) => (rope[own] === undefined ? [] : [[name, rope[own]]])),
      ),
      ...(kind === 'yarn' && whole !== undefined ? { truncate: whole } : {}),
    }
  },
)

/** A config's longest text where it tells none. */
const usualLength = 2048

/**
 * A file as new ones are. Older ones keep the base by itself, and the scaling under another name; the length before
 * scaling may stand outside, and is the model's where it is told nowhere; the factor is then the quotient of both.
 */
export const oneRope = (file: ConfigFile): ConfigFile => {
  const { rope_theta: base, rope_scaling: scaling, ...rest } = file
  const told = rest['rope_parameters'] ?? scaling ?? undefined
  if (told === undefined && !isGiven(base)) return rest
  if (told !== undefined && !isRecord(told)) return { ...rest, rope_parameters: told }
  const own: ConfigFile = { ...(isGiven(base) ? { rope_theta: base } : {}), ...told }
  const kind = own['rope_type'] ?? own['type']
  const longest = file['max_position_embeddings'] ?? usualLength
  if (kind === 'dynamic') return { ...rest, rope_parameters: { ...own, [original[1]]: longest } }
  if (kind !== 'llama3' && kind !== 'yarn' && kind !== 'longrope') return { ...rest, rope_parameters: own }
  const before = file[original[1]] ?? own[original[1]] ?? longest
  const factor = own['factor'] ?? (kind === 'llama3' ? undefined : Number(longest) / Number(before))
  return { ...rest, rope_parameters: { ...own, factor, [original[1]]: before } }
}
