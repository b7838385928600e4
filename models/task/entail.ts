/** zero-shot-classification: which of texts in one's own words follow from a text, by a model that was taught what follows. */
import { argumentError } from '../../core/error.ts'
import { softmax } from './score.ts'

export interface EntailmentInput {
  readonly text: string
  /** What the text may be about. */
  readonly candidateLabels: readonly string[]
}

export interface EntailmentOptions {
  /** The text that is made of a label, which stands in it as `{}`. `This example is {}.` by default. */
  readonly hypothesisTemplate?: string | undefined
  /** Whether several labels may be right, so that each is told by itself. False by default. */
  readonly multiLabel?: boolean | undefined
}

export interface Entailed {
  readonly label: string
  readonly score: number
}

/** Labels as texts: each in its place in a template. */
export const hypotheses = (
  task: string,
  candidateLabels: readonly string[],
  template: string,
): readonly string[] => {
  if (candidateLabels.length === 0) throw argumentError(task, 'there is no label among which to choose')
  if (!template.includes('{}'))
    throw argumentError(task, `the template ${JSON.stringify(template)} has no {}, where a label may stand`)
  return candidateLabels.map((label) => template.replaceAll('{}', () => label))
}

/**
 * Labels by how surely they follow, for the scores [classes] of each. The class that says so is the one whose name
 * begins with "entail", or the last; its opposite is the first, or the last where that is it.
 */
export const entailed = (
  classes: readonly string[],
  candidateLabels: readonly string[],
  scores: readonly Float32Array[],
  { multiLabel = false }: EntailmentOptions,
): readonly Entailed[] => {
  const named = classes.findIndex((name) => name.toLowerCase().startsWith('entail'))
  const follows = named < 0 ? classes.length - 1 : named
  const opposed = follows === 0 ? classes.length - 1 : 0
  const at = (all: Float32Array, index: number): number => all[index] as number
  const sure =
    multiLabel || candidateLabels.length === 1
      ? scores.map((all) => softmax([at(all, opposed), at(all, follows)])[1] as number)
      : softmax(scores.map((all) => at(all, follows)))
  return candidateLabels
    .map((label, i) => ({ label, score: sure[i] as number }))
    .sort((a, b) => b.score - a.score)
}
