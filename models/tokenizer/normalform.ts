/**
 * Unicode normalisation forms (Unicode Standard Annex 15) that keep the places of characters. JavaScript normalises
 * but does not tell what became of which character; so texts that are in the form already pass at once, and for
 * others the steps are taken one by one: decompose each character, order the marks, compose.
 */
import { draft } from './aligned.ts'
import type { Aligned } from './aligned.ts'
import { compose, decompose, isHigherMark, isStarter } from './unicode.ts'

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** A character of the result: `change` 0 stands for one of the source, 1 for none, -n for one and the n after it. */
interface Step {
  readonly text: string
  readonly change: number
}

const decompositions = {
  NFD: new Map<string, readonly string[]>(),
  NFKD: new Map<string, readonly string[]>(),
}

const decompositionOf = (character: string, form: 'NFD' | 'NFKD'): readonly string[] => {
  const known = decompositions[form].get(character)
  if (known !== undefined) return known
  const parts = [...decompose(character, form)]
  decompositions[form].set(character, parts)
  return parts
}

/** Orders a run of marks by combining class, stably (the Canonical Ordering Algorithm). */
const order = (steps: Step[], from: number): void => {
  for (let i = from + 1; i < steps.length; i++) {
    const step = steps[i] as Step
    let j = i
    for (; j > from && isHigherMark((steps[j - 1] as Step).text, step.text); j--)
      steps[j] = steps[j - 1] as Step
    steps[j] = step
  }
}

const decomposed = (text: string, form: 'NFD' | 'NFKD'): Step[] => {
  const steps: Step[] = []
  let pending = 0
  for (const character of text) {
    let first = true
    for (const part of decompositionOf(character, form)) {
      if (isStarter(part)) {
        order(steps, pending)
        steps.push({ text: part, change: first ? 0 : 1 })
        pending = steps.length
      } else steps.push({ text: part, change: first ? 0 : 1 })
      first = false
    }
  }
  order(steps, pending)
  return steps
}

const compositions = new Map<string, string>()

const compositeOf = (a: string, b: string): string => {
  const pair = a + b
  const known = compositions.get(pair)
  if (known !== undefined) return known
  const composite = compose(a, b)
  compositions.set(pair, composite)
  return composite
}

const composed = (steps: readonly Step[]): Step[] => {
  const out: Step[] = []
  let base = -1
  // the mark that stands between the base and what comes next, if any
  let last: string | null = null
  for (const step of steps) {
    const starter = isStarter(step.text)
    if (base < 0) {
      if (starter) base = out.length
      out.push(step)
      continue
    }
    const blocked = last !== null && (starter || !isHigherMark(step.text, last))
    if (!blocked) {
      const { text, change } = out[base] as Step
      const composite = compositeOf(text, step.text)
      if (composite !== '') {
        out[base] = { text: composite, change: change + step.change - 1 }
        continue
      }
    }
    if (starter) {
      base = out.length
      last = null
    } else last = step.text
    out.push(step)
  }
  return out
}

/** The text in the given form, its characters traced to their origin. */
export const normalForm = (source: Aligned, form: NormalForm): Aligned => {
  if (source.text.normalize(form) === source.text) return source
  const compatible = form === 'NFKC' || form === 'NFKD'
  const steps = decomposed(source.text, compatible ? 'NFKD' : 'NFD')
  const out = draft(source)
  for (const { text, change } of form === 'NFC' || form === 'NFKC' ? composed(steps) : steps) {
    if (change > 0) out.insert(text)
    else {
      out.replace(text)
      for (let n = change; n < 0; n++) {
        const at = out.at()
        out.drop((source.text.codePointAt(at) as number) > 0xffff ? 2 : 1)
      }
    }
  }
  return out.done()
}
