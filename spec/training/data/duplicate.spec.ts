import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  paragraphHash,
  representatives,
  runSet,
  shingles,
  signature,
  similarity,
} from '../../../training/data/duplicate.ts'
import { hash32, wordHashes } from '../../../training/data/hash.ts'

const duplicate = suite('duplicate')

const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnop'), minLength: 2, maxLength: 8 })
/** Texts that have nothing in common: words drawn by a number, which no shrinking makes alike. */
const text = (seed: number, size: number): string =>
  Array.from({ length: size }, (_, i) => hash32(`${i}`, seed).toString(36).replace(/\d/g, 'z')).join(' ')
const seeds = fc.uniqueArray(fc.nat(), { minLength: 2, maxLength: 8 })
const size = fc.integer({ min: 120, max: 250 })

duplicate('equal words have equal hashes, whatever their case and punctuation', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      assert.is(paragraphHash(words.join(' ')), paragraphHash(`  ${words.join(', ').toUpperCase()}! `))
      assert.equal(wordHashes(words.join(' ')), wordHashes(words.join('-').toUpperCase()))
      assert.is(wordHashes(words.join(' ')).length, words.length)
    }),
  )
})

duplicate('different texts have different hashes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 2, maxLength: 200 }), (words) => {
      assert.is(new Set(words.map(paragraphHash)).size, words.length)
    }),
  )
  const many = Array.from({ length: 100_000 }, (_, i) => paragraphHash(`paragraph ${i} of many`))
  assert.is(new Set(many).size, many.length)
  // 32 bits: about 1.2 of 100,000 collide
  assert.ok(new Set(Array.from({ length: 100_000 }, (_, i) => hash32(`${i}`))).size > 99_980)
})

duplicate('a text has as many runs of words as fit, and a short one has one', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), (words, size) => {
      const expected = words.length === 0 ? 0 : Math.max(1, words.length - size + 1)
      assert.is(shingles(words.join(' '), size).length, expected)
    }),
  )
})

duplicate('similarity is 1 for the same text, high after a small change, low for another text', () => {
  fc.assert(
    fc.property(seeds, size, ([one, other], length) => {
      const [a, b] = [text(one!, length), text(other!, length)]
      assert.is(similarity(signature(a), signature(a)), 1)
      assert.is(similarity(signature(a), signature(b)), similarity(signature(b), signature(a)))
      assert.ok(similarity(signature(a), signature(`${a} and something more`)) > 0.7)
      assert.ok(similarity(signature(a), signature(b)) < 0.3)
    }),
  )
})

duplicate('a near copy is represented by the first of its kind, and nothing else is', () => {
  fc.assert(
    fc.property(seeds, size, fc.nat(), (many, length, pick) => {
      const texts = many.map((seed) => text(seed, length))
      const of = pick % texts.length
      const copy = `Copyright of somebody else. ${texts[of]}`
      const found = representatives([...texts, copy].map(signature))
      assert.equal(found, [...texts.map((_, i) => i), of])
    }),
    { numRuns: 50 },
  )
})

duplicate('a set of word runs knows what it has read', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 8, max: 40 }), ([one, other], length) => {
      const [a, b] = [text(one!, length), text(other!, length)]
      const read = runSet()
      assert.is(read.share(a), 0)
      read.add(a)
      assert.is(read.share(a), 1)
      assert.is(read.share(''), 0)
      assert.ok(read.share(b) < 0.2)
      assert.ok(read.share(`${b} ${a} ${b}`) < 1)
    }),
    { numRuns: 20 },
  )
})

duplicate.run()
