import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decode, encode, tokenizerFromJson } from '../../../models/tokenizer/index.ts'
import { translate } from '../../../models/tokenizer/regex.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const load = (name: string): Json => {
  const path = new URL(`../../fixtures/tokenizer/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')) as Json
}

/** Leaves the first tokens only, so that a change seldom misses what matters. */
const small = (json: Json): Json => {
  const file = json as { readonly model: { readonly vocab: Json } }
  const { vocab } = file.model
  const first = Array.isArray(vocab)
    ? vocab.slice(0, 20)
    : Object.fromEntries(Object.entries(vocab as Record<string, number>).filter(([, id]) => id < 20))
  const model = { ...file.model, vocab: first, ...('merges' in file.model ? { merges: [] } : {}) }
  return { ...file, model } as Json
}

const valid = ['wordpiece', 'bytelevel', 'unigram', 'fallback', 'clip'].map((name) => small(load(name)))

const complaints = (json: unknown): readonly string[] => {
  const result = tokenizerFromJson(json)
  return E.isLeft(result) ? result.left : []
}

const base: Record<string, Json> = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '<unk>': 0, a: 1 }, unk_token: '<unk>' },
}

const nested = (depth: number): Json => {
  let json: Json = { type: 'NFC' }
  for (let i = 0; i < depth; i++) json = { type: 'Sequence', normalizers: [json] }
  return json
}

const refused = suite('refused tokenizers')

const table: readonly (readonly [string, Record<string, Json>, RegExp])[] = [
  ['another version', { version: '2.0' }, /^version: expected "1.0", got "2.0"$/],
  ['no model', { model: null }, /^model: expected a model, got null$/],
  [
    'an unknown model',
    { model: { type: 'Neural' } },
    /^model\/type: expected a model \(.*WordPiece.*\), got "Neural"$/,
  ],
  ['a type from the prototype', { model: { type: 'constructor' } }, /^model\/type: /],
  ['an unknown normalizer', { normalizer: { type: 'Foo' } }, /^normalizer\/type: expected a normalizer/],
  [
    'a fault deep within',
    { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Prepend', prepend: 7 }] } },
    /^normalizer\/normalizers\/1\/prepend: expected a text, got 7$/,
  ],
  [
    'no list',
    { normalizer: { type: 'Sequence', normalizers: {} } },
    /^normalizer\/normalizers: expected a list/,
  ],
  ['nesting without end', { normalizer: nested(5000) }, /^normalizer: nested deeper than 24 levels$/],
  [
    'a pattern of no kind',
    { pre_tokenizer: { type: 'Split', pattern: 'a', behavior: 'Isolated', invert: false } },
    /^pre_tokenizer\/pattern: expected \{"String"/,
  ],
  [
    'a regular expression that is none',
    { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } },
    /^pre_tokenizer\/pattern\/Regex: /,
  ],
  [
    'a wrong behavior',
    { pre_tokenizer: { type: 'Punctuation', behavior: 'Eaten' } },
    /^pre_tokenizer\/behavior: expected .*Removed/,
  ],
  [
    'a character map that is none',
    { normalizer: { type: 'Precompiled', precompiled_charsmap: '!!' } },
    /^normalizer\/precompiled_charsmap: /,
  ],
  [
    'a character map that lies about its length',
    { normalizer: { type: 'Precompiled', precompiled_charsmap: btoa('\xff\xff\xff\xffabc') } },
    /^normalizer\/precompiled_charsmap: /,
  ],
  [
    'negative ids',
    { model: { type: 'WordLevel', vocab: { a: -1 }, unk_token: 'a' } },
    /^model\/vocab\/"a": /,
  ],
  ['huge ids', { model: { type: 'WordLevel', vocab: { a: 1e12 }, unk_token: 'a' } }, /^model\/vocab\/"a": /],
  ['broken ids', { model: { type: 'WordPiece', vocab: { a: 1.5 }, unk_token: 'a' } }, /got 1.5$/],
  [
    'a vocabulary that is a list',
    { model: { type: 'WordPiece', vocab: ['a'] } },
    /^model\/vocab: expected a record/,
  ],
  [
    'an unknown token that is none',
    { model: { type: 'WordPiece', vocab: { a: 0 } } },
    /^model\/unk_token: .*"\[UNK\]"/,
  ],
  [
    'merges of unknown tokens',
    { model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: ['a b'] } },
    /^model\/merges\/0: the token "ab" is not in the vocabulary$/,
  ],
  [
    'merges of one',
    { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a'] } },
    /^model\/merges\/0: expected two tokens/,
  ],
  [
    'dropout',
    { model: { type: 'BPE', vocab: {}, merges: [], dropout: 0.1 } },
    /^model\/dropout: .*random.*0.1$/,
  ],
  [
    'scores that are none',
    { model: { type: 'Unigram', vocab: [['a', null]], unk_id: 0 } },
    /^model\/vocab\/0: /,
  ],
  [
    'an unknown id beyond',
    { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 } },
    /^model\/unk_id: .*among 1, got 1$/,
  ],
  [
    'a template of unknown tokens',
    {
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }],
        pair: [],
        special_tokens: {},
      },
    },
    /^post_processor\/single\/0: the special token "\[CLS\]"/,
  ],
  [
    'added tokens without id',
    { added_tokens: [{ content: 'x' }] },
    /^added_tokens\/0\/id: expected a token id/,
  ],
  ['padding of no kind', { padding: { strategy: 'Some' } }, /^padding\/strategy: /],
]

for (const [what, change, message] of table)
  refused(what, () => {
    const found = complaints({ ...base, ...change })
    assert.ok(
      found.some((complaint) => message.test(complaint)),
      found.join('\n'),
    )
  })

refused('all faults are told at once', () => {
  const paths = complaints({
    ...base,
    normalizer: { type: 'A' },
    decoder: { type: 'B' },
    model: { type: 'C' },
  })
  assert.equal(
    paths.map((path) => path.split(':')[0]),
    ['normalizer/type', 'decoder/type', 'model/type'],
  )
})

refused('what is no tokenizer at all', () => {
  for (const json of [null, 7, 'x', [], undefined]) assert.is(complaints(json).length, 1)
})

refused('names from the prototype are tokens as any other', () => {
  const vocab = JSON.parse('{"<unk>": 0, "__proto__": 1, "constructor": 2, "toString": 3}') as Json
  const result = tokenizerFromJson({ ...base, model: { type: 'WordLevel', vocab, unk_token: '<unk>' } })
  assert.ok(E.isRight(result))
  const ids = ['__proto__', 'constructor', 'toString', 'valueOf'].map((word) => {
    const encoded = encode(result.right, word)
    return E.isRight(encoded) ? encoded.right.ids[0] : null
  })
  assert.equal(ids, [1, 2, 3, 0])
})

/** Numbers from 0 to 1, evenly spread, unlike those that fast-check draws. */
const uniform = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Somewhere in a value: the keys that lead there. */
const pathIn = (json: Json, choose: () => number): readonly string[] => {
  if (typeof json !== 'object' || json === null) return []
  const keys = Object.keys(json)
  if (keys.length === 0 || choose() < 0.1) return []
  const key = keys[Math.floor(choose() * keys.length)] as string
  return [key, ...pathIn((json as Record<string, Json>)[key] as Json, choose)]
}

const changed = (json: Json, path: readonly string[], change: (old: Json) => Json): Json => {
  const [key, ...rest] = path
  if (key === undefined || typeof json !== 'object' || json === null) return change(json)
  if (Array.isArray(json))
    return json.map((inner, i) => (`${i}` === key ? changed(inner, rest, change) : inner))
  return { ...json, [key]: changed(json[key] as Json, rest, change) }
}

refused('a valid file with anything changed is read or refused, and what is read works', () => {
  const anything = fc.oneof(
    fc.constantFrom<Json>(null, true, -1, 0.5, 1e308, 2 ** 31, '', '\ud800', 'NFC', [], {}, [[]], {
      type: 'Sequence',
    }),
    fc.constantFrom<Json>('(a+)+$', '[', '\\', '(?<a>b)\\k<a>', '\\p{Foo}', '[[:x:]]', 'a{2,1}', '(?i)x'),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  )
  let read = 0
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.integer(), anything, (json, seed, value) => {
      const path = pathIn(json, uniform(seed))
      const result = tokenizerFromJson(changed(json, path, () => value))
      if (E.isLeft(result)) {
        assert.ok(result.left.length > 0)
        for (const complaint of result.left) assert.ok(complaint.length < 400, complaint)
        return
      }
      read++
      const encoded = encode(result.right, 'The [MASK] café <s>, x')
      if (E.isRight(encoded)) decode(result.right, encoded.right.ids)
    }),
    { numRuns: 6000 },
  )
  assert.ok(read > 300, `${read}`)
})

refused.run()

const expression = suite('regular expressions of Oniguruma')

const finds = (pattern: string, text: string): readonly string[] => {
  const source = translate(pattern)
  if (E.isLeft(source)) throw new Error(source.left)
  return [...text.matchAll(new RegExp(source.right, 'gu'))].map(([match]) => match)
}

expression('white space, words and digits by Unicode', () => {
  assert.equal(finds('\\s', 'a\u0085b\ufeffc\u00a0'), ['\u0085', '\u00a0'])
  assert.equal(finds('\\w+', 'aé_١-Ⓐ'), ['aé_١', 'Ⓐ'])
  assert.equal(finds('[\\w-]+', 'a-b c'), ['a-b', 'c'])
  assert.equal(finds('[^\\s]+', 'a b'), ['a', 'b'])
})

expression('possessive quantifiers and atomic groups give nothing back', () => {
  assert.equal(finds('a++a', 'aaa'), [])
  assert.equal(finds('a?+ab', 'ab aab'), ['aab'])
  assert.equal(finds('(?>a|ab)c', 'abc ac'), ['ac'])
})

expression('anchors are those of lines, the dot stops at line feeds alone', () => {
  assert.equal(finds('^.', 'ab\ncd'), ['a', 'c'])
  assert.equal(finds('.$', 'ab\ncd'), ['b', 'd'])
  assert.equal(finds('.+', 'a\u2028b\nc'), ['a\u2028b', 'c'])
  assert.equal(finds('\\Aa|c\\z', 'a\na\nc'), ['a', 'c'])
})

expression('brackets', () => {
  assert.equal(finds('[[:alpha:]]+', 'ab1é'), ['ab', 'é'])
  assert.equal(finds('[]a]', ']a'), [']', 'a'])
  assert.equal(finds('[a\\-c-]', 'a-b'), ['a', '-'])
  assert.equal(finds('[\\x{4e00}-\\u9fff]', 'a中'), ['中'])
})

expression('options and comments', () => {
  assert.equal(finds("(?i:'s|'T)", "'S 't"), ["'S", "'t"])
  assert.equal(finds('a(?#no)b', 'ab'), ['ab'])
  assert.equal(finds('(?i)a', 'aA'), ['a', 'A'])
})

expression('what cannot be said is refused', () => {
  for (const pattern of [
    '(a)\\1',
    '[a&&b]',
    '[a[b]]',
    '(?<n>a)\\k<n>',
    '\\G',
    'a)',
    '[a',
    '*a',
    '\\p{Nonsense}',
    'x'.repeat(5000),
  ])
    assert.ok(E.isLeft(translate(pattern)), pattern)
})

expression.run()
