/** A run of training: steps, samples, attention, and the whole of it as the bytes of a safetensors file. */
import { either as E } from 'fp-ts'
import { argMax, fromArray, item, jit, random, setDefaultEngine, toArray, tree } from 'pullback'
import type { Tensor } from 'pullback'
import type { Engine } from 'pullback/kernels'
import type { TrainState } from 'pullback/training'
import {
  adamW,
  causalBatches,
  chain,
  clipByGlobalNorm,
  decodeState,
  encodeState,
  initState,
  makeStep,
  schedule,
} from 'pullback/training'
import { notesOf } from './checkpoint.ts'
import type { Notes } from './checkpoint.ts'
import type { Piece, Settings } from './message.ts'
import { makeModel } from './model.ts'
import type { Vocabulary } from './vocabulary.ts'
import { countCharacters, maskId, vocabularyOf } from './vocabulary.ts'

export interface Trainer {
  readonly settings: Settings
  readonly parameters: number
  readonly vocabulary: Vocabulary
  readonly step: () => number
  /** Runs a step, and gives the loss of the step before, which is known by now. */
  readonly advance: () => Promise<number | undefined>
  readonly sample: () => Promise<readonly Piece[]>
  readonly attention: (text: string) => Promise<{
    readonly tokens: readonly string[]
    readonly weights: readonly (readonly (readonly Float32Array[])[])[]
  }>
  readonly save: () => Promise<Uint8Array<ArrayBuffer>>
}

const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}

const warmup = 20

/** Milliseconds after which a sample ends, finished or not: some engines take a tenth of a second a character. */
const longestSample = 1500

export const makeTrainer = (
  engine: Engine,
  asked: Settings,
  text: string,
  checkpoint: Uint8Array | undefined,
): Trainer => {
  setDefaultEngine(engine)
  const notes = checkpoint === undefined ? undefined : right(notesOf(checkpoint))
  const settings: Settings =
    notes === undefined ? asked : { ...notes.settings, engine: asked.engine, rate: asked.rate }
  const vocabulary = vocabularyOf(notes?.characters ?? countCharacters(text))
  const stream = vocabulary.encode(text)
  const { length, batch, rate } = settings
  if (stream.length < length)
    throw new Error(
      `the text has ${stream.length} character${stream.length === 1 ? '' : 's'}, and a context of ${length} needs at least as many: paste more text, or choose a smaller context`,
    )
  const size = vocabulary.characters.length + 2
  const model = makeModel(settings, size)
  const optimizer = chain(
    clipByGlobalNorm(1),
    adamW({ learningRate: schedule.constant({ peak: rate, warmupSteps: warmup }) }),
  )
  const step = makeStep({
    objective: (params: unknown, ids: Tensor, key: random.Key) => model.loss(params, ids, key),
    optimizer,
  })
  const batches = right(causalBatches(stream, { length, batchSize: batch, seed: 0, windows: 'random' }))
  const fresh = initState(model.init(random.key(0)), optimizer, random.key(1))
  let state: TrainState<unknown> =
    checkpoint === undefined ? fresh : right(decodeState(checkpoint, fresh, { engine }))
  let done = notes?.step ?? 0
  let pending: Tensor | undefined
  const logits = jit((params: unknown, ids: Tensor) => model.logits(params, ids))
  /** A place in the text, another one at each step. */
  const somewhere = (): number =>
    Math.floor((((done * 7919) % 9973) / 9973) * Math.max(1, stream.length - length))

  const write = async (): Promise<readonly Piece[]> => {
    const deadline = performance.now() + longestSample
    const start = somewhere()
    const prompt = stream.slice(start, start + Math.min(8, length / 2))
    const ids = [...prompt]
    let draw = random.foldIn(random.key(2), done)
    for (let count = 0; count < Math.min(160, 3 * length) && performance.now() < deadline; count++) {
      const seen = ids.slice(-length)
      const padded = Int32Array.from({ length }, (_, i) => seen[i] ?? 1)
      const scores = (await toArray(logits(state.params, fromArray(padded, [1, length])))) as Float32Array
      const at = (seen.length - 1) * size
      draw = random.foldIn(draw, count)
      const [u = 0] = await toArray(random.uniform(draw, [1]))
      ids.push(drawn(scores.subarray(at, at + size), u))
    }
    return [
      { text: vocabulary.decode(prompt) },
      { text: vocabulary.decode(ids.slice(prompt.length)), guess: 'free' },
    ]
  }

  const fill = async (): Promise<readonly Piece[]> => {
    const start = somewhere()
    const original = stream.slice(start, start + length)
    const u = await toArray(random.uniform(random.foldIn(random.key(3), done), [length]))
    // a short text would be without a gap now and then
    const share = Math.max(0.2, Math.min(...u))
    const masked = original.map((id, i) => ((u[i] as number) <= share ? maskId : id))
    const best = await toArray(argMax(logits(state.params, fromArray(masked, [1, length])), { axis: -1 }))
    return [...original].map((id, i): Piece => {
      if (masked[i] !== maskId) return { text: vocabulary.decode([id]) }
      const guessed = best[i] as number
      return { text: vocabulary.decode([guessed]), guess: guessed === id ? 'right' : 'wrong' }
    })
  }

  return {
    settings,
    vocabulary,
    parameters: tree.leaves(fresh.params).reduce((n, { shape }) => n + shape.reduce((x, y) => x * y, 1), 0),
    step: () => done,
    advance: async () => {
      const { ids } = await batches(done)
      const [next, { loss }] = step(state, ids)
      state = next
      done++
      const before = pending
      pending = loss
      return before === undefined ? undefined : item(before)
    },
    sample: () => (settings.model === 'gpt' ? write() : fill()),
    attention: async (about) => {
      const characters = [...about].slice(0, Math.min(length, 48))
      const ids = vocabulary.encode(characters.join(''))
      if (ids.length < 2) throw new Error('attention needs at least two characters')
      const found = model.attention(state.params, fromArray(ids, [1, ids.length]))
      const weights = await Promise.all(
        found.map(async (layer) => {
          const data = (await toArray(layer)) as Float32Array
          const count = ids.length
          return Array.from({ length: settings.heads }, (_, head) =>
            Array.from({ length: count }, (_, row) =>
              data.slice((head * count + row) * count, (head * count + row + 1) * count),
            ),
          )
        }),
      )
      return { tokens: characters, weights }
    },
    save: async () => {
      const kept: Notes = { settings, characters: vocabulary.characters, step: done }
      return (await encodeState(state, { pullback: JSON.stringify(kept) })) as Uint8Array<ArrayBuffer>
    },
  }
}

/** An id drawn by its probability, a little sharpened: what is unlikely spoils a short text. */
const drawn = (scores: Float32Array, place: number): number => {
  const sharpness = 1.25
  const most = Math.max(...scores)
  const weights = scores.map((x, id) => (id < 2 ? 0 : Math.exp(sharpness * (x - most))))
  let rest = place * weights.reduce((sum, w) => sum + w, 0)
  for (const [id, weight] of weights.entries()) {
    rest -= weight
    if (rest < 0) return id
  }
  return weights.length - 1
}
