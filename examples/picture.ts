/**
 * Image and text: a small CLIP learns which sentence belongs to which picture. The pictures are drawn here, of shapes in
 * colours at places; it is asked about such combinations as were never shown to it.
 * node examples/picture.ts [STEPS] [FOLDER]: into FOLDER goes the model, as Hugging Face's CLIPModel reads it.
 */
import { fromArray, random, toArray } from 'pullback'
import type { Key, Tensor } from 'pullback'
import {
  CLIPModel,
  clip,
  clipConfig,
  clipImageEmbeddings,
  clipTextEmbeddings,
  saveModel,
} from 'pullback/models'
import { evaluation, training } from 'pullback/nn'
import {
  adamW,
  chain,
  clipByGlobalNorm,
  contrastive,
  drawsOf,
  fold,
  foldHostKey,
  hostKey,
  initState,
  makeStep,
  padRows,
  readMetrics,
  schedule,
  shuffledIndices,
} from 'pullback/training'

const [steps, folder] = [Number(process.argv[2] ?? 400), process.argv[3]]

// What there is to see. A shape says which points are its own, seen from its middle, where 1 is its size.
type Inside = (x: number, y: number) => boolean
const shapes: Readonly<Record<string, Inside>> = {
  circle: (x, y) => Math.hypot(x, y) < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.9,
  triangle: (x, y) => y < 0.8 && Math.abs(x) < (y + 1) / 1.8,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.3 && Math.max(Math.abs(x), Math.abs(y)) < 1,
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.75) < 0.25,
}
const colours: Readonly<Record<string, readonly number[]>> = {
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
  yellow: [1, 1, 0],
  purple: [1, 0, 1],
  white: [1, 1, 1],
}
const places: Readonly<Record<string, readonly [x: number, y: number]>> = {
  'at the top left': [0.25, 0.25],
  'at the top right': [0.75, 0.25],
  'in the middle': [0.5, 0.5],
  'at the bottom left': [0.25, 0.75],
  'at the bottom right': [0.75, 0.75],
}
type Scene = Readonly<Record<'shape' | 'colour' | 'place', string>>
const scenes: readonly Scene[] = Object.keys(shapes).flatMap((shape) =>
  Object.keys(colours).flatMap((colour) => Object.keys(places).map((place) => ({ shape, colour, place }))),
)
const order = [...shuffledIndices(hostKey(0), scenes.length)].map((i) => scenes[i] as Scene)
const [held, learnt] = [order.slice(0, 40), order.slice(40)]

// A picture is [3, size, size]; where its shape stands, and how large it is, differs a little from draw to draw.
const [size, batchSize] = [24, 64]
const draw = ({ shape, colour, place }: Scene, jitter: () => number): readonly number[] => {
  const [x, y] = (places[place] ?? [0, 0]).map((at) => size * at + 2 * jitter() - 1) as [number, number]
  const radius = size * (0.2 + 0.05 * jitter())
  return (colours[colour] ?? []).flatMap((value) =>
    Array.from({ length: size * size }, (_, i) => {
      const inside = shapes[shape]?.(
        ((i % size) + 0.5 - x) / radius,
        (Math.floor(i / size) + 0.5 - y) / radius,
      )
      return inside === true ? value : 0
    }),
  )
}
const pictures = (some: readonly Scene[], seed: number): Tensor => {
  const { bits } = drawsOf(foldHostKey(hostKey(1), seed))
  const pixels = some.flatMap((scene) => draw(scene, () => bits() / 2 ** 32))
  return fromArray(Float32Array.from(pixels), [some.length, 3, size, size])
}

// A sentence is an id for each word, and one for its end.
const wordsOf = ({ shape, colour, place }: Scene): readonly string[] =>
  `a ${colour} ${shape} ${place}`.split(' ')
const words = [...new Set(scenes.flatMap(wordsOf))]
const [endId, length] = [words.length, 8]
const sentences = (some: readonly Scene[]): Tensor =>
  padRows(
    some.map((scene) => [...wordsOf(scene).map((word) => words.indexOf(word)), endId]),
    endId,
    { length },
  )

const config = clipConfig({
  text: { vocabularySize: endId + 1, maxLength: length, endId, width: 64, layers: 2, heads: 4, hidden: 256 },
  vision: { imageSize: size, patchSize: 4, width: 64, layers: 2, heads: 4, hidden: 256 },
  projectionWidth: 32,
})
const model = clip(config)
const params = model.init(random.key(0))
type Params = typeof params
type Batch = { readonly ids: Tensor; readonly pixels: Tensor }

// No scene is twice in a batch: each sentence has one picture that belongs to it.
const batches = (step: number): Batch => {
  const chosen = [...shuffledIndices(foldHostKey(hostKey(2), step), learnt.length)].slice(0, batchSize)
  const some = chosen.map((i) => learnt[i] as Scene)
  return { ids: sentences(some), pixels: pictures(some, step) }
}
const objective = (p: Params, batch: Batch, key: Key) =>
  contrastive(model.apply(p, training(key))(batch).logitsPerText)
const rate = schedule.cosine({ peak: 2e-3, warmupSteps: steps / 10, totalSteps: steps })
const optimizer = chain(clipByGlobalNorm(1), adamW({ learningRate: rate }))
const step = makeStep({ objective, optimizer })

let trained = initState(params, optimizer, random.key(1))
for await (const { step: done, state, metrics } of fold({ step, state: trained, batches, steps })) {
  trained = state
  if (done % 50 === 0) console.log(`step ${done}: loss ${(await readMetrics(metrics)).loss.toFixed(3)}`)
}

// Directions of texts and images, of length 1: where two point the same way, their product is large.
const rows = async (x: Tensor): Promise<readonly Float32Array[]> => {
  const all = (await toArray(x)) as Float32Array
  const width = config.projectionWidth
  return Array.from({ length: all.length / width }, (_, i) => all.subarray(i * width, (i + 1) * width))
}
const nearest = (one: Float32Array, among: readonly Float32Array[]): number => {
  const products = among.map((other) => other.reduce((sum, value, i) => sum + value * (one[i] as number), 0))
  return products.indexOf(Math.max(...products))
}
const images = await rows(
  clipImageEmbeddings(config).apply(trained.params, evaluation)({ pixels: pictures(held, -1) }),
)
const texts = await rows(
  clipTextEmbeddings(config).apply(trained.params, evaluation)({ ids: sentences(held) }),
)
const right = (some: readonly Float32Array[], among: readonly Float32Array[]): number =>
  some.filter((one, i) => nearest(one, among) === i).length
console.log(`of ${held.length} scenes that were never shown, right are`)
console.log(`sentence → picture ${right(texts, images)}, picture → sentence ${right(images, texts)}`)
if (folder !== undefined) {
  const saved = await saveModel(CLIPModel, folder, { config, params: trained.params })()
  if (saved._tag === 'Left') throw new Error(saved.left)
}
