/**
 * What a run costs in energy, carbon and money, and where each number comes from. Nothing is assumed: a figure that
 * nobody gives is not estimated with (Strubell, Ganesh and McCallum 2019; Henderson et al. 2020 on how little such
 * figures mean without their sources).
 */
import { taskEither as TE } from 'fp-ts'
import { argumentError } from '../core/error.ts'
import { readFailure } from '../core/file.ts'

/** A number and where it comes from. */
export interface Figure {
  readonly value: number
  /** In words: `nameplate of the charger`, `grid of Sweden, 2024, Ember`. */
  readonly source: string
  /** Whether it was measured during this run; otherwise it is somebody's estimate. */
  readonly measured?: boolean
}

/** Energy, or power over time. */
export type Consumption = { readonly joules: Figure } | { readonly watts: Figure; readonly seconds: Figure }

export interface Circumstances {
  /** How much the building uses for each unit that the machine does (PUE), at least 1. */
  readonly overhead?: Figure
  /** Of carbon dioxide and what warms like it. */
  readonly gramsPerKilowattHour?: Figure
  /** In any currency. */
  readonly pricePerKilowattHour?: Figure
}

export interface Cost {
  readonly kilowattHours: number
  readonly gramsOfCarbonDioxide?: number
  readonly price?: number
  /** Whether the energy was measured. */
  readonly measured: boolean
  /** A line for each figure that went in. */
  readonly provenance: readonly string[]
}

const told = (name: string, { value, source, measured = false }: Figure): string =>
  `${name}: ${value} (${source}; ${measured ? 'measured' : 'not measured'})`

const checked = (name: string, figure: Figure, least: number): number => {
  if (!(figure.value >= least && figure.value < Infinity))
    throw argumentError('costOf', `${name} must be a number of at least ${least}, got ${figure.value}`)
  if (figure.source.trim() === '') throw argumentError('costOf', `${name} has no source`)
  return figure.value
}

/**
 * What a consumption costs.
 *
 * @example
 * ```ts
 * import { costOf } from 'pullback/training'
 * const cost = costOf(
 *   { watts: { value: 45, source: 'plug meter, mean' }, seconds: { value: 7200, source: 'clock', measured: true } },
 *   { gramsPerKilowattHour: { value: 400, source: 'bill of the supplier, 2025' } },
 * )
 * console.log(cost.kilowattHours, cost.gramsOfCarbonDioxide) // => 0.09 36
 * console.log(cost.provenance[0]) // => watts: 45 (plug meter, mean; not measured)
 * ```
 */
export const costOf = (consumption: Consumption, circumstances: Circumstances = {}): Cost => {
  const entries = Object.entries({ ...consumption, ...circumstances }) as (readonly [string, Figure])[]
  for (const [name, figure] of entries) checked(name, figure, name === 'overhead' ? 1 : 0)
  const joules =
    'joules' in consumption ? consumption.joules.value : consumption.watts.value * consumption.seconds.value
  const { overhead, gramsPerKilowattHour, pricePerKilowattHour } = circumstances
  const kilowattHours = (joules * (overhead?.value ?? 1)) / 3.6e6
  return {
    kilowattHours,
    ...(gramsPerKilowattHour === undefined
      ? {}
      : { gramsOfCarbonDioxide: kilowattHours * gramsPerKilowattHour.value }),
    ...(pricePerKilowattHour === undefined ? {} : { price: kilowattHours * pricePerKilowattHour.value }),
    measured: Object.values(consumption).every(({ measured }: Figure) => measured === true),
    provenance: entries.map(([name, figure]) => told(name, figure)),
  }
}

interface Counter {
  readonly path: string
  readonly range: number
}

const readNumber = async (path: string): Promise<number> => {
  const { readFile } = await import('node:fs/promises')
  const value = Number((await readFile(path, 'utf8')).trim())
  if (!Number.isFinite(value)) throw new Error(`${path} holds no number`)
  return value
}

/** The counters of whole packages: those inside them would be counted twice. */
const countersIn = async (folder: string): Promise<readonly Counter[]> => {
  const { readdir } = await import('node:fs/promises')
  const packages = (await readdir(folder)).filter((name) => /^intel-rapl:\d+$/.test(name)).sort()
  return Promise.all(
    packages.map(async (name) => ({
      path: `${folder}/${name}/energy_uj`,
      range: await readNumber(`${folder}/${name}/max_energy_range_uj`),
    })),
  )
}

/** Reads how much energy the processors have used since it was opened; often enough that no counter wraps twice. */
export type EnergyMeter = () => Promise<Figure>

/**
 * The processors' own energy counters (RAPL), where Linux has them and lets this program read them. They count all
 * programs on the machine, and neither memory on every machine nor graphics cards.
 *
 * @param folder where the counters are
 * @returns Left: one sentence, where they cannot be read.
 * @example
 * ```ts
 * import { openEnergyMeter } from 'pullback/training'
 * const meter = await openEnergyMeter()()
 * if (meter._tag === 'Left') console.log(meter.left) // where the machine has no counters
 * else console.log((await meter.right()).value, 'joules since it was opened')
 * ```
 */
export const openEnergyMeter = (folder = '/sys/class/powercap'): TE.TaskEither<string, EnergyMeter> =>
  TE.tryCatch(
    async () => {
      const counters = await countersIn(folder)
      if (counters.length === 0) throw new Error('there are no energy counters')
      const read = (): Promise<readonly number[]> => Promise.all(counters.map(({ path }) => readNumber(path)))
      let before = await read()
      let microjoules = 0
      return async () => {
        const now = await read()
        now.forEach((value, i) => {
          const step = value - (before[i] as number)
          microjoules += step < 0 ? step + (counters[i]?.range ?? 0) : step
        })
        before = now
        return {
          value: microjoules / 1e6,
          source: `energy counters of ${counters.length === 1 ? 'the processor' : `${counters.length} processors`} (RAPL), all programs together`,
          measured: true,
        }
      }
    },
    (error) => `energy: ${folder} ${readFailure(error)}`,
  )
