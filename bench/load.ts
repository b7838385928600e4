/** The reference loads: training steps of decoder-only Transformers, the same for every peer. */
import { add, fromArray, random, reshape, sliceAxis } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { embedding, encoder, evaluation, linear, parameter, normal, struct } from '../nn/index.ts'
import { adamW, crossEntropy, initState, makeStep } from '../training/index.ts'
import type { TrainState } from '../training/index.ts'
import type { Load } from './size.ts'

export interface Batch {
  readonly ids: Tensor
  readonly labels: Tensor
}

/** Numbers below `count` that look random and are the same every time. */
const drawn = (length: number, count: number, salt: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => Math.imul(i * 2 + salt + 1, 2654435761 | 0) >>> 8).map(
    (x) => x % count,
  )

const modelOf = ({ vocabulary, width, layers, heads, hidden, time }: Load) =>
  struct(
    {
      word: embedding(vocabulary, width, { initialiser: normal(0.02) }),
      position: parameter([time, width], normal(0.02)),
      body: encoder({ layers, width, heads, hidden, preNorm: true, activation: 'geluTanh' }),
      head: linear(width, vocabulary, { bias: false }),
    },
    ({ word, position, body, head }) =>
      (ids: Tensor) =>
        head(
          body({ x: add(word(ids), sliceAxis(position(), 0, 0, ids.shape.at(-1) as number)), causal: true }),
        ),
  )

export interface Trial {
  readonly step: ReturnType<typeof makeStep<unknown, Batch>>
  readonly state: TrainState<unknown>
  readonly batch: Batch
  readonly tokens: number
}

/** A load's step and what it starts from, on the default engine. */
export const trialOf = (load: Load): Trial => {
  const model = modelOf(load)
  const optimizer = adamW({ learningRate: 1e-3 })
  const objective = (params: unknown, { ids, labels }: Batch): Tensor =>
    crossEntropy(model.apply(params as never, evaluation)(ids), labels)
  const shape = [load.batch, load.time]
  const tokens = load.batch * load.time
  const ids = (salt: number): Tensor =>
    reshape(fromArray(drawn(tokens, load.vocabulary, salt), [tokens]), shape)
  return {
    step: makeStep({ objective, optimizer }),
    state: initState<unknown>(model.init(random.key(0)), optimizer, random.key(1)),
    batch: { ids: ids(0), labels: ids(7) },
    tokens,
  }
}
