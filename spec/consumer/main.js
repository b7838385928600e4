/** A page as a user of the package writes one: a small GPT learns eight numbers by heart on each engine. */
import { random, setDefaultEngine, tensor } from 'pullback'
import { chooseEngineAsync } from 'pullback/kernels'
import { gpt, gptConfig } from 'pullback/models'
import { training } from 'pullback/nn'
import { adamW, causalLanguageModelling, fold, initState, makeStep, readMetrics } from 'pullback/training'

const model = gpt(gptConfig({ vocabularySize: 16, width: 32, layers: 1, heads: 4, maxLength: 8 }))
const objective = (params, ids, key) =>
  causalLanguageModelling(model.apply(params, training(key))({ ids }).logits, ids)
const optimizer = adamW({ learningRate: 0.01 })

/** The engine as it tells of itself, and the loss of each step. */
const train = async (name, steps) => {
  const choice = await chooseEngineAsync(name)
  if (choice._tag === 'Left') throw new Error(choice.left)
  const { engine } = choice.right
  setDefaultEngine(engine)
  const step = makeStep({ objective, optimizer })
  const state = initState(model.init(random.key(0)), optimizer, random.key(1))
  const batches = () => tensor([[1, 2, 3, 4, 5, 6, 7, 8]], { dtype: 'int32' })
  const losses = []
  for await (const { metrics } of fold({ step, state, batches, steps }))
    losses.push((await readMetrics(metrics)).loss)
  return { detail: engine.detail, losses }
}

Object.assign(globalThis, { train })
globalThis.document.querySelector('output').textContent = 'ready'
