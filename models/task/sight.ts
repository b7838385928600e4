/** Models that see, as tasks use them: the numbers of one image in, rows of numbers out. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { exp, fromArray, item, jit, tensor, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import { evaluation } from '../../nn/index.ts'
import { clipImageEmbeddings, clipTextEmbeddings } from '../clip.ts'
import type { ClipTextInput, ClipVisionInput } from '../clip.ts'
import type { Architecture } from '../checkpoint/architecture.ts'
import { optionalJson } from '../checkpoint/file.ts'
import { loadModel } from '../checkpoint/folder.ts'
import { architectures } from '../checkpoint/known.ts'
import { bucketOf } from '../generate/readable.ts'
import { imageProcessorFromJson, preprocess, readImage } from '../image/index.ts'
import type { ImageProcessor, RawImage } from '../image/index.ts'
import { decodeImage } from '../image/decode.ts'
import { isRecord } from '../record.ts'
import type { Doer } from './open.ts'

/** The path of a file (PNG, JPEG, WebP), what is in such a file, or an image as a canvas has it. */
export type ImageInput = string | Uint8Array | RawImage

/** Newer libraries write all that is done to inputs in one file, older ones and those of images alone in another. */
const [whole, own] = ['processor_config.json', 'preprocessor_config.json']

/** How a folder's images are prepared: by the part for images of the one file, else by the other. */
export const readProcessor = (folder: string): TE.TaskEither<string, ImageProcessor> => {
  const read = (file: string, json: unknown): E.Either<string, ImageProcessor> =>
    E.mapLeft((all: readonly string[]) => `${folder}/${file}: ${all.join('; ')}`)(
      imageProcessorFromJson(json),
    )
  return F.pipe(
    optionalJson(folder, whole),
    TE.flatMap((json) =>
      isRecord(json) && json['image_processor'] !== undefined
        ? TE.fromEither(read(whole, json['image_processor']))
        : F.pipe(
            optionalJson(folder, own),
            TE.flatMapEither((json) =>
              json === undefined
                ? E.left(`${folder} has no ${own}, without which images are no numbers`)
                : read(own, json),
            ),
          ),
    ),
  )
}

const imageOf = async (task: string, input: ImageInput): Promise<RawImage> => {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) return input
  const found =
    typeof input === 'string'
      ? await readImage(input)()
      : await TE.mapLeft((why: string) => `the image cannot be seen: ${why}`)(decodeImage(input))()
  if (E.isLeft(found)) throw argumentError(task, found.left)
  return found.right
}

/**
 * The numbers of an image for a model of square images: [1, 3, side, side].
 *
 * @throws PullbackError when there is no such image, or it comes out in another size.
 */
export const pixelsOf = async (
  task: string,
  processor: ImageProcessor,
  side: number,
  input: ImageInput,
): Promise<Tensor> => {
  const { data, width, height } = preprocess(processor, await imageOf(task, input), task)
  if (width !== side || height !== side)
    throw argumentError(
      task,
      `the image comes out ${width} by ${height} as the folder has it, the model sees ${side} by ${side}`,
    )
  return fromArray(data, [1, 3, height, width])
}

const colours = (folder: string, channels: number): E.Either<string, void> =>
  channels === 3
    ? E.right(undefined)
    : E.left(`${folder}: the model sees ${channels} channels, images have 3: red, green and blue`)

/** What a model makes of an image. */
export interface Seen {
  /** A score for each label; nothing where it tells none. */
  readonly logits: Float32Array
  /** [1 + patches, width] */
  readonly hidden: Float32Array
  /** [width], for a model that sums up; else nothing. */
  readonly pooled: Float32Array
}

export interface Seer {
  readonly labels: readonly string[]
  readonly side: number
  /** What belongs to one patch, or to the whole, is so wide. */
  readonly width: number
  readonly see: (pixels: Tensor) => Promise<Seen>
}

interface VitOutputs {
  readonly hidden: Tensor
  readonly logits?: Tensor
  readonly pooled?: Tensor
}

const floats = async (x: Tensor | undefined): Promise<Float32Array> =>
  x === undefined ? new Float32Array(0) : ((await toArray(x)) as Float32Array)

interface SeerConfig {
  readonly imageSize: number
  readonly channels: number
  readonly width: number
  readonly labels?: readonly string[]
}

/** A ViT, with its classifier or with its summary of the whole; or the tower of a CLIP. */
const seer = <C extends SeerConfig, P>(
  type: string,
  architecture: Architecture<C, P, ClipVisionInput, VitOutputs>,
): Doer<Seer> => ({
  name: architecture.name,
  type,
  load: (folder) =>
    F.pipe(
      loadModel(architecture, folder),
      TE.chainFirstEitherK(({ config }) => colours(folder, config.channels)),
      TE.map(({ config, layer, params }) => {
        const apply = jit((own: P, input: ClipVisionInput) => layer.apply(own, evaluation)(input))
        return {
          labels: config.labels ?? [],
          side: config.imageSize,
          width: config.width,
          see: async (pixels) => {
            const { logits, hidden, pooled } = apply(params, { pixels })
            return {
              logits: await floats(logits),
              hidden: await floats(hidden),
              pooled: await floats(pooled),
            }
          },
        }
      }),
    ),
})

export const imageClassifiers: readonly Doer<Seer>[] = [seer('vit', architectures.ViTForImageClassification)]
export const imageReaders: readonly Doer<Seer>[] = [
  seer('vit', architectures.ViTModel),
  seer('vit', architectures.ViTForImageClassification),
  seer('clip_vision_model', architectures.CLIPVisionModel),
  seer('clip_vision_model', architectures.CLIPVisionModelWithProjection),
]

/** A model that compares texts and images. */
export interface Comparer {
  readonly side: number
  readonly maxLength: number
  readonly vocabularySize: number
  /** By what similarities are multiplied before they are compared. */
  readonly scale: number
  /** The direction of a text of ids: [projectionWidth], of length 1. */
  readonly readText: (ids: readonly number[], paddingId: number) => Promise<Float32Array>
  readonly seeImage: (pixels: Tensor) => Promise<Float32Array>
}

const loadComparer = (folder: string): TE.TaskEither<string, Comparer> =>
  F.pipe(
    loadModel(architectures.CLIPModel, folder),
    TE.chainFirstEitherK(({ config }) => colours(folder, config.vision.channels)),
    TE.flatMapTask(({ config, params }) => async (): Promise<Comparer> => {
      const { text, vision } = config
      const [reading, seeing] = [clipTextEmbeddings(config), clipImageEmbeddings(config)]
      const read = jit((own: typeof params, input: ClipTextInput) => reading.apply(own, evaluation)(input))
      const see = jit((own: typeof params, pixels: Tensor) => seeing.apply(own, evaluation)({ pixels }))
      return {
        side: vision.imageSize,
        maxLength: text.maxLength,
        vocabularySize: text.vocabularySize,
        scale: await item(exp(params.logitScale)),
        readText: async (ids, paddingId) => {
          const time = Math.min(bucketOf(ids.length), text.maxLength)
          const fill = (n: number): readonly number[] => new Array<number>(time - ids.length).fill(n)
          const input = {
            ids: tensor([[...ids, ...fill(paddingId)]], { dtype: 'int32' }),
            keyMask: tensor([[...ids.map(() => 1), ...fill(0)]], { dtype: 'int32' }),
          }
          return floats(read(params, input))
        },
        seeImage: async (pixels) => floats(see(params, pixels)),
      }
    }),
  )

export const comparers: readonly Doer<Comparer>[] = [
  { name: architectures.CLIPModel.name, type: 'clip', load: loadComparer },
]
