/** The loss as it falls, and its moving average. */
import uPlot from 'uplot'

export interface LossChart {
  readonly clear: () => void
  /** The losses of steps one after the other, up to `last`. */
  readonly add: (last: number, losses: readonly number[]) => void
}

const most = 4000

/** How much of the average the next step leaves. */
const kept = 0.95

const height = 260

/** Milliseconds between drawings where somebody has asked for less motion. */
const calm = 1000

export const lossChart = (place: HTMLElement): LossChart => {
  let [steps, losses, means]: [number[], number[], number[]] = [[], [], []]
  // a moving average that begins as the mean of what there is
  let [total, weight] = [0, 0]
  /** Every how many steps one is kept: twice as many whenever there are too many points. */
  let stride = 1
  let due = false
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  const colour = (name: string): string =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const axis = (): uPlot.Axis => ({
    stroke: colour('--faint'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  })
  const make = (): uPlot =>
    new uPlot(
      {
        width: place.clientWidth || 600,
        height,
        scales: { x: { time: false } },
        series: [
          { label: 'step' },
          { label: 'loss', stroke: `color-mix(in srgb, ${colour('--accent')} 35%, transparent)`, width: 1 },
          { label: 'average', stroke: colour('--accent'), width: 2 },
        ],
        axes: [
          { ...axis(), size: 34 },
          { ...axis(), size: 52 },
        ],
      },
      [steps, losses, means],
      place,
    )
  let plot = make()
  place.toggleAttribute('data-empty', true)
  const restyle = (): void => {
    plot.destroy()
    plot = make()
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle)
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth || 600, height })).observe(place)
  const draw = (): void => {
    if (due) return
    due = true
    const now = (): void => {
      due = false
      plot.setData([steps, losses, means])
      place.toggleAttribute('data-empty', steps.length === 0)
      if (typeof plot.cursor.idx !== 'number' && steps.length > 0) plot.setLegend({ idx: steps.length - 1 })
      place.ariaLabel = `The loss, step by step: ${means.at(-1)?.toFixed(2) ?? 'none yet'}${
        steps.length === 0 ? '' : ` on average at step ${steps.at(-1)}`
      }`
    }
    if (still.matches) setTimeout(now, calm)
    else requestAnimationFrame(now)
  }
  return {
    clear: () => {
      ;[steps, losses, means] = [[], [], []]
      ;[total, weight, stride] = [0, 0, 1]
      draw()
    },
    add: (last, fresh) => {
      fresh.forEach((loss, index) => {
        total = kept * total + loss
        weight = kept * weight + 1
        const step = last - fresh.length + 1 + index
        if (step % stride !== 0) return
        steps.push(step)
        losses.push(loss)
        means.push(total / weight)
      })
      if (steps.length > most) {
        stride *= 2
        ;[steps, losses, means] = [steps, losses, means].map((all) =>
          all.filter((_, i) => (steps[i] ?? 0) % stride === 0),
        ) as [number[], number[], number[]]
      }
      draw()
    },
  }
}
