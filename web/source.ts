/** The text to learn from: typed, pasted, or opened. One too long for a field to hold without delay stands beside it. */
import { withCommas } from './number.ts'

export interface TextSource {
  readonly value: () => string
  /** Takes a text from elsewhere; `from` says where. */
  readonly set: (text: string, from: string) => void
}

interface Places {
  readonly field: HTMLTextAreaElement
  readonly note: HTMLElement
  /** Goes back from a long text to the field. */
  readonly back: HTMLButtonElement
}

/** Characters that a field lays out in a moment. */
const most = 200_000

/** Of a longer text, what is shown. */
const shown = 5000

export const textSource = ({ field, note, back }: Places): TextSource => {
  let long: string | undefined
  const hold = (text: string | undefined): void => {
    long = text
    field.readOnly = text !== undefined
    back.hidden = text === undefined
    field.setAttribute('aria-describedby', note.id)
  }
  const set = (text: string, from: string): void => {
    const fits = text.length <= most
    hold(fits ? undefined : text)
    field.value = fits ? text : `${text.slice(0, shown)} …`
    note.textContent = `${from}: ${withCommas(text.length)} characters${fits ? '' : '; their beginning is shown'}.`
  }
  field.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (text.length + field.value.length <= most || field.readOnly) return
    event.preventDefault()
    const { selectionStart, selectionEnd, value } = field
    set(value.slice(0, selectionStart) + text + value.slice(selectionEnd), 'Pasted')
  })
  back.addEventListener('click', () => {
    hold(undefined)
    note.textContent = ''
    field.focus()
  })
  field.addEventListener('input', () => void (note.textContent = ''))
  return { value: () => long ?? field.value, set }
}
