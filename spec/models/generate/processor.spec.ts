/** Processors of scores against the library's, and what must hold of them for all scores. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { processor } from '../../../models/index.ts'
import type { Draft, Processor } from '../../../models/index.ts'
import { messageOf } from '../../nn/message.ts'
import { checkProcessors } from '../../verify/processor.ts'
import { readReference } from '../../verify/reference.ts'

const processors = suite('processors')

const folder = fileURLToPath(new URL('../../fixtures/processors', import.meta.url))

processors('are the library’s', async () => {
  const file = JSON.parse(readFileSync(`${folder}/reference.json`, 'utf8')) as Record<string, unknown>
  const checks = await checkProcessors(readReference(folder), file)
  assert.is(checks.length, 19)
  for (const { group, passed, complaint } of checks) assert.ok(passed, `${group}: ${complaint}`)
})

const size = 12
const scores = fc
  .array(fc.oneof(fc.double({ min: -30, max: 30, noNaN: true }), fc.constantFrom(0, 1, -1)), {
    minLength: size,
    maxLength: size,
  })
  .map((list) => Float32Array.from(list))
const drafts: fc.Arbitrary<Draft> = fc
  .tuple(fc.array(fc.nat({ max: size - 1 })), fc.array(fc.nat({ max: size - 1 })))
  .map(([prompt, rest]) => ({ ids: [...prompt, ...rest], prompt: prompt.length }))
const share = fc.double({ min: 0.001, max: 1, noNaN: true })

const filters: readonly (readonly [string, fc.Arbitrary<Processor>])[] = [
  [
    'topK',
    fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
      .map(([k, n]) => processor.topK(k, n)),
  ],
  ['topP', share.map((p) => processor.topP(p))],
  ['minP', share.map((p) => processor.minP(p))],
  ['typicalP', share.map((p) => processor.typicalP(p))],
  ['epsilonCutoff', share.map((p) => processor.epsilonCutoff(Math.min(p, 0.99)))],
  ['etaCutoff', share.map((p) => processor.etaCutoff(Math.min(p, 0.99)))],
]

for (const [name, filter] of filters)
  processors(`${name} leaves scores as they are or rules them out, and never all of them`, () => {
    fc.assert(
      fc.property(filter, scores, drafts, (process, before, draft) => {
        const copy = before.slice()
        const after = process(before, draft)
        assert.equal(before, copy, 'the input is not touched')
        assert.ok(after.some((x) => x !== -Infinity))
        after.forEach((x, id) => assert.ok(x === -Infinity || x === before[id]))
        // Who stays is likelier than who goes, but for what is typical.
        if (name !== 'typicalP') {
          const [stays, goes] = [
            after.filter((x) => x !== -Infinity),
            before.filter((_, id) => after[id] === -Infinity),
          ]
          assert.ok(goes.every((x) => stays.every((y) => x <= y)))
        }
      }),
    )
  })

processors('topP keeps the least that has the mass', () => {
  fc.assert(
    fc.property(share, scores, (mass, before) => {
      const chances = processor.probabilities(before)
      const after = processor.topP(mass)(before, { ids: [], prompt: 0 })
      const kept = [...chances].filter((_, id) => after[id] !== -Infinity)
      const sum = kept.reduce((a, b) => a + b, 0)
      assert.ok(sum >= mass - 1e-9)
      if (kept.length > 1) assert.ok(sum - Math.min(...kept) < mass + 1e-9)
    }),
  )
})

processors('penalties count what was written, and not the prompt', () => {
  const draft = { ids: [1, 2, 3, 3, 2], prompt: 2 }
  const flat = new Float32Array(5)
  assert.equal([...processor.frequencyPenalty(0.5)(flat, draft)], [0, 0, -0.5, -1, 0])
  assert.equal([...processor.presencePenalty(0.5)(flat, draft)], [0, 0, -0.5, -0.5, 0])
  const some = Float32Array.of(2, 2, -2, -2, 2)
  assert.equal([...processor.repetitionPenalty(2)(some, draft)], [2, 1, -4, -4, 2])
})

processors('what a predicate does not allow is ruled out, given what was written', () => {
  const rising = processor.constrain((id, { ids }) => id > (ids.at(-1) ?? -1))
  const after = rising(new Float32Array(4), { ids: [1], prompt: 0 })
  assert.equal([...after], [-Infinity, -Infinity, 0, 0])
})

processors('numbers that make no sense are mistakes', () => {
  assert.is(
    messageOf(() => processor.temperature(0)),
    'temperature: expected a number above 0, got 0',
  )
  assert.is(
    messageOf(() => processor.topK(1.5)),
    'topK: expected a positive integer, got 1.5',
  )
  assert.is(
    messageOf(() => processor.topP(2)),
    'topP: expected a number in (0, 1], got 2',
  )
})

processors.run()
