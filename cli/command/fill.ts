/** `pullback fill`: what may stand where a text says [MASK]. */
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import { loadBert } from '../job/bert.ts'
import { fillMasks } from '../job/fill.ts'
import { openModel } from '../model.ts'
import { ofKind } from '../run.ts'
import { columns, percent } from '../word.ts'

export const fill: AnyCommand = command({
  name: 'fill',
  about: 'fill in what a text leaves open as [MASK]',
  arguments: [
    { name: 'run', about: 'the folder of a pretrained BERT, or its name on the Hub' },
    { name: 'text', about: 'a text with [MASK] in it' },
  ],
  settings: ['top', 'engine'],
  run: (context, { top, engine }, [path = '', text = '']) =>
    steps(async (take) => {
      const { say } = context.terminal
      const run = await take(openModel(context, path))
      await take(ofKind(['bert'], 'fill in')(run))
      await take(useEngine(context, engine))
      const model = await take(loadBert(run.path))
      const found = await take(await fillMasks(model, run.tokenizer)(text, top))
      found.forEach((guesses, i) => {
        if (found.length > 1) say(`[MASK] ${i + 1}`)
        columns(guesses.map(({ token, probability }) => [token, percent(probability)])).forEach((line) =>
          say(line),
        )
      })
    }),
})
