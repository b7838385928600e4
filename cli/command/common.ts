/** What commands share. */
import { either as E } from 'fp-ts'
import type { About, RunKind } from '../run.ts'
import type { SettingTypes, Values } from '../setting.ts'
import { version } from '../version.ts'

/** What a run that begins now is. */
export const about = (kind: RunKind, values: Readonly<Record<string, unknown>>): About => ({
  kind,
  created: new Date().toISOString(),
  pullback: version,
  settings: values,
})

/** What learns most in the few minutes that two cores have: docs/architecture.md tells what was tried. */
export const quickBert: Readonly<
  Pick<SettingTypes, 'layers' | 'batch' | 'steps' | 'optimizer' | 'learningRate'>
> = {
  layers: 2,
  batch: 32,
  steps: 1300,
  optimizer: 'muon',
  learningRate: 0.006,
}

/** Sizes that no model can have are refused before anything begins. */
export const checkSizes = ({
  width,
  heads,
  length,
  positionalHeads = 0,
}: Values<'width' | 'heads' | 'length'> & Partial<Values<'positionalHeads'>>): E.Either<string, void> =>
  width % heads !== 0
    ? E.left(`--width ${width} cannot be split into --heads ${heads} heads`)
    : positionalHeads > 0 && width < 2 * heads
      ? E.left(
          `--width ${width} makes --heads ${heads} of one number each, too narrow to look at the nearest words: give --positional-heads 0`,
        )
      : length < 8
        ? E.left(`--length ${length} leaves no room for sentences, at least 8 tokens are needed`)
        : E.right(undefined)
