/**
 * What runs in the report's page: uPlot's charts, and the attention map that answers to the pointer. The function is
 * written into the page as text, so it uses nothing but its arguments and the page.
 */
import type uPlot from 'uplot'
import type { Attention, Chart } from './report.ts'

export interface ClientData {
  readonly charts: readonly Chart[]
  readonly attention: Attention | undefined
}

export const client = (
  { charts, attention }: ClientData,
  Plot: typeof uPlot,
  page: Document,
  view: Window,
): void => {
  const style = view.getComputedStyle(page.documentElement)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const palette = [1, 2, 3, 4].map((n) => colour(`curve-${n}`))

  charts.forEach((chart, index) => {
    const place = page.getElementById(`chart-${index}`)
    if (place === null) return
    const xs = [...new Set(chart.curves.flatMap(({ points }) => points.map(([x]) => x)))].sort(
      (a, b) => a - b,
    )
    const column = (points: Chart['curves'][number]['points']): (number | null)[] => {
      const at = new Map(points.map(([x, y]) => [x, y]))
      return xs.map((x) => at.get(x) ?? null)
    }
    const series = [
      ...chart.curves.map(({ label, points }, i) => ({
        label,
        stroke: palette[i % palette.length] ?? '#888',
        width: 2,
        spanGaps: true,
        points: { show: points.length < 30, size: 5 },
        values: column(points),
      })),
      ...chart.levels.map(({ label, value }) => ({
        label,
        stroke: colour('faint'),
        width: 1.5,
        dash: [6, 4],
        points: { show: false },
        values: xs.map(() => value),
      })),
    ]
    const axis = {
      stroke: colour('faint'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    }
    const plot = new Plot(
      {
        width: place.clientWidth,
        height: 300,
        scales: { x: { time: false } },
        series: [{ label: 'step' }, ...series.map(({ values: _, ...options }) => options)],
        axes: [axis, { ...axis, size: 56 }],
      },
      [xs, ...series.map(({ values }) => values)] as uPlot.AlignedData,
      place,
    )
    view.addEventListener('resize', () => plot.setSize({ width: place.clientWidth, height: 300 }))
  })

  const map = page.getElementById('attention-tokens')
  if (attention === undefined || map === null) return
  const layerSelect = page.getElementById('attention-layer') as HTMLSelectElement
  const headSelect = page.getElementById('attention-head') as HTMLSelectElement
  let chosen = 0
  const cells = attention.tokens.map((token, i) => {
    const cell = page.createElement('button')
    cell.type = 'button'
    cell.textContent = token
    const choose = (): void => {
      chosen = i
      paint()
    }
    cell.addEventListener('pointerenter', choose)
    cell.addEventListener('focus', choose)
    map.append(cell)
    return cell
  })
  const paint = (): void => {
    const heads = attention.weights[Number(layerSelect.value)] ?? []
    const wanted = headSelect.value
    const rows = wanted === 'mean' ? heads : [heads[Number(wanted)] ?? []]
    const weights = attention.tokens.map(
      (_, key) => rows.reduce((sum, head) => sum + (head[chosen]?.[key] ?? 0), 0) / Math.max(1, rows.length),
    )
    const most = Math.max(...weights, 1e-9)
    cells.forEach((cell, i) => {
      const weight = weights[i] ?? 0
      cell.style.setProperty('--weight', String(weight / most))
      cell.classList.toggle('chosen', i === chosen)
      cell.title = `${attention.tokens[chosen] ?? ''} → ${attention.tokens[i] ?? ''}: ${(100 * weight).toFixed(1)} %`
    })
  }
  layerSelect.addEventListener('change', paint)
  headSelect.addEventListener('change', paint)
  paint()
}
