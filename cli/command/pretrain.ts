/** `pullback pretrain`: a language model out of text. */
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { gatherCorpus } from '../job/corpus.ts'
import { pretrainOn } from '../job/pretrain.ts'
import { makeTokenizer } from '../job/tokenizer.ts'
import { beginRun, newRun } from '../run.ts'
import { about, checkSizes, quickBert } from './common.ts'

export const pretrain: AnyCommand = command({
  name: 'pretrain',
  about: 'pretrain a language model on text: a BERT that fills in masked words, or a GPT that goes on',
  arguments: [],
  settings: [
    ...(['model', 'name', 'runs', 'seed', 'engine'] as const),
    ...(['corpus', 'characters', 'heldOut', 'vocabulary'] as const),
    ...(['width', 'layers', 'heads', 'hidden', 'length', 'dropout', 'positionalHeads'] as const),
    ...(['steps', 'minutes', 'batch', 'learningRate', 'optimizer', 'warmup', 'weightDecay', 'clip'] as const),
  ],
  fallbacks: quickBert,
  run: (context, values) =>
    steps(async (take) => {
      const { title } = context.terminal
      const began = performance.now()
      await take(checkSizes(values.model === 'bert' ? values : { ...values, positionalHeads: 0 }))
      const folder = await take(newRun(values.runs, values.name, values.model))
      const engine = await take(useEngine(context, values.engine))
      title('A corpus')
      const split = await take(gatherCorpus(context, values))
      await take(beginRun(folder, about(values.model, values)))
      title('A tokenizer')
      const kind = values.model === 'bert' ? 'wordpiece' : 'bytelevel'
      const tokenizer = await take(makeTokenizer(context, split.train, kind, values.vocabulary, folder))
      await take(pretrainOn(context, values.model, values, tokenizer, split, folder, { engine, began }))
    }),
})
