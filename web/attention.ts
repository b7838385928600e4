/** A row of characters; the chosen one's attention colours the others. Pointer and arrow keys choose. */

export interface AttentionMap {
  readonly show: (
    tokens: readonly string[],
    weights: readonly (readonly (readonly Float32Array[])[])[],
  ) => void
}

const visible = (token: string): string => (token === ' ' ? '␣' : token === '\n' ? '↵' : token)

const fillChoices = (select: HTMLSelectElement, names: readonly string[]): void => {
  const before = select.value
  select.replaceChildren(...names.map((name, index) => new Option(name, String(index))))
  select.value = names[Number(before)] === undefined ? '0' : before || '0'
  select.disabled = false
}

export const attentionMap = (
  place: HTMLElement,
  layerSelect: HTMLSelectElement,
  headSelect: HTMLSelectElement,
  note: HTMLElement,
): AttentionMap => {
  let cells: readonly HTMLButtonElement[] = []
  let tokens: readonly string[] = []
  let weights: readonly (readonly (readonly Float32Array[])[])[] = []
  let chosen = 0
  const paint = (): void => {
    const heads = weights[Number(layerSelect.value)] ?? []
    const head = Number(headSelect.value)
    const rows = head === 0 ? heads : heads.slice(head - 1, head)
    const row = tokens.map(
      (_, key) => rows.reduce((sum, one) => sum + (one[chosen]?.[key] ?? 0), 0) / rows.length,
    )
    const most = Math.max(...row, 1e-9)
    cells.forEach((cell, index) => {
      cell.style.setProperty('--weight', String((row[index] ?? 0) / most))
      cell.setAttribute('aria-pressed', String(index === chosen))
      cell.tabIndex = index === chosen ? 0 : -1
      cell.title = `${visible(tokens[chosen] ?? '')} → ${visible(tokens[index] ?? '')}: ${(100 * (row[index] ?? 0)).toFixed(1)} %`
    })
    const best = row.indexOf(Math.max(...row))
    note.textContent = `“${visible(tokens[chosen] ?? '')}” looks most at “${visible(tokens[best] ?? '')}”, with ${(100 * (row[best] ?? 0)).toFixed(0)} % of its attention.`
  }
  const choose = (index: number): void => {
    chosen = Math.min(Math.max(index, 0), cells.length - 1)
    paint()
  }
  place.addEventListener('keydown', (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -cells.length, End: cells.length }[event.key]
    if (move === undefined) return
    event.preventDefault()
    choose(chosen + move)
    cells[chosen]?.focus()
  })
  layerSelect.addEventListener('change', paint)
  headSelect.addEventListener('change', paint)
  return {
    show: (newTokens, newWeights) => {
      tokens = newTokens
      weights = newWeights
      fillChoices(
        layerSelect,
        weights.map((_, index) => String(index + 1)),
      )
      fillChoices(headSelect, ['all', ...(weights[0] ?? []).map((_, index) => String(index + 1))])
      cells = tokens.map((token, index) => {
        const cell = document.createElement('button')
        cell.type = 'button'
        cell.textContent = visible(token)
        cell.addEventListener('pointerenter', () => choose(index))
        cell.addEventListener('focus', () => choose(index))
        return cell
      })
      place.replaceChildren(...cells)
      choose(tokens.length - 1)
    },
  }
}
