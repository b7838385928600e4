/** `pullback generate`: a GPT goes on with a prompt, an encoder-decoder writes a target for a source. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import { causalReader, decodeStream, gpt, stream, tokenToId } from '../../models/index.ts'
import type { Reader, Tokenizer } from '../../models/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { encodeText } from '../job/encode.ts'
import { endOfText, loadGpt } from '../job/gpt.ts'
import { loadTranslator, translate } from '../job/sequence.ts'
import { openModel } from '../model.ts'
import { ofKind } from '../run.ts'

/** What a prompt begins with where it is empty: the end of the text before. */
const promptOf = (tokenizer: Tokenizer, prompt: string): readonly number[] => {
  const ids = encodeText(tokenizer, prompt)
  return ids.length > 0 ? ids : [tokenToId(tokenizer, endOfText) ?? 0]
}

/** The reader that guesses for one of this many tokens. */
const draftOf = (context: Context, path: string, vocabulary: number): TE.TaskEither<string, Reader> =>
  F.pipe(
    openModel(context, path),
    TE.flatMapEither(ofKind(['gpt'], 'draft')),
    TE.flatMap((run) => loadGpt(run.path)),
    TE.flatMapEither(({ config, params }) =>
      config.vocabularySize === vocabulary
        ? E.right(causalReader(gpt(config), params, { maxLength: config.maxLength }))
        : E.left(`draft: ${path} has ${config.vocabularySize} tokens, the model ${vocabulary}`),
    ),
  )

export const generate: AnyCommand = command({
  name: 'generate',
  about: 'go on with a prompt (a GPT), or write the target for a source (an encoder-decoder)',
  arguments: [
    { name: 'run', about: 'the folder of a GPT or of an encoder-decoder, or the name of a GPT-2 on the Hub' },
    { name: 'prompt', about: 'what to go on with, or the source', optional: true },
  ],
  settings: ['tokens', 'temperature', 'topK', 'topP', 'draft', 'promptLookup', 'seed', 'engine'],
  run: (context, values, [path = '', prompt = '']) =>
    steps(async (take) => {
      const run = await take(openModel(context, path))
      await take(ofKind(['gpt', 'transformer'], 'generate')(run))
      await take(useEngine(context, values.engine))
      if (run.about.kind === 'transformer') {
        if (values.draft !== undefined)
          return take(E.left('draft: an encoder-decoder writes without one; only a GPT has a draft'))
        if (values.promptLookup !== undefined)
          return take(E.left('prompt-lookup: an encoder-decoder writes without; only a GPT guesses'))
        const [written = ''] = await translate(
          await take(loadTranslator(run.path)),
          run.tokenizer,
          values.tokens,
        )([prompt])
        context.terminal.say(written)
        return
      }
      const { config, params } = await take(loadGpt(run.path))
      const reader = causalReader(gpt(config), params, { maxLength: config.maxLength })
      const draft =
        values.draft === undefined
          ? undefined
          : await take(draftOf(context, values.draft, config.vocabularySize))
      const { tokenizer } = run
      const end = tokenToId(tokenizer, endOfText)
      const tokens = stream(reader, [promptOf(tokenizer, prompt)], {
        maxTokens: values.tokens,
        draft,
        promptLookup: values.promptLookup,
        endIds: end === undefined ? [] : [end],
        ...(values.temperature === 0
          ? {}
          : {
              sample: random.key(values.seed),
              temperature: values.temperature,
              ...(values.topK === 0 ? {} : { topK: values.topK }),
              ...(values.topP >= 1 ? {} : { topP: values.topP }),
            }),
      })
      const ids = (async function* () {
        for await (const { id } of tokens) yield id
      })()
      process.stdout.write(prompt)
      for await (const text of decodeStream(tokenizer, ids, { skipSpecialTokens: true })) {
        process.stdout.write(text)
        if (context.signal.aborted) break
      }
      process.stdout.write('\n')
    }),
})
