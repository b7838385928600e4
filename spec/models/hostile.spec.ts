/**
 * Files that are nearly right: whatever of a valid one is changed, it is read or refused in one sentence, without an
 * exception and without more memory than the file asks for. With those of spec/core/safetensors and
 * spec/models/tokenizer, 20,000 cases and more.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PullbackError } from '../../core/index.ts'
import { decodeSafetensors, decodeSafetensorsHeader } from '../../core/safetensors.ts'
import * as models from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import type { Layer } from '../../nn/index.ts'

const hostile = suite('files that are nearly right')

const fixtures = fileURLToPath(new URL('../fixtures/models', import.meta.url))
const scratch = mkdtempSync(`${tmpdir()}/pullback-hostile-`)
hostile.after(() => rmSync(scratch, { recursive: true }))

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What may stand in the place of anything. */
const anything: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, -1, 0, 0.5, 1e308, 2 ** 31, 2 ** 53, '', '\ud800', [], {}, [[]]),
  fc.constantFrom<Json>('../../etc/passwd', '/etc/passwd', 'a\0b', 'F32', '__proto__', 'x'.repeat(5000)),
  fc.constantFrom<Json>([0, -4], [4, 0], [0, 2 ** 60], [-(2 ** 53), 0], [2 ** 31, 2 ** 31, 2 ** 31]),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)

/** Picks a place by numbers: how deep, and which member at each step. */
const changed = (json: Json, steps: readonly number[], value: Json): Json => {
  const [step, ...rest] = steps
  if (step === undefined || typeof json !== 'object' || json === null) return value
  const keys = Object.keys(json)
  if (keys.length === 0) return value
  const key = keys[step % keys.length] as string
  const inner = changed((json as Readonly<Record<string, Json>>)[key] as Json, rest, value)
  if (Array.isArray(json)) return (json as readonly Json[]).map((old, i) => (`${i}` === key ? inner : old))
  // A name may be changed as well as what it names.
  const name = step % 7 === 6 ? (step % 2 === 0 ? '__proto__' : `${key}x`) : key
  return Object.fromEntries(Object.entries(json).map(([k, old]) => (k === key ? [name, inner] : [k, old])))
}

const steps = fc.array(fc.nat(1000), { maxLength: 4 })

const sentence = /^[^\n]{1,6000}$/

const text = (value: unknown): string => JSON.stringify(value)

const file = (header: string, bytes: number): Uint8Array => {
  const head = new TextEncoder().encode(header)
  const whole = new Uint8Array(8 + head.length + bytes)
  new DataView(whole.buffer).setBigUint64(0, BigInt(head.length), true)
  whole.set(head, 8)
  return whole
}

hostile('the header of a safetensors file', () => {
  const valid: Json = {
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    b: { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
    c: { dtype: 'I64', shape: [], data_offsets: [32, 40] },
  }
  fc.assert(
    fc.property(steps, anything, fc.nat(64), (where, value, bytes) => {
      const whole = file(text(changed(valid, where, value)), bytes)
      const decoded = decodeSafetensors(whole)
      if (E.isLeft(decoded)) assert.match(decoded.left, sentence)
      else
        for (const { shape, data } of decoded.right.tensors.values())
          assert.is(
            shape.reduce((n, size) => n * size, 1),
            data.length,
          )
      // The header alone says the same of a file that claims another size.
      const told = decodeSafetensorsHeader(whole, whole.length + bytes)
      if (E.isLeft(told)) assert.match(told.left, sentence)
    }),
    { numRuns: 8000 },
  )
})

hostile('a header that names a tensor twice, or names what every object has', () => {
  const one = '"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
  const left = (decoded: ReturnType<typeof decodeSafetensors>): string =>
    E.isLeft(decoded) ? decoded.left : 'was read'
  assert.match(left(decodeSafetensors(file(`{${one},${one}}`, 1))), 'twice')
  assert.match(left(decodeSafetensors(file(`{${one},${one.replace('"a"', '"b"')}}`, 1))), sentence)
  assert.match(left(decodeSafetensors(file(`{${one.replace('"a"', '"__proto__"')}}`, 1))), '__proto__')
  assert.is(({} as { dtype?: unknown }).dtype, undefined)
})

type Any = Architecture<object, unknown, never, unknown>

const configs = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => JSON.parse(readFileSync(`${fixtures}/${name}/config.json`, 'utf8')) as Json)

hostile('config.json of every family', async () => {
  let read = 0
  const empty = { tensors: new Map(), read: () => () => Promise.reject(new Error('there is nothing')) }
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...configs), steps, anything, async (config, where, value) => {
      const own = changed(config, where, value)
      const [name] = (config as { readonly architectures: readonly string[] }).architectures
      const architecture = models.architectures[name as keyof typeof models.architectures] as unknown as Any
      const decoded = models.decodeConfig(architecture.codec, own)
      if (E.isLeft(decoded)) {
        for (const complaint of decoded.left) assert.match(complaint, /^[^\n]{1,12000}$/)
        return
      }
      read++
      const layer = ((): Layer<unknown, never, unknown> | undefined => {
        try {
          return architecture.layer(decoded.right)
        } catch (error) {
          assert.instance(error, PullbackError)
          return undefined
        }
      })()
      if (layer === undefined) return
      const params = await models.readParams(layer, architecture.names(decoded.right), empty)()
      assert.ok(E.isLeft(params))
      assert.match(params.left, /^(the checkpoint does not fit the model: missing |config\.json: )/)
    }),
    { numRuns: 6000 },
  )
  assert.ok(read > 500, `${read} were read`)
})

hostile('the index of shards, and pieces of a file that ends early', async () => {
  const name = 'transformer.ln_f.weight'
  const bytes = readFileSync(`${fixtures}/gpt2/model.safetensors`)
  const folder = `${scratch}/shards`
  mkdirSync(folder)
  writeFileSync(`${folder}/a.safetensors`, bytes)
  const valid: Json = {
    metadata: { total_size: 9 },
    weight_map: { [name]: 'a.safetensors', b: 'a.safetensors' },
  }
  await fc.assert(
    fc.asyncProperty(steps, anything, async (where, value) => {
      writeFileSync(`${folder}/model.safetensors.index.json`, text(changed(valid, where, value)))
      const source = await models.folderSource(folder)()
      if (E.isLeft(source)) assert.match(source.left, sentence)
      else
        for (const tensor of source.right.tensors.keys()) {
          const one = await source.right.read(tensor)()
          if (E.isLeft(one)) assert.match(one.left, sentence)
        }
    }),
    { numRuns: 1500 },
  )
  const cut = `${scratch}/cut`
  mkdirSync(cut)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
      writeFileSync(`${cut}/model.safetensors`, bytes.subarray(0, length))
      const source = await models.folderSource(cut)()
      assert.ok(E.isLeft(source))
      assert.match(source.left, sentence)
    }),
    { numRuns: 500 },
  )
})

hostile('checkpoints that only Python can read are refused with what converts them', async () => {
  for (const file of ['pytorch_model.bin', 'model.pt', 'pytorch_model-00001-of-00002.bin', 'weights.pth']) {
    const folder = mkdtempSync(`${scratch}/pickle-`)
    writeFileSync(`${folder}/${file}`, 'no archive')
    const source = await models.folderSource(folder)()
    assert.ok(E.isLeft(source))
    assert.match(source.left, `has ${file}, which only Python can read; convert it with: python -c`)
  }
})

hostile('a config of many megabytes is not read', async () => {
  const folder = mkdtempSync(`${scratch}/giant-`)
  writeFileSync(`${folder}/config.json`, Buffer.alloc(65 * 2 ** 20, ' '))
  const config = await models.readConfigFile(folder)()
  assert.ok(E.isLeft(config))
  assert.match(config.left, 'at most')
})

hostile.run()
