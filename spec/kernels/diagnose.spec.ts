import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose, engines, referenceEngine, renderDiagnosis } from '../../kernels/index.ts'

const test = suite('diagnose')

test('tells of every engine in every variant, and what would be chosen', async () => {
  const { machine, engines: reports, choice } = await diagnose('reference')
  assert.match(machine.runtime, `Node ${process.versions.node}`)
  assert.ok(machine.cores > 0)
  const names = engines.flatMap(({ name, variants }) => [
    name,
    ...variants.map((variant) => `${name}:${variant}`),
  ])
  assert.equal(
    reports.map(({ name }) => name),
    names,
  )
  assert.ok(reports.every(({ detail }) => detail !== ''))
  assert.is(reports.find(({ name }) => name === 'gpujs:cpu')?.available, true)
  assert.is(reports.find(({ name }) => name === 'gpujs:webgl2')?.available, false)
  assert.ok(
    E.isRight(choice) && choice.right.name === 'reference' && choice.right.why === 'named by the caller',
  )
})

test('closes what it opened, and is readable', async () => {
  let open = 0
  const row = {
    name: 'only',
    purpose: 'a test',
    variants: [],
    automatic: true,
    open: () => {
      open++
      return E.right({ ...referenceEngine(), detail: 'one thread', close: async () => void open-- })
    },
  }
  const text = renderDiagnosis(await diagnose('only', [row]))
  assert.is(open, 0)
  assert.match(text, /^runtime {4}Node /)
  assert.match(text, '\n  yes  only  one thread\n')
  assert.match(text, /\nchosen {5}only, named by the caller$/)
  const refused = renderDiagnosis(await diagnose('other', [row]))
  assert.match(
    refused,
    'chosen     none: engine: there is no engine other (named by the caller), there are only',
  )
})

test.run()
