/** Files of images: what Pillow sees in them, to the byte; cut, spoilt and hostile ones. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSafetensors } from '../../../core/safetensors.ts'
import { decodeImage, readImage } from '../../../models/index.ts'
import type { RawImage } from '../../../models/index.ts'
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

/** Exif that says how an image lies, in either order of bytes. */
const exif = (orientation: number, little: boolean): Uint8Array => {
  const view = new DataView(new ArrayBuffer(26))
  view.setUint16(0, little ? 0x4949 : 0x4d4d)
  view.setUint16(2, 42, little)
  view.setUint32(4, 8, little)
  view.setUint16(8, 1, little)
  view.setUint16(10, 0x0112, little)
  view.setUint16(12, 3, little)
  view.setUint32(14, 1, little)
  view.setUint16(18, orientation, little)
  return new Uint8Array(view.buffer)
}

const withExif = (png: Uint8Array, content: Uint8Array): Uint8Array => {
  const chunk = Buffer.alloc(12 + content.length)
  chunk.writeUInt32BE(content.length)
  chunk.write('eXIf', 4, 'latin1')
  chunk.set(content, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length)
  return new Uint8Array(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]))
}

test('a PNG is turned as its Exif says, as by Pillow’s exif_transpose', async () => {
  const read = async (bytes: Uint8Array): Promise<RawImage> => {
    const image = await decodeImage(bytes)()
    if (E.isLeft(image)) throw new Error(image.left)
    return image.right
  }
  const plain = await read(fileOf('colour.png'))
  const { width: w, height: h } = plain
  const at = ({ data, width }: RawImage, x: number, y: number): string =>
    data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3).join()
  const corners = [at(plain, 0, 0), at(plain, w - 1, 0), at(plain, 0, h - 1), at(plain, w - 1, h - 1)]
  // which of the file's corners come out left and right above, left and right below
  const order = ['0123', '1032', '3210', '2301', '0213', '2031', '3120', '1302']
  for (const [i, places] of order.entries()) {
    const image = await read(withExif(fileOf('colour.png'), exif(i + 1, i % 2 === 0)))
    assert.equal([image.width, image.height], i < 4 ? [w, h] : [h, w])
    const [x, y] = [image.width - 1, image.height - 1]
    assert.equal(
      [at(image, 0, 0), at(image, x, 0), at(image, 0, y), at(image, x, y)],
      [...places].map((place) => corners[Number(place)]),
      `orientation ${i + 1}`,
    )
  }
  for (const spoilt of [
    exif(9, true),
    exif(6, true).subarray(0, 15),
    new Uint8Array(3),
    new Uint8Array(26).fill(255),
  ])
    assert.equal((await read(withExif(fileOf('colour.png'), spoilt))).data, plain.data)
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
