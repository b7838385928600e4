/** zero-shot-image-classification and image-text-similarity: which of texts in one's own words fit an image. */
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { hypotheses } from './entail.ts'
import { encodeWhole } from './folder.ts'
import type { Folder } from './folder.ts'
import { roleId } from './words.ts'
import { softmax } from './score.ts'
import { pixelsOf } from './sight.ts'
import type { Comparer, ImageInput } from './sight.ts'
import type { ImageProcessor } from '../image/index.ts'

export interface ZeroShotInput {
  readonly image: ImageInput
  /** What the image may be of. */
  readonly candidateLabels: readonly string[]
}

export interface ZeroShotOptions {
  /** The text that is made of a label, which stands in it as `{}`. `This is a photo of {}.` by default. */
  readonly hypothesisTemplate?: string | undefined
}

export interface ZeroShot {
  readonly score: number
  readonly label: string
}

export interface SimilarityInput {
  readonly images: readonly ImageInput[]
  readonly texts: readonly string[]
}

/** The cosine between each image and each text: [image][text]. */
export type Similarities = readonly (readonly number[])[]

/** What compares texts and images, for a task. */
export interface Comparison {
  readonly task: string
  readonly folder: Folder
  readonly processor: ImageProcessor
  readonly comparer: Comparer
}

/** The directions of texts. All are encoded, and so checked, before any is read. */
const directionsOf = async (
  { task, folder, comparer: { maxLength, readText } }: Comparison,
  texts: readonly string[],
): Promise<readonly Float32Array[]> => {
  const encodings = texts.map((text) => encodeWhole(task, folder, maxLength, text))
  const padding = roleId(folder, 'pad') ?? roleId(folder, 'eos') ?? 0
  const found: Float32Array[] = []
  for (const { ids } of encodings) found.push(await readText(ids, padding))
  return found
}

const imageOf = ({ task, processor, comparer }: Comparison, image: ImageInput): Promise<Tensor> =>
  pixelsOf(task, processor, comparer.side, image)

const product = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)

/** Which label an image has, each as likely as the others before it is seen. */
export const zeroShot = async (
  comparison: Comparison,
  { image, candidateLabels }: ZeroShotInput,
  { hypothesisTemplate = 'This is a photo of {}.' }: ZeroShotOptions,
): Promise<readonly ZeroShot[]> => {
  const { task, comparer } = comparison
  const texts = hypotheses(task, candidateLabels, hypothesisTemplate)
  const pixels = await imageOf(comparison, image)
  const directions = await directionsOf(comparison, texts)
  const seen = await comparer.seeImage(pixels)
  const scores = softmax(directions.map((direction) => comparer.scale * product(direction, seen)))
  return candidateLabels
    .map((label, i) => ({ score: scores[i] as number, label }))
    .sort((a, b) => b.score - a.score)
}

/** How well each image fits each text. */
export const similarities = async (
  comparison: Comparison,
  { images, texts }: SimilarityInput,
): Promise<Similarities> => {
  const { task, comparer } = comparison
  if (images.length === 0 || texts.length === 0)
    throw argumentError(
      task,
      `there must be images and texts to compare, got ${images.length} and ${texts.length}`,
    )
  const pixels: Tensor[] = []
  for (const image of images) pixels.push(await imageOf(comparison, image))
  const directions = await directionsOf(comparison, texts)
  const found: (readonly number[])[] = []
  for (const own of pixels) {
    const seen = await comparer.seeImage(own)
    found.push(directions.map((direction) => product(direction, seen)))
  }
  return found
}
