/** Files of images: what Pillow sees in them, to the byte; cut, spoilt and hostile ones. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSafetensors } from '../../../core/safetensors.ts'
import { decodeImage, readImage } from '../../../models/index.ts'
import { headerOf } from '../../../models/image/header.ts'

const test = suite('image files')

const folder = fileURLToPath(new URL('../../fixtures/images', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'pullback-image-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

const found = decodeSafetensors(new Uint8Array(readFileSync(`${folder}/files.safetensors`)))
if (E.isLeft(found)) throw new Error(found.left)
const seen = found.right.tensors
const fileOf = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/files/${name}`))
const names = [...seen.keys()].sort()

for (const name of names)
  test(`${name} is what Pillow sees`, async () => {
    const read = await readImage(`${folder}/files/${name}`)()
    if (E.isLeft(read)) throw new Error(read.left)
    const { data, width, height } = read.right
    const wanted = seen.get(name)
    assert.equal([height, width, 3], wanted?.shape)
    const colours = data.filter((_, i) => i % 4 !== 3)
    assert.ok(colours.every((x, i) => x === wanted?.data[i]))
  })

test('kinds of image that are not read, and files that are no images', async () => {
  const left = async (bytes: Uint8Array): Promise<string> => {
    const read = await decodeImage(bytes)()
    return E.isLeft(read) ? read.left : 'it was read'
  }
  assert.is(await left(fileOf('table.gif')), 'it is no PNG, JPEG or WebP')
  assert.is(await left(fileOf('ink.jpg')), 'it has four inks, only grey and colours are read')
  assert.is(await left(new Uint8Array(0)), 'it is empty')
  assert.is(await left(new TextEncoder().encode('an image')), 'it is no PNG, JPEG or WebP')
  const path = join(scratch, 'cut.png')
  writeFileSync(path, fileOf('colour.png').subarray(0, 500))
  assert.equal(await readImage(path)(), E.left(`${path} cannot be seen: it is cut off`))
  assert.equal(await readImage(scratch)(), E.left(`${scratch} is a folder`))
})

test('a file that is cut anywhere is refused', async () => {
  for (const name of readdirSync(`${folder}/files`)) {
    const bytes = fileOf(name)
    for (let end = 0; end < bytes.length - 1; end += 7)
      assert.ok(
        E.isLeft(await decodeImage(bytes.subarray(0, end))()),
        `${name} cut at ${end} of ${bytes.length}`,
      )
  }
})

test('images that claim to be immense are not even begun', async () => {
  const png = Uint8Array.from(fileOf('colour.png'))
  new DataView(png.buffer).setUint32(16, 100_000)
  new DataView(png.buffer).setUint32(20, 100_000)
  assert.match(E.toUnion(headerOf(png)) as string, 'it is 100000 by 100000, at most')
  new DataView(png.buffer).setUint32(20, 0)
  assert.is(E.toUnion(headerOf(png)), 'it is 100000 by 0')
})

test('spoilt files are refused, or are an image of the size that they tell', async () => {
  const spoilt = fc.tuple(
    fc.constantFrom(...names),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
  )
  await fc.assert(
    fc.asyncProperty(spoilt, async ([name, changes]) => {
      const bytes = fileOf(name)
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      const read = await decodeImage(bytes)()
      if (E.isLeft(read)) return
      const { data, width, height } = read.right
      const header = headerOf(bytes)
      if (E.isLeft(header)) throw new Error('read without a header')
      assert.is(width * height, header.right.width * header.right.height)
      assert.is(data.length, 4 * width * height)
    }),
    { numRuns: 800 },
  )
})

test.run()
