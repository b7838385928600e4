/** Checks optimizers against PyTorch's and Transformers': 20 steps on given gradients, and on a small network. */
import { add, fromArray, itemSync, jit, matmul, tanh, transpose, valueAndGrad } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as o from '../../training/index.ts'
import type { Transform } from '../../training/index.ts'
import type { Check } from './check.ts'
import { compare, compareTo, holds, leastRounding } from './check.ts'
import type { Reference } from './reference.ts'
import { below } from './reference.ts'
import { need } from './runner.ts'
import type { Named } from './runner.ts'

type Values = Readonly<Record<string, unknown>>

interface Group extends Values {
  readonly params: readonly string[]
}

/** What an optimizer of a class takes from the library's options; `read` notes what was asked for. */
type Make = (read: (name: string) => unknown) => Transform

/** What all have. */
const common = (
  read: (name: string) => unknown,
): { readonly learningRate: number; readonly weightDecay: number } => ({
  learningRate: read('lr') as number,
  weightDecay: read('weight_decay') as number,
})

const adamConfig = (read: (name: string) => unknown): o.AdamWConfig => ({
  ...common(read),
  betas: read('betas') as [number, number],
  epsilon: read('eps') as number,
  amsgrad: read('amsgrad') === true,
})

const adamW: Make = (read) => (read('decoupled_weight_decay'), o.adamW(adamConfig(read)))

const makers: Readonly<Record<string, Make>> = {
  SGD: (read) =>
    o.sgd({
      ...common(read),
      momentum: read('momentum') as number,
      dampening: read('dampening') as number,
      nesterov: read('nesterov') as boolean,
    }),
  Adam: (read) => (read('decoupled_weight_decay') === true ? adamW(read) : o.adam(adamConfig(read))),
  AdamW: adamW,
  RMSprop: (read) =>
    o.rmsProp({
      ...common(read),
      alpha: read('alpha') as number,
      epsilon: read('eps') as number,
      momentum: read('momentum') as number,
      centered: read('centered') as boolean,
    }),
  Adagrad: (read) =>
    o.adagrad({
      ...common(read),
      learningRateDecay: read('lr_decay') as number,
      epsilon: read('eps') as number,
      initialAccumulator: read('initial_accumulator_value') as number,
    }),
  Adadelta: (read) =>
    o.adadelta({
      ...common(read),
      rho: read('rho') as number,
      epsilon: read('eps') as number,
    }),
  Adamax: (read) => o.adamax(adamConfig(read)),
  NAdam: (read) =>
    o.nAdam({
      ...adamConfig(read),
      momentumDecay: read('momentum_decay') as number,
      decoupledWeightDecay: read('decoupled_weight_decay') as boolean,
    }),
  RAdam: (read) =>
    o.rAdam({ ...adamConfig(read), decoupledWeightDecay: read('decoupled_weight_decay') as boolean }),
  Adafactor: (read) => {
    const [gradient, parameter] = read('eps') as [number | null, number]
    return o.adafactor({
      ...common(read),
      beta2Decay: read('beta2_decay') as number,
      epsilons: [gradient ?? undefined, parameter],
      threshold: read('d') as number,
    })
  },
  'transformers.Adafactor': (read) => {
    const [lr, beta1] = [read('lr'), read('beta1') as number | null]
    return o.adafactorT5({
      ...(read('relative_step') === true ? {} : { learningRate: lr as number }),
      ...(beta1 === null ? {} : { beta1 }),
      weightDecay: read('weight_decay') as number,
      epsilons: read('eps') as [number, number],
      threshold: read('clip_threshold') as number,
      decayRate: read('decay_rate') as number,
      scaleParameter: read('scale_parameter') as boolean,
      warmupInit: read('warmup_init') as boolean,
    })
  },
  Muon: (read) =>
    o.muon({
      ...common(read),
      momentum: read('momentum') as number,
      nesterov: read('nesterov') as boolean,
      coefficients: read('ns_coefficients') as [number, number, number],
      iterations: read('ns_steps') as number,
      epsilon: read('eps') as number,
      adjust: read('adjust_lr_fn') === 'match_rms_adamw' ? 'matchAdamW' : 'original',
      layout: 'outIn',
    }),
}

/** Options that say how it is computed, and not what. */
const idle = new Set(['cls', 'defaults', 'groups', 'foreach', 'differentiable', 'fused', 'capturable'])

/** Defaults that a file may leave out, as the library has them. */
const usual: Readonly<Record<string, Values>> = {
  AdamW: { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01, amsgrad: false },
  Adam: { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, amsgrad: false },
  SGD: { momentum: 0, dampening: 0, weight_decay: 0, nesterov: false },
}

const classOf = (cls: string): string => {
  const last = cls.split('.').at(-1) as string
  return cls.startsWith('transformers') ? `transformers.${last}` : last
}

/** The optimizer of one set of options, or what of it is not known here. */
const made = (cls: string, given: Values): Transform | readonly string[] => {
  const name = classOf(cls)
  const make = makers[name]
  if (make === undefined) return [`no optimizer ${cls} is known here`]
  const all: Values = { ...usual[name], ...(given['defaults'] as Values | undefined), ...given }
  const asked = new Set<string>()
  const transform = make((option) => (asked.add(option), all[option]))
  const turned = all['maximize'] === true
  const unknown = Object.entries(all).flatMap(([option, value]) =>
    asked.has(option) || idle.has(option) || option === 'maximize' || value === null || value === false
      ? []
      : [`no option ${option} is known here`],
  )
  if (unknown.length > 0) return unknown
  return turned ? o.chain(o.scaleBy(-1), transform) : transform
}

const optimizerOf = (given: Values): Transform | readonly string[] => {
  const cls = String(given['cls'])
  const groups = given['groups'] as readonly Group[] | undefined
  if (groups === undefined) return made(cls, given)
  const { groups: _, ...common } = given
  const parts = groups.map(({ params, ...own }) => [params, made(cls, { ...common, ...own })] as const)
  const wrong = parts.flatMap(([, part]) => (Array.isArray(part) ? (part as readonly string[]) : []))
  if (wrong.length > 0) return wrong
  const groupOf = (path: string): string =>
    String(parts.findIndex(([params]) => params.includes(path) || params.some((p) => path.endsWith(p))))
  return o.grouped(groupOf, Object.fromEntries(parts.map(([, part], i) => [i, part as Transform])))
}

type Step = <P>(params: P, state: unknown, gradients: P) => readonly [P, unknown]

/** One compiled update; parameters and state go in and come out. */
const stepOf = (optimizer: Transform): Step =>
  jit((params: unknown, state: unknown, gradients: unknown) => {
    const [updates, next] = optimizer.update(gradients, state, params)
    return [o.applyUpdates(params, updates), next] as const
  }) as Step

/** The steps of which the reference has parameters: 1, 2, …; `step3.0.weight` by step. */
const stepsOf = (expected: Named): ReadonlyMap<number, Named> => {
  const steps = new Map<number, Map<string, Tensor>>()
  for (const [name, x] of expected) {
    const [, step, rest] = /^step(\d+)\.(.+)$/.exec(name) ?? []
    if (step === undefined) continue
    const known = steps.get(Number(step)) ?? new Map<string, Tensor>()
    steps.set(Number(step), known.set(rest as string, x))
  }
  return steps
}

/** PyTorch's Muon iterates in bfloat16, with three digits: 20 steps of 0.05 drift apart by some thousandths. */
const unitsOf = (cls: string): number => (classOf(cls) === 'Muon' ? 5000 : 2)

type Params = Readonly<Record<string, Tensor>>

/** Runs as many steps as the reference has, and compares the parameters after each. */
const follow = async (
  group: string,
  expected: Named,
  optimizer: Transform,
  init: Params,
  gradientsAt: (params: Params, step: number) => Params,
  units: number,
): Promise<Check> => {
  const wanted = stepsOf(expected)
  const step = stepOf(optimizer)
  let [params, state] = [init, optimizer.init(init) as unknown]
  const [actual, all] = [new Map<string, Tensor>(), new Map<string, Tensor>()]
  for (let k = 1; k <= Math.max(0, ...wanted.keys()); k++) {
    ;[params, state] = step(params, state, gradientsAt(params, k))
    for (const [name, x] of wanted.get(k) ?? []) {
      all.set(`step${k}.${name}`, x)
      if (params[name] !== undefined) actual.set(`step${k}.${name}`, params[name])
    }
  }
  return compareTo(group, actual, all, units)
}

/** A network of two layers whose gradients depend on the parameters: errors grow from step to step. */
const growth = 300

const checkNetwork = async (
  reference: Reference,
  name: string,
  optimizer: Transform,
  units: number,
): Promise<readonly Check[]> => {
  const expected = below(reference, `mlp.${name}.`)
  if (expected.size === 0) return []
  const [x, y] = [need(reference.tensors, 'mlp.in.x'), need(reference.tensors, 'mlp.in.y')]
  const init = Object.fromEntries(below(reference, 'mlp.init.'))
  const dense = (input: Tensor, p: Params, layer: number): Tensor =>
    add(matmul(input, transpose(p[`${layer}.weight`] as Tensor)), p[`${layer}.bias`] as Tensor)
  const loss = (p: Params): Tensor<readonly []> => o.meanSquaredError(dense(tanh(dense(x, p, 0)), p, 2), y)
  const lossAndGradient = jit(valueAndGrad(loss))
  const seen: number[] = []
  const gradientsAt = (params: Params): Params => {
    const [value, gradients] = lossAndGradient(params)
    seen.push(itemSync(value))
    return gradients
  }
  const after = await follow(`${name}: network`, expected, optimizer, init, gradientsAt, units * growth)
  const losses = new Map([['loss', need(expected, 'loss')]])
  const own = new Map([['loss', fromArray(Float32Array.from(seen), [seen.length])]])
  return [after, await compareTo(`${name}: losses`, own, losses, units * 10)]
}

const checkClips = async (
  reference: Reference,
  file: Values,
  gradients: Params,
): Promise<readonly Check[]> => {
  const clips = (file['clip_grad_norm'] ?? {}) as Readonly<
    Record<string, { readonly max_norm: number; readonly norm_type: number | 'inf' }>
  >
  const checks: Check[] = []
  for (const [index, { max_norm: most, norm_type: type }] of Object.entries(clips)) {
    const order = type === 'inf' ? Infinity : type
    const [clipped] = o.clipByGlobalNorm(most, order).update(gradients, {}, gradients)
    const actual = new Map([
      ...Object.entries(clipped),
      ['total_norm', o.globalNorm(gradients, order)] as const,
    ])
    checks.push(await compareTo(`clip to norm ${type} ≤ ${most}`, actual, below(reference, `clip.${index}.`)))
  }
  const byValue = below(reference, 'clip_value.')
  if (byValue.size > 0) {
    const most = typeof file['clip_value'] === 'number' ? file['clip_value'] : 0.4
    const [clipped] = o.clipByValue(most).update(gradients, {}, gradients)
    checks.push(await compare(`clip to ±${most}`, new Map(Object.entries(clipped)), byValue, leastRounding))
  }
  return checks
}

/** Every case of a folder like `optimizers`. */
export const checkOptimizers = async (reference: Reference, file: Values): Promise<readonly Check[]> => {
  const of = (prefix: string, names: Iterable<string>): Params =>
    Object.fromEntries([...names].map((name) => [name, need(reference.tensors, `${prefix}.${name}`)]))
  const all = (file['hyperparameters'] ?? {}) as Readonly<Record<string, Values>>
  const checks: Check[] = []
  for (const [name, given] of Object.entries(all)) {
    const optimizer = optimizerOf(given)
    if (Array.isArray(optimizer)) {
      checks.push(holds(name, 0, optimizer as readonly string[]))
      continue
    }
    const transform = optimizer as Transform
    const units = unitsOf(String(given['cls']))
    const expected = below(reference, `fixed.${name}.`)
    const names = stepsOf(expected).get(1)?.keys() ?? []
    const parts = [...names]
    checks.push(
      await follow(
        `${name}: given gradients`,
        expected,
        transform,
        of('fixed.init', parts),
        (_, k) => of(`fixed.grad.${k}`, parts),
        units,
      ),
      ...(await checkNetwork(reference, name, transform, units)),
    )
  }
  const first = Object.fromEntries(below(reference, 'fixed.grad.1.'))
  return [...checks, ...(await checkClips(reference, file, first))]
}
