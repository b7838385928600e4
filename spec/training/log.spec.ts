import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openLog, parseLog, readLog } from '../../training/log.ts'
import type { LogLine } from '../../training/log.ts'

const log = suite<{ path: string; folder: string }>('log', { path: '', folder: '' })

log.before.each(async (context) => {
  context.folder = await mkdtemp(`${tmpdir()}/log-`)
  context.path = `${context.folder}/metrics.jsonl`
})
log.after.each(async ({ folder }) => rm(folder, { recursive: true, force: true }))

const right = <A>(result: E.Either<string, A>): A =>
  E.isRight(result) ? result.right : (assert.unreachable(result.left) as never)

const left = (result: E.Either<string, unknown>): string =>
  E.isLeft(result) ? result.left : (assert.unreachable('it was not refused') as never)

const lines: fc.Arbitrary<readonly LogLine[]> = fc.array(
  fc.dictionary(
    fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
    fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' })),
    { noNullPrototype: true },
  ),
  { maxLength: 5 },
)

log('torn at any byte, every line before the tear is there, and the log goes on', async ({ path }) => {
  await fc.assert(
    fc.asyncProperty(lines, lines, fc.nat(), async (before, after, cut) => {
      await rm(path, { force: true })
      right(await right(await openLog(path)()).append(...before)())
      const bytes = await readFile(path)
      const torn = bytes.subarray(0, cut % (bytes.length + 1))
      await writeFile(path, torn)
      const whole = torn.filter((byte) => byte === 10).length
      // an object may hold an escaped line end, but never a bare one
      assert.equal(right(await readLog(path)()), before.slice(0, whole))
      right(await right(await openLog(path)()).append(...after)())
      assert.equal(right(await readLog(path)()), [...before.slice(0, whole), ...after])
    }),
    { numRuns: 50 },
  )
})

log('a resumed run drops the lines that come again', async ({ path, folder }) => {
  const first = right(await openLog(path)())
  right(await first.append({ step: 1 }, { step: 2 })())
  right(await first.append({ step: 3 })())
  const resumed = right(await openLog(path, ({ step }) => Number(step) <= 2)())
  right(await resumed.append({ step: 3, again: true })())
  assert.equal(right(await readLog(path)()), [{ step: 1 }, { step: 2 }, { step: 3, again: true }])
  assert.equal(await readdir(folder), ['metrics.jsonl'])
})

log('what JSON does not know becomes null', async ({ path }) => {
  right(await right(await openLog(path)()).append({ loss: NaN, norm: Infinity })())
  assert.is(await readFile(path, 'utf8'), '{"loss":null,"norm":null}\n')
})

log('an empty log is there at once', async ({ path }) => {
  right(await openLog(path)())
  assert.equal(right(await readLog(path)()), [])
})

log('what is no log is refused, and unchanged', async ({ path, folder }) => {
  for (const text of ['{"a":1}\nhello\n{"b":2}\n', '[1]\n', '7\n{}\n']) {
    await writeFile(path, text)
    assert.match(left(await openLog(path)()), /^log: .*metrics\.jsonl has no JSON object in line [12]$/)
    assert.match(left(await readLog(path)()), /has no JSON object/)
    assert.is(await readFile(path, 'utf8'), text)
  }
  await writeFile(path, Uint8Array.of(0xff, 0xfe, 10))
  assert.match(left(await readLog(path)()), /is not UTF-8 text/)
  assert.match(left(await readLog(`${path}x`)()), /does not exist/)
  assert.match(left(await openLog(`${folder}/no/log`)()), /lies in a folder that does not exist/)
  assert.match(left(await openLog(folder)()), /is a folder/)
  assert.equal(parseLog('\n{"a":1}\r\n\n{"b":2}\n{'), E.right([{ a: 1 }, { b: 2 }]))
})

log.run()
