/** Tasks with images: a folder as a function from images, or images and texts, to answers. */
import { function as F, taskEither as TE } from 'fp-ts'
import { readConfigFile } from '../checkpoint/folder.ts'
import type { ConfigFile } from '../config.ts'
import type { ImageProcessor } from '../image/index.ts'
import { classifications } from './classify.ts'
import type { Classification, ClassificationOptions } from './classify.ts'
import { similarities, zeroShot } from './compare.ts'
import type { Similarities, SimilarityInput, ZeroShot, ZeroShotInput, ZeroShotOptions } from './compare.ts'
import { features } from './feature.ts'
import type { FeatureOptions, Features } from './feature.ts'
import { architectureOf } from './folder.ts'
import type { Folder } from './folder.ts'
import { comparers, imageClassifiers, imageReaders } from './model.ts'
import type { Doers } from './model.ts'
import { opened } from './open.ts'
import { loadComparer, loadSeer, pixelsOf, readProcessor } from './sight.ts'
import type { Comparer, ImageInput, Seer } from './sight.ts'

export interface ImageFeatureOptions extends FeatureOptions {
  /** Whether it is the model's own summary of the whole that is told, which ViTModel has. False by default. */
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
const openedSeer = <N extends 'ViTModel' | 'ViTForImageClassification'>(
  task: string,
  doers: Doers<N>,
  path: string,
): TE.TaskEither<string, Sight> =>
  F.pipe(
    readConfigFile(path),
    TE.bindTo('file'),
    TE.bind('name', ({ file }) => TE.fromEither(architectureOf(task, doers, { path, file }))),
    TE.bind('processor', () => readProcessor(path)),
    TE.bind('seer', ({ name }) => loadSeer(name, path)),
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
      ({ name }) => !pool || name === 'ViTModel',
      ({ name }) =>
        `image-feature-extraction: ${path} holds ${name}, which has no summary (pool); ViTModel has`,
    ),
    TE.map(({ processor, seer: { side, width, see } }) => async (image) => {
      const { hidden, pooled } = await see(await pixelsOf('image-feature-extraction', processor, side, image))
      return pool ? features(pooled, 1, options) : features(hidden, hidden.length / width, options)
    }),
  )

/** A model that compares, and how images are prepared for it. */
const openedComparer = (
  task: string,
  folder: Folder,
): TE.TaskEither<string, { readonly processor: ImageProcessor; readonly comparer: Comparer }> =>
  F.pipe(
    opened(task, comparers, loadComparer, folder),
    TE.bindTo('comparer'),
    TE.bind('processor', () => readProcessor(folder.path)),
  )

export const openZeroShot = (
  folder: Folder,
  options: ZeroShotOptions,
): Opened<ZeroShotInput, readonly ZeroShot[]> => {
  const task = 'zero-shot-image-classification'
  return F.pipe(
    openedComparer(task, folder),
    TE.map(
      ({ processor, comparer }) =>
        (input) =>
          zeroShot(task, folder, processor, comparer, input, options),
    ),
  )
}

export const openSimilarity = (folder: Folder): Opened<SimilarityInput, Similarities> => {
  const task = 'image-text-similarity'
  return F.pipe(
    openedComparer(task, folder),
    TE.map(
      ({ processor, comparer }) =>
        (input) =>
          similarities(task, folder, processor, comparer, input),
    ),
  )
}
