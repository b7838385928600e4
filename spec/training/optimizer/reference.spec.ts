/** Optimizers against PyTorch's and Transformers': 20 steps on given gradients and on a small network. */
import { function as f } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, itemSync, jit, matmul, tanh, transpose, tree, valueAndGrad } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { meanSquaredError } from '../../../training/objective/index.ts'
import * as o from '../../../training/optimizer/index.ts'
import type { Transform } from '../../../training/optimizer/index.ts'
import { assertClose, named, readJson, readTensors } from '../fixture.ts'

interface Hyperparameters {
  readonly cls: string
  readonly [name: string]: unknown
}

interface Clip {
  readonly max_norm: number
  readonly norm_type: number | 'inf'
}

const { hyperparameters, clip } = readJson('optimizers/cases.json') as {
  readonly hyperparameters: Readonly<Record<string, Hyperparameters>>
  readonly clip: Readonly<Record<string, Clip>>
}
const tensors = readTensors('optimizers/reference.safetensors')

const number = (of: Hyperparameters, name: string): number => of[name] as number

const optimizerOf = (name: string, h: Hyperparameters): Transform => {
  const learningRate = number(h, 'lr')
  const weightDecay = (h['weight_decay'] as number | undefined) ?? 0
  const adam = (): o.AdamWConfig => ({
    learningRate,
    weightDecay,
    betas: h['betas'] as [number, number],
    epsilon: number(h, 'eps'),
    amsgrad: h['amsgrad'] as boolean,
  })
  if (name === 'adamw_groups') {
    const group = (path: string): string => (path.endsWith('w') ? 'weights' : 'biases')
    return o.grouped(group, {
      weights: o.adamW({ learningRate: 0.05, weightDecay: 0.1 }),
      biases: o.adamW({ learningRate: 0.1, weightDecay: 0 }),
    })
  }
  switch (h.cls) {
    case 'torch.optim.sgd.SGD':
      return o.sgd({
        learningRate,
        weightDecay,
        momentum: number(h, 'momentum'),
        dampening: number(h, 'dampening'),
        nesterov: h['nesterov'] as boolean,
      })
    case 'torch.optim.adam.Adam':
      return o.adam(adam())
    case 'torch.optim.adamw.AdamW':
      return o.adamW(adam())
    case 'torch.optim.rmsprop.RMSprop':
      return o.rmsProp({
        learningRate,
        weightDecay,
        alpha: number(h, 'alpha'),
        epsilon: number(h, 'eps'),
        momentum: number(h, 'momentum'),
        centered: h['centered'] as boolean,
      })
    case 'torch.optim.adagrad.Adagrad':
      return o.adagrad({
        learningRate,
        weightDecay,
        learningRateDecay: number(h, 'lr_decay'),
        epsilon: number(h, 'eps'),
        initialAccumulator: number(h, 'initial_accumulator_value'),
      })
    case 'torch.optim.adadelta.Adadelta':
      return o.adadelta({ learningRate, weightDecay, rho: number(h, 'rho'), epsilon: number(h, 'eps') })
    case 'torch.optim.adamax.Adamax':
      return o.adamax(adam())
    case 'torch.optim.nadam.NAdam':
      return o.nAdam({
        ...adam(),
        momentumDecay: number(h, 'momentum_decay'),
        decoupledWeightDecay: h['decoupled_weight_decay'] as boolean,
      })
    case 'torch.optim.radam.RAdam':
      return o.rAdam({ ...adam(), decoupledWeightDecay: h['decoupled_weight_decay'] as boolean })
    case 'torch.optim.Adafactor': {
      const [gradient, parameter] = h['eps'] as [number | null, number]
      return o.adafactor({
        learningRate,
        weightDecay,
        beta2Decay: number(h, 'beta2_decay'),
        epsilons: [gradient ?? undefined, parameter],
        threshold: number(h, 'd'),
      })
    }
    case 'transformers.optimization.Adafactor': {
      const relative = h['relative_step'] as boolean
      const beta1 = h['beta1'] as number | null
      return o.adafactorT5({
        ...(relative ? {} : { learningRate }),
        ...(beta1 === null ? {} : { beta1 }),
        weightDecay,
        epsilons: h['eps'] as [number, number],
        threshold: number(h, 'clip_threshold'),
        decayRate: number(h, 'decay_rate'),
        scaleParameter: h['scale_parameter'] as boolean,
        warmupInit: h['warmup_init'] as boolean,
      })
    }
    case 'torch.optim.Muon':
      return o.muon({
        learningRate,
        weightDecay,
        momentum: number(h, 'momentum'),
        nesterov: h['nesterov'] as boolean,
        coefficients: h['ns_coefficients'] as [number, number, number],
        iterations: number(h, 'ns_steps'),
        epsilon: number(h, 'eps'),
        layout: 'outIn',
      })
    default:
      throw new Error(`no optimizer for ${h.cls}`)
  }
}

/** One compiled update; parameters and state go in and come out. */
const stepOf = (
  optimizer: Transform,
): (<P>(params: P, state: unknown, gradients: P) => readonly [P, unknown]) =>
  jit((params: unknown, state: unknown, gradients: unknown) => {
    const [updates, next] = optimizer.update(gradients, state, params)
    return [o.applyUpdates(params, updates), next] as const
  }) as <P>(params: P, state: unknown, gradients: P) => readonly [P, unknown]

const close = { relative: 2e-5, absolute: 2e-6 }

/** PyTorch's Muon iterates in bfloat16, with three digits: 20 steps of 0.05 drift apart by some thousandths. */
const closeTo = (name: string): typeof close =>
  name.startsWith('muon') ? { relative: 0, absolute: 5e-3 } : close

const reference = suite('optimizers')

for (const [name, h] of Object.entries(hyperparameters)) {
  const parts = tensors.has(`fixed.${name}.step1.b`) ? ['w', 'b'] : ['w']
  reference(`${name}: given gradients`, () => {
    const optimizer = optimizerOf(name, h)
    const of = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(parts.map((part) => [part, named(tensors, `${prefix}.${part}`)]))
    let params = of('fixed.init')
    let state = optimizer.init(params)
    const step = stepOf(optimizer)
    for (let k = 1; k <= 20; k++) {
      ;[params, state] = step(params, state, of(`fixed.grad.${k}`))
      for (const part of parts) {
        const expected = tensors.get(`fixed.${name}.step${k}.${part}`)
        if (expected !== undefined)
          assertClose(params[part] as Tensor, expected, `${name}: ${part} after step ${k}`, closeTo(name))
      }
    }
  })

  const losses = tensors.get(`mlp.${name}.loss`)
  if (losses === undefined) continue
  reference(`${name}: a network`, () => {
    const optimizer = optimizerOf(name, h)
    const [x, y] = [named(tensors, 'mlp.in.x'), named(tensors, 'mlp.in.y')]
    const names = ['0.weight', '0.bias', '2.weight', '2.bias'] as const
    type Params = Record<(typeof names)[number], Tensor>
    let params = Object.fromEntries(names.map((one) => [one, named(tensors, `mlp.init.${one}`)])) as Params
    const dense = (input: Tensor, weight: Tensor, bias: Tensor): Tensor =>
      add(matmul(input, transpose(weight)), bias)
    const loss = (p: Params): Tensor =>
      meanSquaredError(dense(tanh(dense(x, p['0.weight'], p['0.bias'])), p['2.weight'], p['2.bias']), y)
    const lossAndGradient = jit(valueAndGrad(loss))
    let state = optimizer.init(params)
    const step = stepOf(optimizer)
    const seen: number[] = []
    for (let k = 1; k <= 20; k++) {
      const [value, gradients] = lossAndGradient(params)
      seen.push(itemSync(value))
      ;[params, state] = step(params, state, gradients)
    }
    assertClose(seen, losses, `${name}: losses`, { relative: 1e-4, absolute: 1e-5 })
    for (const one of names)
      assertClose(params[one], named(tensors, `mlp.${name}.step20.${one}`), `${name}: ${one}`, {
        relative: 1e-3,
        absolute: 1e-4,
      })
  })
}

reference('muon: given gradients, iterated in float32', () => {
  const expected = readJson('optimizers/muon-float32.json') as Readonly<Record<string, readonly number[]>>
  const optimizer = optimizerOf('muon', hyperparameters['muon_matrix_only'] as Hyperparameters)
  let params = { w: named(tensors, 'fixed.init.w') }
  let state = optimizer.init(params)
  const step = stepOf(optimizer)
  for (let k = 1; k <= 20; k++) {
    ;[params, state] = step(params, state, { w: named(tensors, `fixed.grad.${k}.w`) })
    const after = expected[`step${k}`]
    if (after !== undefined)
      assertClose(params.w, after, `w after step ${k}`, { relative: 1e-4, absolute: 2e-5 })
  }
})

for (const [index, { max_norm, norm_type }] of Object.entries(clip))
  reference(`clip ${index}: norm ${norm_type} at most ${max_norm}`, () => {
    const order = norm_type === 'inf' ? Infinity : norm_type
    const gradients = { w: named(tensors, 'fixed.grad.1.w'), b: named(tensors, 'fixed.grad.1.b') }
    assertClose(o.globalNorm(gradients, order), named(tensors, `clip.${index}.total_norm`), 'norm')
    const [clipped] = o.clipByGlobalNorm(max_norm, order).update(gradients, {}, gradients)
    assertClose(clipped.w, named(tensors, `clip.${index}.w`), 'w')
    assertClose(clipped.b, named(tensors, `clip.${index}.b`), 'b')
  })

reference('clip by value', () => {
  const gradients = { w: named(tensors, 'fixed.grad.1.w') }
  const [clipped] = o.clipByValue(0.4).update(gradients, {}, gradients)
  assertClose(clipped.w, named(tensors, 'clip_value.w'), 'w')
})

reference('pipe, then and chain say the same', () => {
  const parts = [o.clipByGlobalNorm(1), o.scaleByAdam(), o.scaleByLearningRate(0.1)] as const
  const gradients = { w: named(tensors, 'fixed.grad.1.w') }
  const piped = f.pipe(parts[0], o.then(parts[1]), o.then(parts[2]))
  const chained = o.chain(...parts)
  const [a] = piped.update(gradients, piped.init(gradients), gradients)
  const [b] = chained.update(gradients, chained.init(gradients), gradients)
  assertClose(a.w, b.w, 'updates', { relative: 0, absolute: 0 })
  assert.equal(tree.pathsOf(chained.init(gradients)), ['1/count', '1/firstMoment/w', '1/secondMoment/w'])
})

reference.run()
