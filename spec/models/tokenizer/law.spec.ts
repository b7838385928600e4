import { either as E } from 'fp-ts'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decode,
  decodeStream,
  encode,
  encodeBatch,
  encodeIds,
  normalize,
  preTokenize,
  streamDecoder,
  tokenizerFromJson,
  tokenizerToJson,
  trainByteLevelBpe,
  trainUnigram,
  trainWordPiece,
} from '../../../models/tokenizer/index.ts'
import type { Encoding, Tokenizer, TokenizerJson } from '../../../models/tokenizer/index.ts'
import { corpus, texts } from './corpus.ts'

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const bytesJson = right(trainByteLevelBpe(corpus, { vocabSize: 400 }))
const wordsJson = right(trainWordPiece(corpus, { vocabSize: 300 }))
const piecesJson = right(trainUnigram(corpus, { vocabSize: 200 }))
const bytes = right(tokenizerFromJson(bytesJson))
const words = right(tokenizerFromJson(wordsJson))
const pieces = right(tokenizerFromJson(piecesJson))
const all: readonly (readonly [string, Tokenizer])[] = [
  ['byte level', bytes],
  ['WordPiece', words],
  ['Unigram', pieces],
]

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom(...texts, ...corpus.slice(0, 40))).map((parts) => parts.join('')),
)

const encoded = (tokenizer: Tokenizer, input: string): Encoding => right(encode(tokenizer, input))

const lists = (e: Encoding): readonly (readonly unknown[])[] => [
  e.ids,
  e.tokens,
  e.offsets,
  e.typeIds,
  e.attentionMask,
  e.specialTokensMask,
  e.wordIds,
  e.sequenceIds,
]

const law = suite('tokenizer laws')

law('byte level: decoding what was encoded gives the text', () => {
  fc.assert(fc.property(text, (t) => decode(bytes, encodeIds(bytes, t)) === t.toWellFormed()))
})

law('a lone surrogate is the replacement character', () => {
  assert.is(decode(bytes, encodeIds(bytes, 'a\ud800b')), 'a\ufffdb')
})

law('streamed text, joined, is the text decoded at once', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (t) => {
      const ids = encodeIds(bytes, t)
      let joined = ''
      for await (const part of decodeStream(bytes, ids)) joined += part
      return joined === decode(bytes, ids)
    }),
  )
})

law('a stream keeps half a character back, and gives it at the end', () => {
  const ids = encodeIds(bytes, 'ä')
  const stream = streamDecoder(bytes)
  const [state, first] = stream.step(stream.initial, ids[0] as number)
  assert.is(first, '')
  assert.is(stream.end(state), '\ufffd')
  assert.is(stream.step(state, ids[1] as number)[1], 'ä')
})

for (const [name, tokenizer] of all) {
  law(`${name}: all lists are as long as ids, and encodeIds agrees`, () => {
    fc.assert(
      fc.property(text, (t) => {
        const e = encoded(tokenizer, t)
        assert.equal(e.ids, encodeIds(tokenizer, t))
        for (const list of lists(e)) assert.is(list.length, e.ids.length)
      }),
    )
  })

  law(`${name}: offsets go up, lie in the text, and cover all that is not left out`, () => {
    fc.assert(
      fc.property(text, (t) => {
        const letters = [...t.toWellFormed()]
        const covered = new Set<number>()
        let before = 0
        const e = encoded(tokenizer, t)
        e.offsets.forEach(([start, end], i) => {
          if (e.specialTokensMask[i] === 1) return
          assert.ok(start >= before && end > start && end <= letters.length, `${start} ${end}`)
          before = start
          for (let at = start; at < end; at++) covered.add(at)
        })
        // what composes with the character before it belongs to that one's token
        if (tokenizer === pieces) return
        const leftOut = /^[\p{White_Space}\p{Cc}\p{Cf}\p{Co}\p{Mn}\ufffd]$/u
        letters.forEach((letter, at) =>
          assert.ok(covered.has(at) || (tokenizer === words && leftOut.test(letter)), JSON.stringify(letter)),
        )
      }),
    )
  })

  law(`${name}: offsets in UTF-16 units cut the same characters out of the text`, () => {
    fc.assert(
      fc.property(text, (given) => {
        const t = given.toWellFormed()
        const letters = [...t]
        const inUnits = right(encode(tokenizer, t, { offsetUnit: 'utf16' }))
        encoded(tokenizer, t).offsets.forEach(([start, end], i) => {
          const [from, to] = inUnits.offsets[i] as readonly [number, number]
          assert.is(t.slice(from, to), letters.slice(start, end).join(''))
        })
      }),
    )
  })

  law(`${name}: truncated text is a prefix, and the overflow holds the rest`, () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 3, max: 20 }), (t, room) => {
        const special = encoded(tokenizer, '').ids.length
        const maxLength = room + special
        const cut = right(encode(tokenizer, t, { truncation: { maxLength } }))
        const plain = (e: Encoding): readonly number[] => e.ids.filter((_, i) => e.specialTokensMask[i] === 0)
        const all = plain(encoded(tokenizer, t))
        assert.ok(cut.ids.length <= maxLength)
        assert.equal(plain(cut), all.slice(0, room))
        const joined = [cut, ...cut.overflowing].flatMap(plain)
        assert.equal(joined, all.slice(0, joined.length))
        for (const part of cut.overflowing) assert.ok(part.ids.length <= maxLength)
      }),
    )
  })

  law(`${name}: strides repeat what came before`, () => {
    fc.assert(
      fc.property(fc.constantFrom(...corpus), fc.integer({ min: 0, max: 4 }), (t, stride) => {
        const e = right(
          encode(tokenizer, t, { truncation: { maxLength: 9, stride }, addSpecialTokens: false }),
        )
        const parts = [e, ...e.overflowing]
        parts.slice(1).forEach((part, i) => {
          const previous = (parts[i] as Encoding).ids
          assert.equal(part.ids.slice(0, stride), previous.slice(previous.length - stride))
        })
      }),
    )
  })

  law(`${name}: a padded batch is rectangular, and the mask says where the text is`, () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.constantFrom('left' as const, 'right' as const),
        fc.constantFrom(1, 8),
        (batch, direction, multipleOf) => {
          const padded = right(encodeBatch(tokenizer, batch, { padding: { direction, multipleOf } }))
          const longest = Math.max(...batch.map((t) => encodeIds(tokenizer, t).length))
          padded.forEach((e, i) => {
            for (const list of lists(e)) assert.is(list.length, Math.ceil(longest / multipleOf) * multipleOf)
            assert.equal(
              e.ids.filter((_, at) => e.attentionMask[at] === 1),
              encodeIds(tokenizer, batch[i] as string),
            )
            const mask = e.attentionMask.join('')
            assert.match(mask, direction === 'left' ? /^0*1*$/ : /^1*0*$/)
          })
        },
      ),
    )
  })

  law(`${name}: written and read again it is the same tokenizer`, () => {
    const again = right(
      tokenizerFromJson(JSON.parse(JSON.stringify(tokenizerToJson(tokenizer))) as TokenizerJson),
    )
    for (const t of texts) assert.equal(encoded(again, t), encoded(tokenizer, t))
  })
}

law('a word is the same wherever it stands', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('boat', 'lanterns', 'qzxj', 'Heron', 'café')), (list) => {
      const whole = encodeIds(words, list.join(' '), { addSpecialTokens: false })
      assert.equal(
        whole,
        list.flatMap((word) => encodeIds(words, word, { addSpecialTokens: false })),
      )
    }),
  )
})

law('special tokens in a text are found, unless they are to be split', () => {
  const mask = encodeIds(words, '[MASK]', { addSpecialTokens: false })
  assert.equal(mask, [4])
  const split = encodeIds(words, '[MASK]', { addSpecialTokens: false, splitSpecialTokens: true })
  assert.ok(split.length > 1)
})

law('normalize and preTokenize show the first two steps', () => {
  assert.is(normalize(words, 'Two  Words'), 'two  words')
  assert.equal(preTokenize(words, 'two  words'), [
    ['two', 0, 3],
    ['words', 5, 10],
  ])
  assert.is(preTokenize({ ...words, preTokenizer: null }, 'two words'), null)
})

law('as in the original library, a special token with another normal form is not left out of a text', () => {
  const special = { id: 9999, content: '[Odd]', special: true, normalized: true }
  const placed = { ...special, single_word: false, lstrip: false, rstrip: false }
  const json = { ...wordsJson, added_tokens: [...wordsJson.added_tokens, placed] }
  const own = right(tokenizerFromJson(json))
  const ids = encodeIds(own, 'so [ODD]')
  assert.ok(decode(own, ids, { skipSpecialTokens: true }).endsWith('[odd]'))
})

law('as in the original library, the last bit of scores decides between orders of the same tokens', () => {
  const [one, long] = ['a', 'a'.repeat(14)]
  const tokenizer = right(
    tokenizerFromJson({
      ...piecesJson,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      model: {
        type: 'Unigram',
        unk_id: 0,
        // A nearest number that the library, which divides 18506168457236338 by a power of ten, misses by a bit.
        vocab: [
          ['<unk>', 0],
          [one, -1.8506168457236338],
          [long, -7.169412378124386],
        ],
      },
    }),
  )
  assert.is(encodeIds(tokenizer, 'a'.repeat(24)).join(''), '11112111111')
})

law('pairs: segments, and which text a token comes from', () => {
  const e = right(encode(words, 'the boat', {}, 'a wheel'))
  const typed = e.sequenceIds.map((sequence, i) => (sequence === null ? 'x' : `${sequence}${e.typeIds[i]}`))
  assert.match(typed.join(''), /^x(00)+x(11)+x$/)
})

law('truncation that cannot be is refused', () => {
  const left = (truncation: Parameters<typeof encode>[2], pair: string | null): string => {
    const result = encode(words, 'seven lanterns by the river', truncation, pair)
    return E.isLeft(result) ? result.left : ''
  }
  assert.match(left({ truncation: { maxLength: 1 } }, null), /special tokens, got 1/)
  assert.match(left({ truncation: { maxLength: 5, stride: 3 } }, null), /stride/)
  assert.match(left({ truncation: { maxLength: 4, strategy: 'only_second' } }, null), /no second/)
  assert.match(left({ truncation: { maxLength: 5, strategy: 'only_second' } }, 'a'), /too short/)
})

law.run()

const training = suite('tokenizer training')

training('is deterministic, and takes any iterable', () => {
  function* once(): Generator<string> {
    yield* corpus
  }
  assert.equal(right(trainWordPiece(once(), { vocabSize: 300 })), wordsJson)
  assert.equal(right(trainByteLevelBpe(once(), { vocabSize: 400 })), bytesJson)
  assert.equal(right(trainUnigram(once(), { vocabSize: 200 })), piecesJson)
})

training('does not depend on the order of texts', () => {
  const backwards = [...corpus].reverse()
  assert.equal(right(trainWordPiece(backwards, { vocabSize: 300 })), wordsJson)
  assert.equal(right(trainByteLevelBpe(backwards, { vocabSize: 400 })), bytesJson)
})

training('fills the vocabulary to the size asked for, and not beyond', () => {
  for (const vocabSize of [30, 60, 200]) {
    const vocab = right(trainWordPiece(corpus, { vocabSize })).model['vocab'] as object
    assert.is(Object.keys(vocab).length, vocabSize)
  }
  for (const vocabSize of [40, 100, 160])
    assert.is((right(trainUnigram(corpus, { vocabSize })).model['vocab'] as unknown[]).length, vocabSize)
  assert.is(
    Object.keys(right(trainByteLevelBpe(corpus, { vocabSize: 257 })).model['vocab'] as object).length,
    257,
  )
})

training('learns the pieces of the corpus', () => {
  const tokens = encoded(words, 'the harbour').tokens
  assert.equal(tokens, ['[CLS]', 'the', 'harbour', '[SEP]'])
  assert.equal(encoded(pieces, 'Our unreadable miller').tokens, ['▁Our', '▁unreadable', '▁miller', '</s>'])
})

training('Unigram: the scores are log probabilities, and pieces come by score', () => {
  const scores = (piecesJson.model['vocab'] as [string, number][]).slice(3).map(([, score]) => score)
  assert.ok(Math.abs(scores.reduce((sum, score) => sum + Math.exp(score), 0) - 1) < 0.1)
  assert.equal(
    scores,
    [...scores].sort((a, b) => b - a),
  )
})

training('reports how far it is', () => {
  const phases = new Set<string>()
  right(trainWordPiece(corpus, { vocabSize: 300, onProgress: ({ phase }) => phases.add(phase) }))
  assert.equal([...phases], ['count', 'merge'])
})

training('refuses what gives no tokenizer', () => {
  const message = (result: E.Either<string, unknown>): string => (E.isLeft(result) ? result.left : '')
  assert.match(message(trainWordPiece([], { vocabSize: 300 })), /no words/)
  assert.match(message(trainWordPiece([' \n'], { vocabSize: 300 })), /no words/)
  assert.match(message(trainWordPiece(corpus, { vocabSize: 3 })), /got 3/)
  assert.match(message(trainByteLevelBpe([], { vocabSize: 300 })), /no words/)
  assert.match(message(trainByteLevelBpe(corpus, { vocabSize: 100 })), /got 100/)
  assert.match(message(trainUnigram([], { vocabSize: 300 })), /no words/)
  assert.match(message(trainUnigram(corpus, { vocabSize: 4 })), /got 4/)
})

training.run()
