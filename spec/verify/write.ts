/** Checks what a model writes: greedy and beam search exactly, and that reading in parts is reading at once. */
import { concatenate, fromArray, sliceAxis, toArraySync } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { beamSearch, generate } from '../../models/index.ts'
import type { Reading, ScoreOptions } from '../../models/index.ts'
import type { Check } from './check.ts'
import { compare, holds } from './check.ts'
import type { Reference } from './reference.ts'
import { below, casesOf } from './reference.ts'
import { need } from './runner.ts'
import type { Named, Runnable, Writer } from './runner.ts'

/** Arguments of the library as its words on a tensor give them: `num_beams=4, eos_token_id=None`. */
const argumentsOf = (words: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...words.matchAll(/(\w+)=(\[[^=]*\]|[^,)\s]+)/g)].map(([, name, value]) => {
      const json = (value as string).replace('None', 'null').replace('True', 'true').replace('False', 'false')
      return [name as string, JSON.parse(json) as unknown]
    }),
  )

/** What is heeded; an argument beside these would change what is written. */
const heeded = new Set([
  ...['repetition_penalty', 'no_repeat_ngram_size', 'bad_words_ids', 'min_new_tokens', 'max_new_tokens'],
  ...[
    'eos_token_id',
    'pad_token_id',
    'num_beams',
    'num_return_sequences',
    'length_penalty',
    'early_stopping',
  ],
  'do_sample',
])

const numberOf = (x: unknown): number | undefined => (typeof x === 'number' ? x : undefined)

interface Asked {
  readonly scores: ScoreOptions
  readonly endIds: readonly number[]
  readonly maxTokens: number
  readonly beams: number
  readonly count: number
  readonly lengthPenalty: number | undefined
  readonly earlyStopping: boolean | undefined
}

/** What a case asks for. */
const askedOf = (reference: Reference, name: string, inputs: Named, width: number): Asked => {
  const sequences = need(reference.tensors, `${name}.out.sequences`)
  const given = argumentsOf(reference.wordsOf(`${name}.out.sequences`))
  const told = inputs.get('eos_token_id')
  const end = told === undefined ? numberOf(given['eos_token_id']) : (toArraySync(told)[0] as number)
  return {
    scores: {
      repetitionPenalty: numberOf(given['repetition_penalty']),
      noRepeatNgram: numberOf(given['no_repeat_ngram_size']),
      badWords: given['bad_words_ids'] as readonly (readonly number[])[] | undefined,
      minTokens: numberOf(given['min_new_tokens']),
    },
    endIds: end === undefined ? [] : [end],
    maxTokens: numberOf(given['max_new_tokens']) ?? (sequences.shape[1] as number) - width,
    beams:
      numberOf(given['num_beams']) ?? (/^beam(\d+)/.test(name) ? Number(/^beam(\d+)/.exec(name)?.[1]) : 1),
    count: numberOf(given['num_return_sequences']) ?? 1,
    lengthPenalty: numberOf(given['length_penalty']),
    earlyStopping: given['early_stopping'] as boolean | undefined,
  }
}

const rowsOf = (x: Tensor): readonly (readonly number[])[] => {
  const [rows, width] = x.shape as readonly [number, number]
  const numbers = [...toArraySync(x)]
  return Array.from({ length: rows }, (_, row) => numbers.slice(row * width, (row + 1) * width))
}

/** What was written against a row of the library's: behind the prompt's places, and before padding or ends. */
const complaintOf = (
  row: number,
  written: readonly number[],
  expected: readonly number[],
  { width, padding }: Writer,
  endIds: readonly number[],
): readonly string[] => {
  const wanted = expected.slice(width)
  const rest = wanted.slice(written.length)
  const isFilling = rest.every((id) => id === rest[0] && (id === padding || endIds.includes(id)))
  return isFilling && written.join() === wanted.slice(0, written.length).join()
    ? []
    : [`row ${row} is ${written.join(' ')}, expected ${wanted.join(' ')}`]
}

const checkGreedy = async (
  reference: Reference,
  name: string,
  writer: Writer,
  asked: Asked,
): Promise<readonly Check[]> => {
  const { scores, maxTokens, endIds } = asked
  const seen: Float32Array[] = []
  // The scores as they are before anything is done to them.
  const watch = (own: Float32Array): Float32Array => {
    seen.push(own)
    return own
  }
  const written = await generate(writer.reader, writer.prompts, {
    ...scores,
    maxTokens,
    endIds,
    processors: [watch],
  })
  const expected = rowsOf(need(reference.tensors, `${name}.out.sequences`))
  const complaints = written.flatMap(({ ids }, row) =>
    complaintOf(row, ids, expected[row] as readonly number[], writer, endIds),
  )
  const covered = [need(reference.tensors, `${name}.out.sequences`)]
  const checks = [holds(`${name}: ids`, written.length, complaints, covered)]
  const wanted = reference.tensors.get(`${name}.out.scores`)
  if (wanted !== undefined) {
    const all = Float32Array.from(seen.flatMap((row) => [...row]))
    const actual = new Map([['scores', fromArray(all, wanted.shape)]])
    const rounding = reference.roundingOf(name).outputs
    checks.push(await compare(`${name}: scores`, actual, new Map([['scores', wanted]]), rounding))
  }
  return checks
}

const checkBeams = async (
  reference: Reference,
  name: string,
  writer: Writer,
  { scores, ...options }: Asked,
): Promise<readonly Check[]> => {
  const found = (await beamSearch(writer.reader, writer.prompts, { ...scores, ...options })).flat()
  const expected = rowsOf(need(reference.tensors, `${name}.out.sequences`))
  const complaints = found.flatMap(({ ids }, row) =>
    complaintOf(row, ids, expected[row] as readonly number[], writer, options.endIds),
  )
  const checks = [
    holds(
      `${name}: ids`,
      found.length,
      found.length === expected.length ? complaints : [`${found.length} texts, expected ${expected.length}`],
      [need(reference.tensors, `${name}.out.sequences`)],
    ),
  ]
  const wanted = reference.tensors.get(`${name}.out.sequences_scores`)
  if (wanted !== undefined) {
    const all = Float32Array.from(found, ({ score }) => score)
    const actual = new Map([['scores', fromArray(all, [all.length])]])
    const rounding = reference.roundingOf(name).outputs
    checks.push(await compare(`${name}: scores`, actual, new Map([['scores', wanted]]), rounding))
  }
  return checks
}

/** Some tokens at once and the others one by one: the scores after each, and keys and values after the first. */
const checkCache = async (
  reference: Reference,
  model: Runnable,
  inputs: Named,
  writer: Writer,
): Promise<readonly Check[]> => {
  const rounding = reference.roundingOf('cache').outputs
  const expected = below(reference, 'cache.out.')
  const keys = [...expected].filter(([name]) => name.startsWith('prefix_'))
  const texts = rowsOf(inputs.get('decoder_input_ids') ?? need(inputs, 'input_ids'))
  const prefix = keys[0]?.[1].shape[2] ?? 3
  const full = need(expected, 'logits_full')
  let reading: Reading = await writer.reader.start(texts.map((text) => text.slice(0, prefix)))
  const [actual, wanted] = [new Map<string, Tensor>(), new Map<string, Tensor>()]
  for (let place = prefix - 1; ; place++) {
    const name = `after ${place + 1} tokens`
    const scores = Float32Array.from(reading.scores.flatMap((row) => [...row]))
    actual.set(name, fromArray(scores, [texts.length, 1, full.shape[2] as number]))
    wanted.set(name, sliceAxis(full, 1, place, place + 1))
    if (place + 1 === (full.shape[1] as number)) break
    reading = await reading.next(texts.map((text) => text[place + 1] as number))
  }
  const once = await compare('cache: scores token by token', actual, wanted, rounding)
  const checks: Check[] = [{ ...once, covers: [full] }]
  const incremental = expected.get('logits_incremental')
  if (incremental !== undefined) {
    // The prefix at once, then single steps: the last of its places, or all of them.
    const steps = [...actual.values()].slice(-(incremental.shape[1] as number))
    const own = new Map([['scores', concatenate(steps, 1)]])
    const last = sliceAxis(incremental, 1, -steps.length)
    const same = await compare('cache: scores as with its cache', own, new Map([['scores', last]]), rounding)
    checks.push({ ...same, covers: [incremental] })
  }
  if (keys.length > 0 && model.keep !== undefined) {
    const kept = Object.values(
      model.keep(new Map([['input_ids', sliceAxis(need(inputs, 'input_ids'), 1, 0, prefix)]])),
    )
    const named = new Map(
      kept.flatMap(({ key, value }, i) => [
        [`prefix_key.${i}`, key],
        [`prefix_value.${i}`, value],
      ]),
    )
    checks.push(await compare('cache: keys and values', named, new Map(keys), rounding))
  }
  return checks
}

/** Everything that a reference has of writing. */
export const checkWriting = async (reference: Reference, model: Runnable): Promise<readonly Check[]> => {
  const names = casesOf(reference).filter((name) => /^(greedy|beam|cache)/.test(name))
  if (names.length === 0) return []
  if (model.write === undefined) return [holds('writing', 0, ['this model does not write'])]
  const main = below(reference, 'in.')
  const checks: Check[] = []
  for (const name of names) {
    const given = below(reference, `${name}.in.`)
    // Numbered cases of several kinds go on from the same prompts.
    const own = given.size > 0 ? given : below(reference, `${name.replace(/^\w+\./, 'greedy.')}.in.`)
    // Prompts of a case stand for themselves; sources may be those of the main run.
    const inputs = own.has('input_ids') ? own : new Map([...main, ...own])
    const writer = model.write(inputs)
    if (name === 'cache') {
      checks.push(...(await checkCache(reference, model, inputs, writer)))
      continue
    }
    const strange = Object.entries(argumentsOf(reference.wordsOf(`${name}.out.sequences`))).flatMap(
      ([argument, value]) =>
        heeded.has(argument) && value !== undefined ? [] : [`no ${argument} is known here`],
    )
    if (strange.length > 0) {
      checks.push(holds(`${name}: arguments`, 0, strange))
      continue
    }
    const asked = askedOf(reference, name, inputs, writer.width)
    checks.push(...(await (asked.beams > 1 ? checkBeams : checkGreedy)(reference, name, writer, asked)))
  }
  return checks
}
