/** Checks processors of scores against the library's. */
import { fromArray, toArraySync } from '../../core/index.ts'
import { processor } from '../../models/index.ts'
import type { Processor } from '../../models/index.ts'
import type { Check } from './check.ts'
import { compare, holds } from './check.ts'
import type { Reference } from './reference.ts'
import { below } from './reference.ts'
import { need } from './runner.ts'

const number = (digits: string | undefined): number => Number((digits ?? '').replace('_', '.'))

/** Processors by the names of cases, whose numbers have `_` for a point. */
const patterns: readonly (readonly [RegExp, (match: RegExpExecArray, length: number) => Processor])[] = [
  [/^temperature_([\d_]+)$/, ([, value]) => processor.temperature(number(value))],
  [/^top_k_(\d+)_min_keep_(\d+)$/, ([, k, least]) => processor.topK(number(k), number(least))],
  [/^top_k_(\d+)$/, ([, k]) => processor.topK(number(k))],
  [/^top_p_([\d_]+)_min_keep_(\d+)$/, ([, p, least]) => processor.topP(number(p), number(least))],
  [/^top_p_([\d_]+)$/, ([, p]) => processor.topP(number(p))],
  [/^min_p_([\d_]+)$/, ([, p]) => processor.minP(number(p))],
  [/^typical_([\d_]+)$/, ([, p]) => processor.typicalP(number(p))],
  [/^epsilon_([\d_]+)$/, ([, least]) => processor.epsilonCutoff(number(least))],
  [/^eta_([\d_]+)$/, ([, epsilon]) => processor.etaCutoff(number(epsilon))],
  [/^repetition_penalty_([\d_]+)$/, ([, penalty]) => processor.repetitionPenalty(number(penalty))],
  [/^no_repeat_ngram_(\d+)$/, ([, size]) => processor.noRepeatNgram(number(size))],
  [/^min_length_(\d+)_eos_(\d+)$/, ([, count, end]) => processor.minTokens(number(count), [number(end)])],
  [/^suppress_([\d_]+)$/, ([, ids]) => processor.suppress((ids ?? '').split('_').map(Number))],
  [/^normalise$/, () => processor.normalise],
  // The text is one short of its longest, and its end is the one of `min_length`.
  [/^forced_eos_at_max$/, (_, length) => processor.forceAt(length, 4)],
]

const listed = (name: string, file: Readonly<Record<string, unknown>>): Processor | undefined => {
  if (name === 'bad_words') return processor.badWords(file['bad_words'] as readonly (readonly number[])[])
  if (name === 'sequence_bias')
    return processor.sequenceBias(file['sequence_bias'] as readonly (readonly [readonly number[], number])[])
  return undefined
}

const processorOf = (
  name: string,
  length: number,
  file: Readonly<Record<string, unknown>>,
): Processor | undefined => {
  for (const [pattern, make] of patterns) {
    const found = pattern.exec(name)
    if (found !== null) return make(found, length)
  }
  return listed(name, file)
}

/** Every case of a folder like `logits-processors`; what cannot be chosen is -1e30 there. */
export const checkProcessors = async (
  reference: Reference,
  file: Readonly<Record<string, unknown>>,
): Promise<readonly Check[]> => {
  const [ids, scores] = [need(reference.tensors, 'in.input_ids'), need(reference.tensors, 'in.scores')]
  const [rows, length] = ids.shape as readonly [number, number]
  const size = scores.shape[1] as number
  const [texts, numbers] = [toArraySync(ids), toArraySync(scores) as Float32Array]
  const checks: Check[] = []
  for (const [name, expected] of below(reference, 'out.')) {
    const process = processorOf(name, length, file)
    if (process === undefined) {
      checks.push(holds(name, 0, ['no such processor is known here']))
      continue
    }
    const out = Float32Array.from(
      Array.from({ length: rows }, (_, row) => {
        const draft = { ids: [...texts.slice(row * length, (row + 1) * length)], prompt: 0 }
        return [...process(numbers.slice(row * size, (row + 1) * size), draft)]
      }).flat(),
      (x) => (x === -Infinity ? -1e30 : x),
    )
    const actual = new Map([[name, fromArray(out, [rows, size])]])
    checks.push(await compare(name, actual, new Map([[name, expected]]), 0))
  }
  return checks
}
