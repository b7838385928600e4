/** Accounting: every tensor and every entry of a reference was compared, went in, or is said to have been left out. */
import type { Tensor } from '../../core/index.ts'
import type { Check } from './check.ts'
import { holds } from './check.ts'
import type { Reference } from './reference.ts'

/** What goes in: arguments, parameters, cotangents, where runs begin, and given gradients. */
const isGiven = (name: string): boolean =>
  /(^|\.)(in|param|init)\.|\.cotangent$|^batches\.|^fixed\.grad\.|_before\.param\./.test(name)

/** Entries that describe; the others each have a check. */
const describing = new Set([
  ...[
    'title',
    'class',
    'notes',
    'versions',
    'tensors',
    'naming',
    'desc',
    'source',
    'seed',
    'float32_vs_float64',
  ],
  ...['generation', 'renamed', 'file_keys_not_in_named_parameters', 'cache_max_abs_difference', 'failed'],
  // How well the library reads what it wrote itself.
  'round_trip_max_abs',
])

/** One failing check for what nobody compared, and another for what nobody read; none where all is well. */
export const unaccounted = (
  reference: Reference,
  checks: readonly Check[],
  read: readonly string[],
): readonly Check[] => {
  const covered = new Set<Tensor>(checks.flatMap(({ covers }) => covers))
  const left = [...reference.tensors].flatMap(([name, x]) => (covered.has(x) || isGiven(name) ? [] : [name]))
  const entries = Object.keys(reference.file).filter((name) => !describing.has(name) && !read.includes(name))
  return [
    ...(left.length === 0 ? [] : [holds('not compared', left.length, left)]),
    ...(entries.length === 0 ? [] : [holds('entries not read', entries.length, entries)]),
  ]
}
