/** Pretraining from a tokenizer on: the model, what it came to, and the report. */
import type { taskEither as TE } from 'fp-ts'
import type { Tokenizer } from '../../models/index.ts'
import type { Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import type { Values } from '../setting.ts'
import { count, duration } from '../word.ts'
import { interrupted } from './interrupted.ts'
import { pretrainBert } from './bert.ts'
import type { PretrainSetting } from './language.ts'
import { attentionOf, fillGaps, heldOutGaps } from './fill.ts'
import { finish } from './finish.ts'
import { pretrainGpt } from './gpt.ts'
import { filledLines, pretrainingLines } from './summary.ts'
import type { Findings } from './summary.ts'
import type { Resume } from './train.ts'

interface Begun {
  readonly engine: string
  readonly began: number
  readonly resume?: Resume | undefined
}

export const pretrainOn = (
  context: Context,
  kind: 'bert' | 'gpt',
  values: Values<PretrainSetting | 'positionalHeads'>,
  tokenizer: Tokenizer,
  split: Split,
  folder: string,
  { engine, began, resume }: Begun,
): TE.TaskEither<string, void> =>
  steps(async (take) => {
    const { say, title } = context.terminal
    title(kind === 'bert' ? 'Pretraining: masked words and next sentences' : 'Pretraining: what comes next')
    const findings: Omit<Findings, 'seconds' | 'facts'> = {
      name: folder,
      engine,
      seed: values.seed,
      filled: [],
    }
    const end = async (found: Partial<Findings>, vocabularySize: number): Promise<void> => {
      const seconds = (performance.now() - began) / 1000
      const facts = [
        ['documents', count(split.train.length)],
        ['vocabulary', count(vocabularySize)],
        ['layers × width', `${values.layers} × ${values.width}`],
      ] as const
      await take(finish(folder, { ...findings, seconds, facts, ...found }))
      say(`  everything is in ${folder}, after ${duration(seconds)}; try:`)
    }
    if (kind === 'gpt') {
      const pretrained = await take(pretrainGpt(context, values, tokenizer, split, folder, resume))
      if (context.signal.aborted) return take(interrupted(folder, 'pretraining'))
      pretrainingLines(pretrained).forEach((line) => say(line))
      await end({ pretrained }, pretrained.config.vocabularySize)
      say(`    npx pullback generate ${folder} "Returns the"`)
      return
    }
    const pretrained = await take(pretrainBert(context, values, tokenizer, split, folder, resume))
    if (context.signal.aborted) return take(interrupted(folder, 'pretraining'))
    pretrainingLines(pretrained).forEach((line) => say(line))
    const filled = await fillGaps(pretrained, tokenizer, heldOutGaps(tokenizer, split.heldOut, 6))
    filledLines(filled).forEach((line) => say(`  ${line}`))
    const [example] = filled
    const attention =
      example === undefined
        ? undefined
        : await attentionOf(pretrained, tokenizer, example.text.replace('[MASK]', example.answer))
    await end({ pretrained, filled, attention }, pretrained.config.vocabularySize)
    say(`    npx pullback fill ${folder} "Returns the [MASK] of the array."`)
    say(`    npx pullback finetune ${folder} --task labelled.tsv`)
  })
