/** Figures: what was measured, of whom, and how far they lie apart. */
import { median } from './clock.ts'

/** One measured number. */
export interface Figure {
  /** What it is of: a load, a shape, an operation. */
  readonly case: string
  readonly metric: string
  readonly engine: string
  readonly threads: number
  readonly value: number
}

/** A line that a measurement printed: who, and numbers by name. */
export type Line = Readonly<Record<string, string | number>>

/** The numbers of a line that are reported, in the order of the columns. */
const metrics = [
  'msPerStep',
  'msPerToken',
  'tokensPerSecond',
  'tokensPerPass',
  'compileMs',
  'peakBytes',
  'gflops',
  'nsPerElement',
  'microseconds',
  'milliseconds',
  'times',
] as const

export const figuresOf = (line: Line): readonly Figure[] =>
  metrics.flatMap((metric): Figure[] => {
    const value = line[metric]
    const name = line['load'] ?? line['shape'] ?? line['case']
    return typeof value === 'number'
      ? [
          {
            case: String(name),
            metric,
            engine: String(line['engine']),
            threads: Number(line['threads']),
            value,
          },
        ]
      : []
  })

const larger: ReadonlySet<string> = new Set(['gflops', 'tokensPerSecond', 'tokensPerPass'])

/** A figure over all rounds, beside the engine that is compared. */
export interface Row extends Figure {
  /** How often it was measured; the value is the median. */
  readonly rounds: number
  /** How much better the engine that is measured does: above 1 it is faster, or holds less. */
  readonly ratio: number
}

/** Medians over rounds, each compared with `own` at as many threads, in the order in which they came. */
export const summarise = (figures: readonly Figure[], own: string): readonly Row[] => {
  const keyOf = ({ case: name, metric, engine, threads }: Figure): string =>
    [name, metric, engine, threads].join('|')
  const groups = Map.groupBy(figures, keyOf)
  const medians = new Map([...groups].map(([key, group]) => [key, median(group.map(({ value }) => value))]))
  return [...groups].map(([key, group]) => {
    const [first] = group as [Figure, ...Figure[]]
    const value = medians.get(key) as number
    const ours = medians.get(keyOf({ ...first, engine: own })) ?? NaN
    const ratio = larger.has(first.metric) ? ours / value : value / ours
    return { ...first, value, rounds: group.length, ratio }
  })
}
