/** What pretraining is worth: a classifier from the pretrained network, and one from the same network afresh. */
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import { bert, bertPositionalHeads } from '../../models/index.ts'
import type { BertConfig, BertParams, Tokenizer } from '../../models/index.ts'
import type { LabelTask } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import type { Values } from '../setting.ts'
import { fineTune, saveClassifier } from './classify.ts'
import type { Classified, ClassifySetting } from './classify.ts'
import { interrupted } from './interrupted.ts'

export interface Comparison {
  readonly classified: Classified
  readonly fromScratch: Classified
}

/** Fine-tunes both on the same labels; the pretrained one is kept in the run's folder. Left also after Ctrl-C. */
export const compareWithScratch = (
  context: Context,
  values: Values<ClassifySetting | 'positionalHeads'>,
  tokenizer: Tokenizer,
  { config, params }: { readonly config: BertConfig; readonly params: BertParams },
  task: LabelTask,
  folder: string,
): TE.TaskEither<string, Comparison> =>
  steps(async (take) => {
    const tune = (body: BertParams, phase: string, label: string): Promise<Classified> =>
      take(fineTune(context, values, tokenizer, { config, params: body }, task, { phase, label, folder }))
    const classified = await tune(params, 'finetune', 'fine-tuning')
    await take(saveClassifier(folder, classified))
    if (context.signal.aborted) return take(interrupted(folder, 'fine-tuning'))
    const drawn = bert(config).init(random.foldIn(random.key(values.seed), 'scratch'))
    const fresh = bertPositionalHeads(config, drawn, values.positionalHeads)
    const fromScratch = await tune(fresh, 'scratch', 'the same from scratch')
    if (context.signal.aborted) return take(interrupted(folder, 'the comparison'))
    return { classified, fromScratch }
  })
