/** preprocessor_config.json: how images become the numbers that a model was trained on. */
import { either as E } from 'fp-ts'
import { argumentError } from '../../core/error.ts'
import { isRecord } from '../record.ts'
import { checkImage, planesOf } from './raw.ts'
import type { RawImage } from './raw.ts'
import { centreCrop, resamplings, resize } from './resize.ts'
import type { Resampling } from './resize.ts'

/** The size of an image, or of its shorter side with the proportions kept. */
export type Size = { readonly width: number; readonly height: number } | { readonly shortest: number }

export interface ImageProcessor {
  readonly resize: { readonly size: Size; readonly resampling: Resampling } | undefined
  readonly crop: { readonly width: number; readonly height: number } | undefined
  /** By what bytes are multiplied; 1 where they are left as they are. */
  readonly scale: number
  /** What is taken off red, green and blue, and by what the rest is divided. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | undefined
}

/** The numbers of an image: [3, height, width]. */
export interface Pixels {
  readonly data: Float32Array
  readonly width: number
  readonly height: number
}

interface Usual {
  readonly size: number
  readonly isSquare: boolean
  readonly resample: number
  readonly crop: number | undefined
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

const half = [0.5, 0.5, 0.5]

/** What is so where a file says nothing, by the name that it gives its processor. */
const usual: Readonly<Record<string, Usual>> = {
  ViT: { size: 224, isSquare: true, resample: 2, crop: undefined, mean: half, deviation: half },
  DeiT: { size: 256, isSquare: true, resample: 3, crop: 224, mean: half, deviation: half },
  CLIP: {
    size: 224,
    isSquare: false,
    resample: 3,
    crop: 224,
    mean: [0.48145466, 0.4578275, 0.40821073],
    deviation: [0.26862954, 0.26130258, 0.27577711],
  },
}

type Json = Readonly<Record<string, unknown>>

/** Larger images than any model sees are a mistake. */
const largest = 2 ** 14

const isSide = (x: unknown): x is number =>
  Number.isSafeInteger(x) && (x as number) > 0 && (x as number) <= largest

const shown = (x: unknown): string => (JSON.stringify(x) ?? String(x)).slice(0, 80)

/** Old files have one number, or a list of two, where newer ones have names. */
const sizeFrom = (key: string, value: unknown, isSquare: boolean): E.Either<string, Size> => {
  if (isSide(value)) return E.right(isSquare ? { width: value, height: value } : { shortest: value })
  const sides = Array.isArray(value) ? { height: value[0] as unknown, width: value[1] as unknown } : value
  if (isRecord(sides)) {
    const { width, height, shortest_edge: shortest, longest_edge: longest } = sides
    if (isSide(width) && isSide(height)) return E.right({ width, height })
    if (isSide(shortest) && (longest === undefined || longest === null)) return E.right({ shortest })
  }
  return E.left(
    `${key}: expected a number, {"height", "width"} or {"shortest_edge"}, of 1 to ${largest}, got ${shown(value)}`,
  )
}

/** Three numbers, or one for all three. */
const threeFrom = (key: string, value: unknown): E.Either<string, readonly number[]> => {
  const list = typeof value === 'number' ? [value, value, value] : value
  return Array.isArray(list) && list.length === 3 && list.every((x) => Number.isFinite(x))
    ? E.right(list as readonly number[])
    : E.left(`${key}: expected a number for each of red, green and blue, got ${shown(value)}`)
}

const flagFrom = (file: Json, key: string, otherwise: boolean): E.Either<string, boolean> => {
  const value = file[key] ?? otherwise
  return typeof value === 'boolean'
    ? E.right(value)
    : E.left(`${key}: expected true or false, got ${shown(value)}`)
}

const usualOf = (file: Json): E.Either<string, Usual> => {
  const name = file['image_processor_type'] ?? file['feature_extractor_type']
  // Files that say nothing at all are as old as the first ViT.
  const kind =
    name === undefined
      ? 'ViT'
      : /^(\w+?)(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/.exec(String(name))?.[1]
  const found = kind !== undefined && Object.hasOwn(usual, kind) ? usual[kind] : undefined
  return found === undefined
    ? E.left(`${shown(name)} is no processor that is known; ${Object.keys(usual).join(', ')} are`)
    : E.right(found)
}

/**
 * Reads the parsed contents of a preprocessor_config.json, in old spellings and new ones. Left: every complaint.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts'
 * const read = imageProcessorFromJson({ image_processor_type: 'ViTImageProcessor', size: 32 })
 * if (E.isRight(read)) console.log(read.right.resize) // => { size: { width: 32, height: 32 }, resampling: 'bilinear' }
 * ```
 */
export const imageProcessorFromJson = (json: unknown): E.Either<readonly string[], ImageProcessor> => {
  if (!isRecord(json))
    return E.left([`expected the contents of a preprocessor_config.json, got ${shown(json)}`])
  const kind = usualOf(json)
  if (E.isLeft(kind)) return E.left([kind.left])
  const own = kind.right
  const complaints: string[] = []
  const take = <A>(read: E.Either<string, A>, otherwise: A): A => {
    if (E.isRight(read)) return read.right
    complaints.push(read.left)
    return otherwise
  }
  const doResize = take(flagFrom(json, 'do_resize', true), true)
  const doCrop = take(flagFrom(json, 'do_center_crop', own.crop !== undefined), false)
  const doRescale = take(flagFrom(json, 'do_rescale', true), true)
  const doNormalise = take(flagFrom(json, 'do_normalize', true), true)
  const size = take(sizeFrom('size', json['size'] ?? own.size, own.isSquare), { shortest: 1 })
  const crop = take(sizeFrom('crop_size', json['crop_size'] ?? own.crop ?? 224, true), { shortest: 1 })
  const resample = json['resample'] ?? own.resample
  const resampling = typeof resample === 'number' ? resamplings[resample] : undefined
  const scale = json['rescale_factor'] ?? 1 / 255
  const mean = take(threeFrom('image_mean', json['image_mean'] ?? own.mean), half)
  const deviation = take(threeFrom('image_std', json['image_std'] ?? own.deviation), half)
  const names = json['model_input_names']
  if (resampling === undefined) complaints.push(`resample: expected 0 to 5, got ${shown(resample)}`)
  if (typeof scale !== 'number' || !Number.isFinite(scale))
    complaints.push(`rescale_factor: expected a number, got ${shown(scale)}`)
  if (deviation.includes(0)) complaints.push('image_std: there is a 0, by which nothing can be divided')
  if (doCrop && 'shortest' in crop)
    complaints.push(`crop_size: expected a height and a width, got ${shown(json['crop_size'])}`)
  if (json['do_pad'] === true) complaints.push('do_pad: images are not padded here')
  if (names !== undefined && !(Array.isArray(names) && names.includes('pixel_values')))
    complaints.push(
      `model_input_names: expected pixel_values, which is what comes of images, got ${shown(names)}`,
    )
  if (complaints.length > 0) return E.left(complaints)
  return E.right({
    resize: doResize ? { size, resampling: resampling as Resampling } : undefined,
    crop: doCrop && 'width' in crop ? crop : undefined,
    scale: doRescale ? (scale as number) : 1,
    normalise: doNormalise ? { mean, deviation } : undefined,
  })
}

/** The size to which an image is brought: in proportion, its longer side is cut to whole points. */
const target = (size: Size, width: number, height: number): readonly [width: number, height: number] => {
  if ('width' in size) return [size.width, size.height]
  const { shortest } = size
  const longer = Math.trunc((shortest * Math.max(width, height)) / Math.min(width, height))
  return width <= height ? [shortest, longer] : [longer, shortest]
}

/** Points of an image between resizing and cropping. */
const mostPoints = 2 ** 28

/**
 * The numbers of an image, in float32: the same as those of Transformers' processors with Pillow.
 *
 * @throws PullbackError when the image has no size, other channels than four, or is stretched beyond all measure.
 * @example
 * ```ts
 * import { either as E } from 'fp-ts'
 * const read = imageProcessorFromJson({ image_processor_type: 'ViTImageProcessor', size: 2 })
 * const red = { data: Uint8Array.from({ length: 64 }, (_, i) => (i % 4 === 0 ? 255 : 0)), width: 4, height: 4 }
 * if (E.isRight(read)) console.log([...preprocess(read.right, red).data]) // => [1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1]
 * ```
 */
export const preprocess = (processor: ImageProcessor, raw: RawImage, operation = 'preprocess'): Pixels => {
  checkImage(operation, raw)
  let image = planesOf(raw)
  if (processor.resize !== undefined) {
    const [width, height] = target(processor.resize.size, image.width, image.height)
    if (width * height > mostPoints || width * image.height > mostPoints)
      throw argumentError(
        operation,
        `the image is ${image.width} by ${image.height}, too narrow to be made ${width} by ${height}`,
      )
    image = resize(image, width, height, processor.resize.resampling)
  }
  if (processor.crop !== undefined) image = centreCrop(image, processor.crop.width, processor.crop.height)
  const { scale, normalise } = processor
  const points = image.width * image.height
  const data = new Float32Array(3 * points)
  for (let channel = 0; channel < 3; channel++) {
    const mean = Math.fround(normalise?.mean[channel] ?? 0)
    const deviation = Math.fround(normalise?.deviation[channel] ?? 1)
    // Each step in float32, as there; a byte has only so many values.
    const of = Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround(Math.fround(Math.fround(byte * scale) - mean) / deviation),
    )
    for (let i = channel * points; i < (channel + 1) * points; i++)
      data[i] = of[image.data[i] as number] as number
  }
  return { data, width: image.width, height: image.height }
}
