/** Images as Transformers' processors prepare them, to the bit; and what cannot be prepared. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PullbackError } from '../../../core/index.ts'
import { decodeSafetensors } from '../../../core/safetensors.ts'
import { imageProcessorFromJson, preprocess } from '../../../models/index.ts'
import type { ImageProcessor, RawImage } from '../../../models/index.ts'
import { centreCrop, resamplings, resize } from '../../../models/image/resize.ts'

const test = suite('image processors')

const folder = fileURLToPath(new URL('../../fixtures/images', import.meta.url))
const found = decodeSafetensors(new Uint8Array(readFileSync(`${folder}/processors.safetensors`)))
if (E.isLeft(found)) throw new Error(found.left)
const { tensors } = found.right
const cases = JSON.parse(readFileSync(`${folder}/processors.json`, 'utf8')) as readonly {
  readonly config: Readonly<Record<string, unknown>>
  readonly image: string
}[]

const processorOf = (config: unknown): ImageProcessor => {
  const read = imageProcessorFromJson(config)
  if (E.isLeft(read)) throw new Error(read.left.join('; '))
  return read.right
}

const imageOf = (name: string): RawImage => {
  const tensor = tensors.get(`image.${name}`)
  const [height, width] = tensor?.shape as readonly [number, number]
  return { data: tensor?.data as Uint8Array, width, height }
}

for (const [i, { config, image }] of cases.entries())
  test(`${i}: ${image} by ${JSON.stringify(config)}`, () => {
    const wanted = tensors.get(`pixels.${i}`)
    const { data, width, height } = preprocess(processorOf(config), imageOf(image))
    assert.equal([3, height, width], wanted?.shape)
    // Theirs are bytes where they are neither scaled nor normalised.
    const theirs = Float32Array.from(wanted?.data as Uint8Array | Float32Array)
    const worst = theirs.reduce((most, x, at) => Math.max(most, Math.abs(x - (data[at] as number))), 0)
    assert.is(worst, 0)
  })

test('an image of one colour stays so in any size and by any weights', () => {
  const side = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...resamplings),
      (width, height, to, high, byte, how) => {
        const { data } = resize(
          { data: new Uint8Array(3 * width * height).fill(byte), width, height },
          to,
          high,
          how,
        )
        assert.is(data.length, 3 * to * high)
        assert.ok(data.every((x) => x === byte))
      },
    ),
  )
})

test('resizing turns with the image', () => {
  const turned = (data: Uint8Array, width: number, height: number): Uint8Array =>
    Uint8Array.from(data, (_, i) => {
      const [channel, at] = [Math.floor(i / (width * height)), i % (width * height)]
      return data[channel * width * height + width * height - 1 - at] as number
    })
  const side = fc.integer({ min: 1, max: 24 })
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.constantFrom('bilinear', 'bicubic', 'lanczos', 'hamming'),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (width, height, to, high, how, bytes) => {
        const data = Uint8Array.from({ length: 3 * width * height }, () => bytes.next().value as number)
        const plain = resize({ data, width, height }, to, high, how).data
        const other = resize({ data: turned(data, width, height), width, height }, to, high, how).data
        // Halves are rounded the same way, and so are weights, whichever side they come from.
        assert.ok(turned(other, to, high).every((x, i) => Math.abs(x - (plain[i] as number)) <= 1))
      },
    ),
    { numRuns: 60 },
  )
})

test('a crop as large as the image is the image, and a larger one has it in its middle', () => {
  const { data, width, height } = {
    data: Uint8Array.from({ length: 3 * 5 * 4 }, (_, i) => i + 1),
    width: 5,
    height: 4,
  }
  assert.equal(centreCrop({ data, width, height }, 5, 4).data, data)
  const wide = centreCrop({ data, width, height }, 9, 8)
  assert.equal(centreCrop(wide, 5, 4).data, data)
  assert.is(wide.data.filter((x) => x > 0).length, data.length)
})

test('files that cannot be', () => {
  const left = (config: unknown): string => {
    const read = imageProcessorFromJson(config)
    return E.isLeft(read) ? read.left.join('; ') : 'it was read'
  }
  const vit = { image_processor_type: 'ViTImageProcessor' }
  assert.match(left([]), 'expected the contents of a preprocessor_config.json')
  assert.match(
    left({ image_processor_type: 'DonutImageProcessor' }),
    'no processor that is known; ViT, DeiT, CLIP are',
  )
  assert.match(left({ image_processor_type: '__proto__ImageProcessor' }), 'no processor that is known')
  for (const size of [
    0,
    -1,
    1.5,
    'large',
    {},
    { height: 3 },
    { shortest_edge: 1e9 },
    { shortest_edge: 3, longest_edge: 4 },
    [3],
    [3, 0],
  ])
    assert.match(left({ ...vit, size }), 'size: expected a number')
  assert.match(left({ ...vit, resample: 9 }), 'resample: expected 0 to 5, got 9')
  assert.match(left({ ...vit, resample: 'bicubic' }), 'resample: expected 0 to 5')
  assert.match(left({ ...vit, image_mean: [1, 2] }), 'image_mean: expected a number for each of')
  assert.match(left({ ...vit, image_std: [1, 0, 1] }), 'image_std: there is a 0')
  assert.match(left({ ...vit, do_resize: 'yes' }), 'do_resize: expected true or false')
  assert.match(
    left({ ...vit, do_center_crop: true, crop_size: { shortest_edge: 3 } }),
    'crop_size: expected a height',
  )
  assert.match(left({ ...vit, rescale_factor: 'x' }), 'rescale_factor: expected a number')
  assert.match(left({ ...vit, do_pad: true }), 'not padded')
  assert.match(
    left({ ...vit, model_input_names: ['pixel_mask'] }),
    'model_input_names: expected pixel_values',
  )
  assert.match(left({ ...vit, size: 0, resample: 9 }), /size: .*; resample: /)
})

test('images that cannot be', () => {
  const refused = (
    image: unknown,
    config: unknown = { image_processor_type: 'CLIPImageProcessor' },
  ): string => {
    try {
      preprocess(processorOf(config), image as RawImage)
    } catch (error) {
      assert.instance(error, PullbackError)
      return (error as Error).message
    }
    return 'nothing was refused'
  }
  const data = new Uint8Array(4 * 6)
  assert.match(refused({ data: new Uint8Array(0), width: 0, height: 0 }), 'the image is 0 by 0')
  assert.match(refused({ data, width: 6, height: 0 }), 'the image is 6 by 0')
  assert.match(refused({ data, width: -2, height: -3 }), 'it must have a width and a height')
  assert.match(refused({ data, width: 1.5, height: 4 }), 'it must have a width and a height')
  assert.match(
    refused({ data: new Uint8Array(18), width: 2, height: 3 }),
    'has 3 numbers a point, it must have 4',
  )
  assert.match(refused({ data: new Uint8Array(23), width: 2, height: 3 }), 'takes 24 bytes, but has 23')
  assert.match(refused({ data: [...data], width: 2, height: 3 }), 'must be bytes')
  assert.match(refused({ data: new Float32Array(24), width: 2, height: 3 }), 'must be bytes')
  const line = { data: new Uint8Array(4 * 100_000), width: 100_000, height: 1 }
  assert.match(refused(line), 'too narrow to be made')
})

test.run()
