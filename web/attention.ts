/**
 * What a model looks at: a row of characters, the map of one head, and small maps of all heads to choose from. The
 * pointer and the arrow keys choose what is told.
 */

export interface AttentionView {
  /** By layer and head: a row of weights for each token. */
  readonly show: (
    tokens: readonly string[],
    weights: readonly (readonly (readonly Float32Array[])[])[],
  ) => void
}

interface Places {
  /** The characters. */
  readonly row: HTMLElement
  /** The large map, and what lies over it. */
  readonly map: HTMLElement
  /** The small ones. */
  readonly heads: HTMLElement
  readonly note: HTMLElement
}

type Weights = readonly Float32Array[]

interface Head {
  readonly name: string
  readonly weights: Weights
}

const visible = (token: string): string => (token === ' ' ? '␣' : token === '\n' ? '↵' : token)

const clamp = (value: number, count: number): number => Math.min(Math.max(value, 0), count - 1)

const mean = (heads: readonly Weights[]): Weights =>
  (heads[0] ?? []).map((row, query) =>
    row.map((_, key) => heads.reduce((sum, head) => sum + (head[query]?.[key] ?? 0), 0) / heads.length),
  )

const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[K] => {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

type Colour = readonly [red: number, green: number, blue: number]

/** Keeps the few pixels of a canvas in memory: those of a GPU are waited for, for seconds where it has much to do. */
const inMemory = { willReadFrequently: true } as const

/** The page's accent. */
const accent = (): Colour => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', inMemory) as OffscreenCanvasRenderingContext2D
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()
  context.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data
  return [red, green, blue]
}

/** A dot for each pair: a row for each token that looks, the more solid the more weight is in it. */
const draw = (canvas: HTMLCanvasElement, weights: Weights, colour: Colour): void => {
  const count = weights.length
  canvas.width = count
  canvas.height = count
  const image = new ImageData(count, count)
  weights.forEach((row, query) => {
    const most = Math.max(...row, 1e-9)
    row.forEach((weight, key) =>
      image.data.set([...colour, (255 * weight) / most], 4 * (query * count + key)),
    )
  })
  const context = canvas.getContext('2d', inMemory) as CanvasRenderingContext2D | null
  context?.putImageData(image, 0, 0)
}

export const attentionView = ({ row, map, heads, note }: Places): AttentionView => {
  let tokens: readonly string[] = []
  let all: readonly Head[] = []
  let chosen = 0
  let query = 0
  /** The token that is asked about; the one that is looked at most, where there is none. */
  let key: number | undefined
  let cells: readonly HTMLButtonElement[] = []
  let small: readonly HTMLButtonElement[] = []
  let colour = accent()
  const large = make('canvas')
  const [rowBand, columnBand] = [make('div', { className: 'band' }), make('div', { className: 'band' })]
  map.replaceChildren(large, rowBand, columnBand)

  const tell = (): void => {
    const weights = all[chosen]?.weights[query] ?? new Float32Array(tokens.length)
    const most = Math.max(...weights, 1e-9)
    const at = key ?? weights.indexOf(most)
    cells.forEach((cell, index) => {
      cell.style.setProperty('--weight', String((weights[index] ?? 0) / most))
      cell.setAttribute('aria-pressed', String(index === query))
      cell.classList.toggle('asked', index === at)
      cell.tabIndex = index === query ? 0 : -1
    })
    const name = (index: number): string => `“${visible(tokens[index] ?? '')}”`
    const share = `${(100 * (weights[at] ?? 0)).toFixed(0)} %`
    note.textContent = `${all[chosen]?.name ?? ''}: ${name(query)} ${
      key === undefined ? `looks most at ${name(at)}, with` : `looks at ${name(at)} with`
    } ${share} of its attention.`
    const step = 100 / Math.max(1, tokens.length)
    Object.assign(rowBand.style, { left: '0', top: `${query * step}%`, width: '100%', height: `${step}%` })
    Object.assign(columnBand.style, { left: `${at * step}%`, top: '0', width: `${step}%`, height: '100%' })
  }
  const choose = (newQuery: number, newKey?: number): void => {
    query = clamp(newQuery, tokens.length)
    key = newKey === undefined ? undefined : clamp(newKey, tokens.length)
    tell()
  }
  const chooseHead = (index: number): void => {
    chosen = clamp(index, all.length)
    small.forEach((button, at) => {
      button.setAttribute('aria-pressed', String(at === chosen))
      button.tabIndex = at === chosen ? 0 : -1
    })
    draw(large, all[chosen]?.weights ?? [], colour)
    tell()
  }

  row.addEventListener('keydown', (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -cells.length, End: cells.length }[event.key]
    if (move === undefined) return
    event.preventDefault()
    choose(query + move)
    cells[query]?.focus()
  })
  heads.addEventListener('keydown', (event) => {
    const perLayer = Number(heads.dataset['columns'] ?? 1)
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perLayer, ArrowUp: -perLayer }[event.key]
    if (move === undefined) return
    event.preventDefault()
    chooseHead(chosen + move)
    small[chosen]?.focus()
  })
  map.addEventListener('keydown', (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key]
    if (move === undefined || tokens.length === 0) return
    event.preventDefault()
    const [down = 0, right = 0] = move
    choose(query + down, (key ?? query) + right)
  })
  map.addEventListener('pointermove', (event) => {
    if (tokens.length === 0) return
    const { left, top, width, height } = large.getBoundingClientRect()
    const place = (offset: number, size: number): number => Math.floor((offset / size) * tokens.length)
    choose(place(event.clientY - top, height), place(event.clientX - left, width))
  })
  map.addEventListener('pointerleave', () => {
    if (tokens.length > 0) choose(query)
  })
  const redraw = (): void => {
    colour = accent()
    small.forEach((button, index) =>
      draw(button.firstElementChild as HTMLCanvasElement, all[index]?.weights ?? [], colour),
    )
    chooseHead(chosen)
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (all.length > 0) redraw()
  })

  const cellOf = (token: string, index: number): HTMLButtonElement => {
    const cell = make('button', { type: 'button', textContent: visible(token) })
    cell.addEventListener('pointerenter', () => choose(index))
    cell.addEventListener('focus', () => choose(index))
    return cell
  }
  const buttonOf = ({ name }: Head, index: number): HTMLButtonElement => {
    const button = make('button', { type: 'button', title: name, ariaLabel: name }, make('canvas'))
    button.addEventListener('click', () => chooseHead(index))
    return button
  }
  return {
    show: (newTokens, weights) => {
      const sameText = newTokens.join('') === tokens.join('')
      const sameHeads = all.length === weights.reduce((count, layer) => count + layer.length + 1, 0)
      tokens = newTokens
      all = weights.flatMap((layer, index) => [
        { name: `layer ${index + 1}, all heads`, weights: mean(layer) },
        ...layer.map((one, head): Head => ({ name: `layer ${index + 1}, head ${head + 1}`, weights: one })),
      ])
      if (!sameText) {
        cells = tokens.map(cellOf)
        row.replaceChildren(...cells)
        query = tokens.length - 1
        key = undefined
      }
      if (!sameHeads) {
        const columns = (weights[0]?.length ?? 0) + 1
        heads.dataset['columns'] = String(columns)
        heads.style.setProperty('--columns', String(columns))
        small = all.map(buttonOf)
        heads.replaceChildren(...small)
        chosen = 0
      }
      map.hidden = false
      map.tabIndex = 0
      redraw()
    },
  }
}
