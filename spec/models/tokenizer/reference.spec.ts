import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aligned, endOf, startOf } from '../../../models/tokenizer/aligned.ts'
import { decoder } from '../../../models/tokenizer/decoder.ts'
import {
  decode,
  encode,
  encodeBatch,
  encodeIds,
  tokenizerFromJson,
  trainByteLevelBpe,
  trainWordPiece,
} from '../../../models/tokenizer/index.ts'
import type { Encoding, Padding, Tokenizer, Truncation } from '../../../models/tokenizer/index.ts'
import { normalizer } from '../../../models/tokenizer/normalizer.ts'
import { preTokenizer } from '../../../models/tokenizer/pretokenizer/kind.ts'
import { whole } from '../../../models/tokenizer/pretokenizer/piece.ts'
import { corpus } from './corpus.ts'

const folder = new URL('../../fixtures/tokenizer/', import.meta.url)
const load = (name: string): unknown => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** An encoding as the fixtures spell it. */
interface Row {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
  readonly offsets: readonly number[]
  readonly typeIds: string
  readonly attentionMask: string
  readonly specialTokensMask: string
  readonly wordIds: readonly (number | null)[]
  readonly sequenceIds: string
  readonly overflowing?: readonly Row[]
}

interface Cases {
  readonly singles: readonly (Row & {
    text: string
    normalized: string
    decoded: string
    decodedWithSpecial: string
  })[]
  readonly pairs: readonly (Row & {
    a: string
    b: string
    error?: string
    truncation: {
      max_length: number
      stride?: number
      strategy?: 'only_first' | 'only_second'
      direction?: 'left'
    } | null
    padding: {
      length: number
      direction?: 'left'
      pad_id?: number
      pad_type_id?: number
      pad_token?: string
    } | null
  })[]
  readonly words: readonly (Row & { words: readonly string[] })[]
  readonly batches: readonly { texts: readonly string[]; multipleOf: number | null; rows: readonly Row[] }[]
  readonly decoded: readonly { ids: readonly number[]; text: string; withSpecial: string }[]
}

const digits = (list: readonly (number | null)[]): string =>
  list.map((x) => (x === null ? '-' : `${x}`)).join('')

const row = (e: Encoding, withOverflow: boolean): Row => ({
  ids: e.ids,
  tokens: e.tokens,
  offsets: e.offsets.flat(),
  typeIds: digits(e.typeIds),
  attentionMask: digits(e.attentionMask),
  specialTokensMask: digits(e.specialTokensMask),
  wordIds: e.wordIds,
  sequenceIds: digits(e.sequenceIds),
  ...(withOverflow ? { overflowing: e.overflowing.map((other) => row(other, false)) } : {}),
})

const expected = (given: Row): Row => ({
  ids: given.ids,
  tokens: given.tokens,
  offsets: given.offsets,
  typeIds: given.typeIds,
  attentionMask: given.attentionMask,
  specialTokensMask: given.specialTokensMask,
  wordIds: given.wordIds,
  sequenceIds: given.sequenceIds,
  ...(given.overflowing === undefined ? {} : { overflowing: given.overflowing }),
})

const truncationOf = (given: Cases['pairs'][number]['truncation']): Truncation | null => {
  if (given === null) return null
  const { max_length, stride = 0, strategy = 'longest_first', direction = 'right' } = given
  return { maxLength: max_length, stride, strategy, direction }
}

const paddingOf = (given: Cases['pairs'][number]['padding']): Padding | null =>
  given === null
    ? null
    : {
        length: given.length,
        direction: given.direction ?? 'right',
        id: given.pad_id ?? 0,
        typeId: given.pad_type_id ?? 0,
        token: given.pad_token ?? '[PAD]',
      }

const model = suite('tokenizers of Hugging Face')

for (const kind of ['wordpiece', 'bytelevel', 'unigram', 'fallback', 'clip']) {
  const tokenizer: Tokenizer = right(tokenizerFromJson(load(kind)))
  const cases = load(`${kind}-cases`) as Cases

  model(`${kind}: texts`, () => {
    for (const one of cases.singles) {
      assert.equal(row(right(encode(tokenizer, one.text)), false), expected(one), JSON.stringify(one.text))
      assert.equal(encodeIds(tokenizer, one.text), one.ids)
      const { normalizer: normalize } = tokenizer
      assert.is(normalize === null ? one.text : normalize(aligned(one.text)).text, one.normalized)
      assert.is(decode(tokenizer, one.ids, { skipSpecialTokens: true }), one.decoded)
      assert.is(decode(tokenizer, one.ids), one.decodedWithSpecial)
    }
  })

  model(`${kind}: pairs, truncated and padded`, () => {
    for (const one of cases.pairs) {
      const truncation = truncationOf(one.truncation)
      const padding = paddingOf(one.padding)
      const result = encode(tokenizer, one.a, { truncation, padding }, one.b)
      assert.is(E.isLeft(result), one.error !== undefined, JSON.stringify(one))
      if (E.isRight(result)) assert.equal(row(result.right, true), expected(one), JSON.stringify(one))
    }
  })

  model(`${kind}: words split before`, () => {
    for (const one of cases.words)
      assert.equal(row(right(encode(tokenizer, one.words)), false), expected(one), JSON.stringify(one.words))
  })

  model(`${kind}: batches`, () => {
    for (const { texts, multipleOf, rows } of cases.batches) {
      const padding: Padding = multipleOf === null ? {} : { multipleOf, direction: 'left' }
      const batch = right(encodeBatch(tokenizer, texts, { padding }))
      assert.equal(
        batch.map((e) => row(e, false)),
        rows.map(expected),
      )
    }
  })

  model(`${kind}: decoding any ids`, () => {
    for (const { ids, text, withSpecial } of cases.decoded) {
      assert.is(decode(tokenizer, ids, { skipSpecialTokens: true }), text)
      assert.is(decode(tokenizer, ids), withSpecial)
    }
  })
}

model.run()

interface Part<A> {
  readonly json: unknown
  readonly results: readonly A[]
}

const components = load('components') as {
  readonly texts: readonly string[]
  readonly tokenLists: readonly (readonly string[])[]
  readonly normalizers: readonly Part<readonly [string, readonly number[]]>[]
  readonly preTokenizers: readonly Part<readonly [readonly string[], readonly number[]]>[]
  readonly decoders: readonly Part<string>[]
}

/** The number of characters before each unit of a text. */
const characters = (text: string): readonly number[] =>
  Array.from({ length: text.length + 1 }, (_, unit) => [...text.slice(0, unit)].length)

const name = (part: Part<unknown>): string => JSON.stringify(part.json).slice(0, 100)

const parts = suite('parts of tokenizers')

for (const part of components.normalizers)
  parts(`normalizer ${name(part)}`, () => {
    const normalize = right(normalizer(part.json, ''))
    components.texts.forEach((text, i) => {
      const result = normalize(aligned(text))
      const at = characters(text)
      const offsets: number[] = []
      let unit = 0
      for (const letter of result.text) {
        const next = unit + letter.length
        offsets.push(at[startOf(result, unit)] as number, at[endOf(result, next)] as number)
        unit = next
      }
      assert.equal([result.text, offsets], part.results[i], text)
    })
  })

for (const part of components.preTokenizers)
  parts(`pre-tokenizer ${name(part)}`, () => {
    const split = right(preTokenizer(part.json, ''))
    components.texts.forEach((text, i) => {
      const { source, cuts } = split(whole(aligned(text)))
      const at = characters(text)
      const pieces: string[] = []
      const offsets: number[] = []
      for (let k = 0; k < cuts.length; k += 2) {
        const [start, end] = [cuts[k] as number, cuts[k + 1] as number]
        pieces.push(source.text.slice(start, end))
        offsets.push(at[startOf(source, start)] as number, at[endOf(source, end)] as number)
      }
      assert.equal([pieces, offsets], part.results[i], JSON.stringify(text))
    })
  })

for (const part of components.decoders)
  parts(`decoder ${name(part)}`, () => {
    const join = right(decoder(part.json, ''))
    components.tokenLists.forEach((tokens, i) => assert.is(join(tokens).join(''), part.results[i]))
  })

parts('of a text that a template has twice, the last place alone is told as the text', () => {
  const piece = (id: string, type: number): object => ({ Sequence: { id, type_id: type } })
  const json = {
    type: 'TemplateProcessing',
    single: [piece('A', 0)],
    pair: [piece('A', 1), { SpecialToken: { id: 'x', type_id: 2 } }, piece('B', 3), piece('A', 4)],
    special_tokens: { x: { id: 'x', ids: [9], tokens: ['x'] } },
  }
  const vocabulary = { a: 0, b: 1, x: 9 }
  const tokenizer = right(
    tokenizerFromJson({
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: json,
      decoder: null,
      model: { type: 'WordLevel', vocab: vocabulary, unk_token: 'x' },
    }),
  )
  const found = right(encode(tokenizer, 'a a', {}, 'b'))
  assert.equal(found.ids, [0, 0, 9, 1, 0, 0])
  assert.equal(found.typeIds, [1, 1, 2, 3, 4, 4])
  assert.equal(found.sequenceIds, [null, null, null, 1, 0, 0])
})

parts.run()

const training = suite('training as Hugging Face does')

const vocabulary = (json: unknown): readonly string[] =>
  Object.keys((json as { model: { vocab: object } }).model.vocab).sort()

training('WordPiece breaks the corpus into as few pieces', () => {
  // which of two equally frequent pairs is merged first is left to chance there
  const pieces = (json: unknown): number => {
    const tokenizer = right(tokenizerFromJson(json))
    return corpus.reduce((sum, text) => sum + encodeIds(tokenizer, text).length, 0)
  }
  const trained = right(trainWordPiece(corpus, { vocabSize: 300 }))
  assert.is(vocabulary(trained).length, vocabulary(load('wordpiece')).length)
  assert.ok(Math.abs(pieces(trained) / pieces(load('wordpiece')) - 1) < 0.01)
})

training('byte-level BPE finds the same merges', () => {
  const merges = (json: unknown): readonly string[] =>
    (json as { model: { merges: (string | string[])[] } }).model.merges.map((merge) =>
      typeof merge === 'string' ? merge : merge.join(' '),
    )
  const trained = right(trainByteLevelBpe(corpus, { vocabSize: 400 }))
  assert.equal(merges(trained), merges(load('bytelevel')))
  assert.equal(vocabulary(trained), vocabulary(load('bytelevel')))
})

training.run()
