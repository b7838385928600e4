/** Settings: from the table, a file and flags. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commands } from '../../cli/commands.ts'
import { flagOf, readSettings, settings } from '../../cli/setting.ts'
import type { SettingName } from '../../cli/setting.ts'

const test = suite('settings')
const folder = mkdtempSync(join(tmpdir(), 'pullback-setting-'))
test.after(() => rmSync(folder, { recursive: true }))

const file = (content: string): string => {
  const path = join(folder, 'config.json')
  writeFileSync(path, content)
  return path
}
const names = ['width', 'learningRate', 'corpus', 'name', 'dropout'] as const
const read = (path: string | undefined, flags: Readonly<Record<string, string>> = {}) =>
  readSettings(names, { width: 64 }, path, flags)()
const left = async (
  path: string | undefined,
  flags: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const result = await read(path, flags)
  assert.ok(E.isLeft(result), JSON.stringify(result))
  return E.isLeft(result) ? result.left : ''
}

test('flags win over the file, the file over the command, the command over the table', async () => {
  const path = file('{ "width": 32, "learningRate": 0.5 }')
  assert.equal(
    await read(undefined),
    E.right({ width: 64, learningRate: 0.002, corpus: undefined, name: undefined, dropout: 0 }),
  )
  assert.equal(
    await read(path, { learningRate: '1e-4' }),
    E.right({ width: 32, learningRate: 1e-4, corpus: undefined, name: undefined, dropout: 0 }),
  )
})

test('a text that looks like a number stays a text', async () => {
  assert.equal(
    E.map((values: { readonly corpus: string | undefined; readonly name: string | undefined }) => [
      values.corpus,
      values.name,
    ])(await read(undefined, { corpus: '007', name: '2026.10' })),
    E.right(['007', '2026.10']),
  )
})

test('what cannot be is refused with its name, what was expected and what came', async () => {
  assert.is(await left(undefined, { width: '0' }), '--width: expected a whole number from 1 on, got 0')
  assert.is(
    await left(undefined, { width: 'wide' }),
    '--width: expected a whole number from 1 on, got "wide"',
  )
  assert.is(
    await left(undefined, { learningRate: '-1' }),
    '--learning-rate: expected a number above 0, got -1',
  )
  assert.is(await left(undefined, { dropout: '1' }), '--dropout: expected a number in [0, 1), got 1')
  assert.match(await left(undefined, { name: '../up' }), /^--name: expected a name of letters/)
  assert.match(await left(undefined, { name: '.hidden' }), /^--name/)
})

test('a file that is none, or says what is not known, is refused', async () => {
  assert.match(await left(join(folder, 'nothing.json')), /^config: .*nothing\.json does not exist$/)
  assert.match(await left(folder), /is a folder$/)
  assert.match(await left(file('{ "width": ')), /is not JSON/)
  assert.match(await left(file('[1]')), /expected an object of settings, got \[1\]$/)
  assert.match(await left(file('{ "widht": 3 }')), /widht is not known here; there are width, learningRate/)
  assert.match(await left(file('{ "__proto__": 3 }')), /__proto__ is not known here/)
  assert.match(await left(file('{ "width": "64" }')), /width: expected a whole number from 1 on, got "64"$/)
})

test('any JSON value of any setting is taken or refused in one line', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...(Object.keys(settings) as SettingName[])),
      fc.jsonValue(),
      async (name, value) => {
        const result = await readSettings([name], {}, file(JSON.stringify({ [name]: value })), {})()
        if (E.isRight(result))
          assert.ok(
            settings[name].codec.decode(result.right[name])._tag === 'Right' ||
              result.right[name] === undefined,
          )
        else assert.not.match(result.left, /\n/)
      },
    ),
    { numRuns: 200 },
  ))

test('every command speaks of settings that there are, each once, with fallbacks that are allowed', () => {
  for (const { name, settings: own, fallbacks } of commands) {
    assert.is(new Set(own).size, own.length, name)
    for (const one of own) assert.ok(Object.hasOwn(settings, one), `${name}: ${one}`)
    for (const [one, value] of Object.entries(fallbacks)) {
      assert.ok(own.includes(one as SettingName), `${name}: ${one}`)
      assert.is(settings[one as SettingName].codec.decode(value)._tag, 'Right', `${name}: ${one}`)
    }
  }
  for (const [name, { codec, fallback }] of Object.entries(settings))
    if (fallback !== undefined) assert.is(codec.decode(fallback)._tag, 'Right', name)
})

test('flags are the names in kebab case', () => {
  assert.is(flagOf('learningRate'), '--learning-rate')
  assert.is(flagOf('topK'), '--top-k')
})

test.run()
