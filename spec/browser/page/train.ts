/** A small GPT that learns a short text by heart. */
import { fromArray, random, setDefaultEngine } from 'pullback'
import type { Tensor } from 'pullback'
import type { Engine } from 'pullback/kernels'
import { gpt, gptConfig } from 'pullback/models'
import { training } from 'pullback/nn'
import {
  adamW,
  causalLanguageModelling,
  chain,
  clipByGlobalNorm,
  initState,
  makeStep,
  readMetrics,
} from 'pullback/training'
import type { TrainState } from 'pullback/training'

export interface Size {
  readonly layers: number
  readonly width: number
  readonly batch: number
  readonly length: number
}

const vocabularySize = 20

/** Trains by compiled steps, on the engine as the default one, and shows each step to `watch`. */
export const train = async (
  engine: Engine,
  steps: number,
  { layers, width, batch, length }: Size,
  watch: (step: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly number[]> => {
  setDefaultEngine(engine)
  const model = gpt(gptConfig({ vocabularySize, width, layers, heads: 4, maxLength: length, dropout: 0.1 }))
  type Params = ReturnType<typeof model.init>
  const optimizer = chain(clipByGlobalNorm(1), adamW({ learningRate: 0.01 }))
  const objective = (params: Params, ids: Tensor, key: random.Key): Tensor =>
    causalLanguageModelling(model.apply(params, training(key))({ ids }).logits, ids)
  const step = makeStep({ objective, optimizer })
  let state: TrainState<Params> = initState(model.init(random.key(0)), optimizer, random.key(1))
  const losses: number[] = []
  for (let count = 0; count < steps; count++) {
    const ids = Int32Array.from(
      { length: batch * length },
      (_, i) => 1 + ((i + count) % (vocabularySize - 1)),
    )
    const [next, metrics] = step(state, fromArray(ids, [batch, length]))
    state = next
    losses.push((await readMetrics(metrics)).loss as number)
    await watch(count + 1)
  }
  return losses
}
