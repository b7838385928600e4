import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArray, tensor } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { accuracy, accuracyPortion, evaluate, lossPortion } from '../../training/index.ts'

const portion = suite('portion')

const rows = fc.array(
  fc.record({
    logits: fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 3, maxLength: 3 }),
    label: fc.constantFrom(-100, 0, 1, 2),
  }),
  { minLength: 1, maxLength: 9 },
)

portion('over batches of any size, loss and accuracy are those of all rows at once', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 4 }), async (some, batchSize) => {
      const counted = some.filter(({ label }) => label !== -100)
      const losses = counted.map(({ logits, label }) => {
        const shift = Math.max(...logits)
        const total = logits.reduce((sum, x) => sum + Math.exp((x - shift) / 8), 0)
        return Math.log(total) - ((logits[label] as number) - shift) / 8
      })
      const parts = Array.from({ length: Math.ceil(some.length / batchSize) }, (_, i) =>
        some.slice(i * batchSize, (i + 1) * batchSize),
      )
      const batches = parts.map((part) => ({
        logits: tensor(part.map(({ logits }) => logits.map((x) => x / 8))),
        labels: fromArray(
          Int32Array.from(part, ({ label }) => label),
          [part.length],
        ) as Tensor,
      }))
      const found = await evaluate(
        (_: object, { logits, labels }: (typeof batches)[number]) => ({
          loss: lossPortion(logits, labels),
          accuracy: accuracyPortion(logits, labels),
        }),
        {},
        batches,
      )
      const mean = losses.reduce((a, b) => a + b, 0) / losses.length
      const expected = accuracy(
        some.map(({ label }) => label),
        some.map(({ logits }) => logits.indexOf(Math.max(...logits))),
      )
      if (losses.length === 0) assert.ok(Number.isNaN(found.loss) && Number.isNaN(found.accuracy))
      else {
        assert.ok(Math.abs(found.loss - mean) < 1e-5 * Math.max(1, mean), `${found.loss} is not ${mean}`)
        assert.ok(Math.abs(found.accuracy - expected) < 1e-6)
      }
    }),
    { numRuns: 60 },
  )
})

portion.run()
