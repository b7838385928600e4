/** A multilayer network learns a curve, y = sin(3x): node examples/curve.ts */
import { fromArray, item, mean, random, square, sub, tanh } from 'pullback'
import { evaluation, lift, linear, sequence } from 'pullback/nn'
import { adamW, fold, initState, makeStep } from 'pullback/training'

const xs = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1)
const x = fromArray(xs, [64, 1])
const y = fromArray(xs.map((at) => Math.sin(3 * at)), [64, 1]) // prettier-ignore

const network = sequence(linear(1, 32), lift(tanh), linear(32, 1))
const params = network.init(random.key(0))
type Params = typeof params

const objective = (p: Params) => mean(square(sub(network.apply(p, evaluation)(x), y)))
const optimizer = adamW({ learningRate: 0.02 })
const step = makeStep({ objective, optimizer })
const state = initState(params, optimizer, random.key(1))

for await (const { step: done, metrics } of fold({ step, state, batches: () => null, steps: 500 }))
  if (done % 100 === 0)
    console.log(`step ${done}: mean squared error ${(await item(metrics.loss)).toFixed(5)}`)
