/** Checks tables of learning rates against Transformers' and PyTorch's, computed with numbers and with tensors. */
import { arange, jit, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { schedule as s } from '../../training/index.ts'
import type { Schedule } from '../../training/index.ts'
import type { Check } from './check.ts'
import { holds } from './check.ts'

type Values = Readonly<Record<string, unknown>>

interface Table {
  readonly base_lr: number
  readonly num_warmup_steps?: number
  readonly num_training_steps?: number
  readonly kwargs: Values
  readonly lr: readonly number[]
  readonly metric?: readonly number[]
}

type Read = <T>(name: string, otherwise: T) => T

/** Schedules by the library's names. */
const makers: Readonly<Record<string, (read: Read, table: Table) => Schedule>> = {
  'hf/linear': (_, table) => s.linear(warm(table)),
  'hf/cosine': (read, table) => s.cosine({ ...warm(table), cycles: read('num_cycles', 0.5) }),
  'hf/cosine_with_restarts': (read, table) =>
    s.cosineWithRestarts({ ...warm(table), cycles: read('num_cycles', 1) }),
  'hf/polynomial': (read, table) =>
    s.polynomial({ ...warm(table), power: read('power', 1), end: read('lr_end', 1e-7) }),
  'hf/constant': (_, table) => s.constant(table.base_lr),
  'hf/constant_with_warmup': (_, table) => s.constant(warm(table)),
  'hf/inverse_sqrt': (read, table) => {
    const timescale = read<number | null>('timescale', null)
    return s.inverseSqrt({ ...warm(table), ...(timescale === null ? {} : { timescale }) })
  },
  'hf/cosine_with_min_lr': (read, table) => {
    const least = read<number | null>('min_lr', null)
    const floor = least === null ? read('min_lr_rate', 0) : least / table.base_lr
    return s.cosine({ ...warm(table), cycles: read('num_cycles', 0.5), floor })
  },
  'hf/cosine_warmup_with_min_lr': (read, table) => {
    const [least, start] = [read<number | null>('min_lr', null), read<number | null>('warmup_lr_rate', null)]
    const floor = least === null ? read('min_lr_rate', 0) : least / table.base_lr
    return s.flooredCosine({
      ...warm(table),
      cycles: read('num_cycles', 0.5),
      floor,
      ...(start === null ? {} : { start }),
    })
  },
  'hf/warmup_stable_decay': (read, table) => {
    const decay = read('decay_type', 'cosine') as string
    const warmup = read('warmup_type', 'linear') as string
    const names = { '1-sqrt': 'oneMinusSqrt', cosine: 'cosine', linear: 'linear' } as const
    return s.warmupStableDecay({
      ...warm(table),
      decaySteps: read('num_decay_steps', 0),
      floor: read('min_lr_ratio', 0),
      cycles: read('num_cycles', 0.5),
      decay: names[decay as keyof typeof names],
      warmup: names[warmup as keyof typeof names],
    })
  },
  'torch/StepLR': (read, { base_lr: initial }) =>
    s.stepwise({ initial, every: read('step_size', 1), gamma: read('gamma', 0.1) }),
  'torch/MultiStepLR': (read, { base_lr: initial }) =>
    s.milestones({ initial, milestones: read('milestones', []), gamma: read('gamma', 0.1) }),
  'torch/ExponentialLR': (read, { base_lr: initial }) => s.exponential({ initial, gamma: read('gamma', 1) }),
  'torch/CosineAnnealingLR': (read, { base_lr: initial }) =>
    s.cosineAnnealing({ initial, halfPeriod: read('T_max', 1), floor: read('eta_min', 0) }),
  'torch/CosineAnnealingWarmRestarts': (read, { base_lr: initial }) =>
    s.cosineAnnealingWarmRestarts({
      initial,
      period: read('T_0', 1),
      stretch: read('T_mult', 1),
      floor: read('eta_min', 0),
    }),
  'torch/LinearLR': (read, { base_lr: initial }) =>
    s.linearRamp({
      initial,
      steps: read('total_iters', 5),
      startFactor: read('start_factor', 1 / 3),
      endFactor: read('end_factor', 1),
    }),
  'torch/PolynomialLR': (read, { base_lr: initial }) =>
    s.polynomialDecay({ initial, steps: read('total_iters', 5), power: read('power', 1) }),
  'torch/OneCycleLR': (read) =>
    s.oneCycle({
      peak: read('max_lr', 0),
      totalSteps: read('total_steps', 0),
      risingShare: read('pct_start', 0.3),
      startDivisor: read('div_factor', 25),
      endDivisor: read('final_div_factor', 1e4),
      anneal: read('anneal_strategy', 'cos') === 'cos' ? 'cosine' : 'linear',
      threePhases: read('three_phase', false),
    }),
  'torch/CyclicLR': (read) => {
    const rising = read('step_size_up', 2000)
    return s.cyclic({
      low: read('base_lr', 0),
      high: read('max_lr', 0),
      rising,
      falling: read<number | null>('step_size_down', null) ?? rising,
      mode: ({ triangular: 'even', triangular2: 'halving', exp_range: 'exponential' } as const)[
        read<'triangular' | 'triangular2' | 'exp_range'>('mode', 'triangular')
      ],
      gamma: read('gamma', 1),
    })
  },
  'torch/ConstantLR': (read, { base_lr: initial }) =>
    s.constantThenFull({ initial, steps: read('total_iters', 5), factor: read('factor', 1 / 3) }),
}

/** Options that are no part of the rate. */
const idle = new Set(['cycle_momentum', 'last_epoch', 'verbose', 'base_momentum', 'max_momentum'])

const warm = (table: Table): { peak: number; warmupSteps: number; totalSteps: number } => ({
  peak: table.base_lr,
  warmupSteps: table.num_warmup_steps ?? 0,
  totalSteps: table.num_training_steps ?? table.lr.length,
})

/** Reads options and tells which of them nobody asked for. */
const reading = (kwargs: Values): readonly [Read, () => readonly string[]] => {
  const asked = new Set<string>()
  return [
    <T>(name: string, otherwise: T): T => {
      asked.add(name)
      return (kwargs[name] ?? otherwise) as T
    },
    () =>
      Object.keys(kwargs)
        .filter((name) => !asked.has(name) && !idle.has(name))
        .map((name) => `no option ${name} is known here`),
  ]
}

const plateau = (read: Read, { base_lr: initial, metric = [] }: Table): readonly number[] => {
  const config: s.PlateauConfig = {
    initial,
    mode: read('mode', 'min'),
    factor: read('factor', 0.1),
    patience: read('patience', 10),
    threshold: read('threshold', 1e-4),
    thresholdMode: read('threshold_mode', 'rel') === 'rel' ? 'relative' : 'absolute',
    cooldown: read('cooldown', 0),
    floor: read('min_lr', 0),
    least: read('eps', 1e-8),
  }
  let state = s.initPlateau(config)
  return metric.map((value) => {
    const { rate } = state
    state = s.reduceOnPlateau(config)(state, value)
    return rate
  })
}

/** The largest difference of rates, relative to the largest rate. */
const check = (group: string, rates: ArrayLike<number>, lr: readonly number[], tolerance: number): Check => {
  const largest = Math.max(...lr.map(Math.abs))
  let deviation = 0
  for (let i = 0; i < lr.length; i++) {
    const difference = Math.abs((rates[i] ?? NaN) - (lr[i] as number)) / (largest || 1)
    if (!(difference <= deviation)) deviation = Number.isNaN(difference) ? Infinity : difference
  }
  const passed = deviation <= tolerance
  const complaint = passed ? {} : { complaint: `off by ${deviation} of the largest rate` }
  return { group, count: lr.length, deviation, tolerance, passed, covers: [], ...complaint }
}

/** Every table of a folder like `lr-schedules`. Numbers are float64 here and there, tensors float32. */
export const checkSchedules = async (file: Values): Promise<readonly Check[]> => {
  const tables = (file['schedules'] ?? {}) as Readonly<Record<string, Table>>
  const checks: Check[] = []
  for (const [name, table] of Object.entries(tables)) {
    const kind = name.split('/').slice(0, 2).join('/')
    const [read, unread] = reading(table.kwargs)
    const make = makers[kind]
    if (kind === 'torch/ReduceLROnPlateau') {
      checks.push(check(name, plateau(read, table), table.lr.slice(0, table.metric?.length), 1e-9))
      checks.push(...unread().map((complaint) => holds(name, 0, [complaint])))
      continue
    }
    if (make === undefined) {
      checks.push(holds(name, 0, [`no schedule ${kind} is known here`]))
      continue
    }
    const schedule = make(read, table)
    const strange = unread()
    if (strange.length > 0) {
      checks.push(holds(name, 0, strange))
      continue
    }
    const numbers = table.lr.map((_, step) => schedule(step))
    const traced = jit((steps: Tensor) => schedule(steps))(arange(table.lr.length))
    checks.push(check(name, numbers, table.lr, 1e-9))
    checks.push(check(`${name}, traced`, await toArray(traced), table.lr, 2e-5))
  }
  if (checks.length === 0) checks.push(holds('schedules', 0, ['there is no schedule']))
  return checks
}
