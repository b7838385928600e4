/** The loss as it falls, and its moving average. */
import uPlot from 'uplot'

export interface LossChart {
  readonly clear: () => void
  readonly add: (step: number, loss: number) => void
}

const most = 4000

export const lossChart = (place: HTMLElement): LossChart => {
  let [steps, losses, means]: [number[], number[], number[]] = [[], [], []]
  let mean: number | undefined
  let due = false
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
        height: 260,
        scales: { x: { time: false } },
        series: [
          { label: 'step' },
          { label: 'loss', stroke: `color-mix(in srgb, ${colour('--accent')} 35%, transparent)`, width: 1 },
          { label: 'average', stroke: colour('--accent'), width: 2 },
        ],
        axes: [axis(), { ...axis(), size: 52 }],
      },
      [steps, losses, means],
      place,
    )
  let plot = make()
  const restyle = (): void => {
    plot.destroy()
    plot = make()
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle)
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth || 600, height: 260 })).observe(place)
  const draw = (): void => {
    if (due) return
    due = true
    requestAnimationFrame(() => {
      due = false
      plot.setData([steps, losses, means])
    })
  }
  return {
    clear: () => {
      ;[steps, losses, means] = [[], [], []]
      mean = undefined
      draw()
    },
    add: (step, loss) => {
      mean = mean === undefined ? loss : 0.95 * mean + 0.05 * loss
      steps.push(step)
      losses.push(loss)
      means.push(mean)
      if (steps.length > most)
        [steps, losses, means] = [steps, losses, means].map((all) => all.filter((_, i) => i % 2 === 0)) as [
          number[],
          number[],
          number[],
        ]
      draw()
    },
  }
}
