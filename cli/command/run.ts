/** `pullback run`: a task, with a model as Hugging Face's libraries write it, from a folder or from the Hub. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { PullbackError, random } from '../../core/index.ts'
import { pipeline, tasks } from '../../models/index.ts'
import type { Message, Task, Tasks } from '../../models/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps, useEngine } from '../context.ts'
import type { Context } from '../context.ts'
import { readJson } from '../file.ts'
import { folderOf } from '../model.ts'
import type { Values } from '../setting.ts'
import { columns, percent } from '../word.ts'

const names = ['top', 'tokens', 'temperature', 'topK', 'topP'] as const
const writing = ['minP', 'beams', 'ngram', 'penalty', 'stop', 'precision'] as const
const going = ['draft', 'promptLookup', 'chat', 'system'] as const
const others = ['aggregation', 'pooling', 'template', 'json', 'seed', 'engine'] as const

const all = [...names, ...writing, ...going, ...others] as const

type Settings = Values<(typeof all)[number]>

type Options = { readonly [T in Task]: Tasks[T]['options'] }

const optionsOf = (values: Settings, { signal }: Pick<Context, 'signal'>): Options => {
  const {
    top,
    tokens,
    temperature,
    topK,
    topP,
    seed,
    minP,
    beams,
    ngram,
    penalty,
    stop,
    precision,
    template,
  } = values
  const told = {
    maxTokens: tokens,
    precision,
    ...(beams === 0 ? {} : { beams }),
    ...(ngram === 0 ? {} : { noRepeatNgram: ngram }),
    ...(penalty === 1 ? {} : { repetitionPenalty: penalty }),
    ...(stop === undefined ? {} : { stopStrings: [stop] }),
    stop: () => signal.aborted,
  }
  const drawn =
    temperature === 0 || beams > 1
      ? {}
      : {
          sample: random.key(seed),
          temperature,
          // also against what the folder says
          topK: topK === 0 ? undefined : topK,
          topP: topP >= 1 ? undefined : topP,
          minP: minP === 0 ? undefined : minP,
        }
  return {
    'text-classification': { topK: top },
    'token-classification': { aggregationStrategy: values.aggregation },
    'question-answering': { topK: top },
    'fill-mask': { topK: top },
    'text-generation': {
      ...told,
      ...drawn,
      draftModel: values.draft,
      promptLookup: values.promptLookup,
      // An answer is told without what was said.
      ...(values.chat ? { returnFullText: false } : {}),
    },
    'text2text-generation': told,
    summarization: told,
    translation: told,
    'feature-extraction': { pooling: values.pooling },
    'image-classification': { topK: top },
    'image-feature-extraction': { pooling: values.pooling === 'model' ? undefined : values.pooling },
    'zero-shot-classification': { hypothesisTemplate: template },
    'zero-shot-image-classification': { hypothesisTemplate: template },
    'image-text-similarity': {},
  }
}

/** The names of images' files, by which they are told from texts. */
const isImage = (word: string): boolean => /\.(png|jpe?g|webp)$/i.test(word)

/**
 * What the words behind the folder stand for: texts, names of images, questions and where their answers are looked for,
 * an image or a text and what it may be of, or images and texts that are compared.
 */
const inputsOf = <T extends Task>(
  task: T,
  words: readonly string[],
): E.Either<string, readonly Tasks[T]['input'][]> => {
  if (task === 'zero-shot-image-classification') {
    const [image = '', ...candidateLabels] = words
    return candidateLabels.length === 0
      ? E.left(`${task} takes an image and what it may be of`)
      : E.right([{ image, candidateLabels }])
  }
  if (task === 'zero-shot-classification') {
    const [text = '', ...candidateLabels] = words
    return candidateLabels.length === 0
      ? E.left(`${task} takes a text and what it may be about`)
      : E.right([{ text, candidateLabels }])
  }
  if (task === 'image-text-similarity')
    return E.right([{ images: words.filter(isImage), texts: words.filter((word) => !isImage(word)) }])
  if (task !== 'question-answering') return E.right(words)
  if (words.length % 2 !== 0)
    return E.left(`question-answering takes a question and a context, got ${words.length} inputs`)
  return E.right(
    words.flatMap((question, i) => (i % 2 === 0 ? [{ question, context: words[i + 1] as string }] : [])),
  )
}

const messages: t.Type<readonly Message[], unknown> = t.readonlyArray(
  t.intersection([t.strict({ role: t.string }), t.UnknownRecord]),
)

/** What is said, as conversations that the model answers: of a file, its messages, else those of a user. */
const conversationsOf = (
  words: readonly string[],
  system: string | undefined,
): TE.TaskEither<string, readonly (readonly Message[])[]> =>
  TE.traverseSeqArray((word: string) => {
    const first = system === undefined ? [] : [{ role: 'system', content: system }]
    if (!word.endsWith('.json')) return TE.right([...first, { role: 'user', content: word }])
    return F.pipe(
      readJson(word),
      TE.flatMapEither((json) =>
        E.mapLeft(() => `${word} holds no conversation: a list of {"role": …, "content": …}`)(
          messages.decode(json),
        ),
      ),
      TE.filterOrElse(
        (list) => list.length > 0,
        () => `${word} holds a conversation without messages`,
      ),
      TE.map((list): readonly Message[] => [...first, ...list]),
    )
  })(words)

/** Left: what was asked for that the task does not know. */
const fitting = (
  task: Task,
  { draft, promptLookup, chat, system, pooling }: Settings,
): E.Either<string, void> => {
  const writes = task === 'text-generation'
  if (draft !== undefined && !writes) return E.left(`draft: ${task} has none; text-generation has`)
  if (promptLookup !== undefined && !writes)
    return E.left(`prompt-lookup: ${task} guesses nothing; text-generation does`)
  if (chat && !writes) return E.left(`chat: ${task} takes no conversations; text-generation does`)
  if (pooling === 'model' && task === 'image-feature-extraction')
    return E.left('pooling: only folders of text models say how; say another')
  return system !== undefined && !chat
    ? E.left('system: only conversations begin so; say --chat')
    : E.right(undefined)
}

type Cell = string | number

const isRecord = (x: unknown): x is Readonly<Record<string, Cell>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** What is told of one answer: its words first, then its numbers; token ids are for machines. */
const cells = (answer: Readonly<Record<string, Cell>>): readonly string[] => {
  const { token: _, index: __, start, end, score, ...words } = answer
  return [
    ...Object.values(words).map(String),
    ...(score === undefined ? [] : [percent(Number(score))]),
    ...(start === undefined ? [] : [`${start}–${String(end)}`]),
  ]
}

/** Answers as aligned lines, lists of them behind one another. */
const lines = (output: unknown): readonly string[] => {
  if (!Array.isArray(output)) return [String(output)]
  const list = output as readonly unknown[]
  if (list.every(isRecord)) return columns(list.map(cells))
  if (list.every((x) => typeof x === 'number')) return [list.map((x) => x.toFixed(4)).join(' ')]
  return list.flatMap(lines)
}

/** Runs one input; what is refused of it is a left. */
const attempt = <I, O>(at: (input: I) => Promise<O>, input: I): TE.TaskEither<string, O> =>
  TE.tryCatch(
    () => at(input),
    (error) => {
      if (error instanceof PullbackError) return error.message
      throw error
    },
  )

const isTask = (word: string): word is Task => (tasks as readonly string[]).includes(word)

export const run: AnyCommand = command({
  name: 'run',
  about:
    'do a task with a model of the Hub, or the folder of one (config.json, model.safetensors, tokenizer.json)',
  arguments: [
    { name: 'task', about: tasks.join(', ') },
    { name: 'model', about: "the model's folder, or its name on the Hub: owner/name" },
    {
      name: 'input',
      about:
        'texts, or files of images; a question and its context; an image or a text and labels; images and texts',
      many: true,
    },
  ],
  settings: all,
  run: (context, values, [task = '', model = '', ...words]) =>
    steps(async (take) => {
      const { say } = context.terminal
      if (!isTask(task)) return take(E.left(`there is no task ${task}; there are ${tasks.join(', ')}`))
      await take(fitting(task, values))
      const inputs = values.chat
        ? await take(conversationsOf(words, values.system))
        : await take(inputsOf(task, words))
      await take(useEngine(context, values.engine))
      const folder = await take(folderOf(context, model))
      const draft = values.draft === undefined ? undefined : await take(folderOf(context, values.draft))
      const at = await take(pipeline(task, folder, optionsOf({ ...values, draft }, context)[task]))
      for (const [i, input] of inputs.entries()) {
        const output = await take(attempt(at, input))
        if (i > 0 && !values.json) say()
        for (const line of values.json ? [JSON.stringify(output)] : lines(output)) say(line)
        if (context.signal.aborted) return
      }
    }),
})
