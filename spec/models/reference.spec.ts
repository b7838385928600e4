/** Models against the original library's: outputs, losses, inner values, and gradients of every parameter. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkModel } from '../verify/model.ts'
import { readReference } from '../verify/reference.ts'

const models = suite('as in the original library')

const folder = fileURLToPath(new URL('../fixtures/models', import.meta.url))

for (const name of readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
))
  models(name, async () => {
    const checks = await checkModel(readReference(`${folder}/${name}`))
    assert.ok(
      checks.some(({ group }) => group === 'gradients'),
      'nothing was differentiated',
    )
    for (const { group, passed, complaint } of checks) assert.ok(passed, `${group}: ${complaint}`)
  })

models.run()
