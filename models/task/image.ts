/** Tasks with images: a folder as a function from images, or images and texts, to answers. */
import { function as F, taskEither as TE } from 'fp-ts'
import { readConfigFile } from '../checkpoint/folder.ts'
import type { ConfigFile } from '../config/codec.ts'
import type { ImageProcessor } from '../image/index.ts'
import { classifications } from './classify.ts'
import type { Classification, ClassificationOptions } from './classify.ts'
import { similarities, zeroShot } from './compare.ts'
import type {
  Comparison,
  Similarities,
  SimilarityInput,
  ZeroShot,
  ZeroShotInput,
  ZeroShotOptions,
} from './compare.ts'
import { features } from './feature.ts'
import type { FeatureOptions, Features } from './feature.ts'
import type { Folder } from './folder.ts'
import { doerOf, opened } from './open.ts'
import type { Doer } from './open.ts'
import { comparers, imageClassifiers, imageReaders, pixelsOf, readProcessor } from './sight.ts'
import type { ImageInput, Seer } from './sight.ts'

export interface ImageFeatureOptions extends FeatureOptions {
  /** Whether it is the model's own summary of the whole that is told, which all have but classifiers. False by default. */
  readonly pool?: boolean | undefined
}

type Opened<I, O> = TE.TaskEither<string, (input: I) => Promise<O>>

interface Sight {
  readonly name: string
  /** config.json as it stands there. */
  readonly file: ConfigFile
  readonly processor: ImageProcessor
  readonly seer: Seer
}

/** A model that sees, of those that do the task; its folder needs no tokenizer. */
const openedSeer = (task: string, doers: readonly Doer<Seer>[], path: string): TE.TaskEither<string, Sight> =>
  F.pipe(
    readConfigFile(path),
    TE.bindTo('file'),
    TE.bind('doer', ({ file }) => TE.fromEither(doerOf(task, doers, { path, file }))),
    TE.bind('processor', () => readProcessor(path)),
    TE.bind('seer', ({ doer }) => doer.load(path)),
    TE.map(({ doer: { name }, ...sight }) => ({ name, ...sight })),
  )

export const openImageClassifier = (
  path: string,
  { topK = 5, ...options }: ClassificationOptions,
): Opened<ImageInput, readonly Classification[]> =>
  F.pipe(
    openedSeer('image-classification', imageClassifiers, path),
    TE.map(({ file, processor, seer: { labels, side, see } }) => async (image) => {
      const { logits } = await see(await pixelsOf('image-classification', processor, side, image))
      return classifications(logits, labels, file['problem_type'], { topK, ...options })
    }),
  )

export const openImageFeatures = (
  path: string,
  { pool = false, ...options }: ImageFeatureOptions,
): Opened<ImageInput, Features> =>
  F.pipe(
    openedSeer('image-feature-extraction', imageReaders, path),
    TE.filterOrElse(
      ({ name }) => !pool || name !== 'ViTForImageClassification',
      ({ name }) =>
        `image-feature-extraction: ${path} holds ${name}, which has no summary (pool); ViTModel has`,
    ),
    TE.map(({ processor, seer: { side, width, see } }) => async (image) => {
      const { hidden, pooled } = await see(await pixelsOf('image-feature-extraction', processor, side, image))
      return pool ? features(pooled, 1, options) : features(hidden, hidden.length / width, options)
    }),
  )

/** A model that compares texts and images, as the function that it is used for. */
const comparing =
  <I, O, P>(task: string, answer: (comparison: Comparison, input: I, options: P) => Promise<O>) =>
  (folder: Folder, options: P): Opened<I, O> =>
    F.pipe(
      opened(task, comparers, folder),
      TE.bindTo('comparer'),
      TE.bind('processor', () => readProcessor(folder.path)),
      TE.map((models) => (input) => answer({ task, folder, ...models }, input, options)),
    )

export const openZeroShot: (
  folder: Folder,
  options: ZeroShotOptions,
) => Opened<ZeroShotInput, readonly ZeroShot[]> = comparing('zero-shot-image-classification', zeroShot)

export const openSimilarity: (folder: Folder, options: object) => Opened<SimilarityInput, Similarities> =
  comparing('image-text-similarity', similarities)
