/** Tasks by their names: a model's folder as a function from what a user has to what a user wants. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { argumentError } from '../../core/error.ts'
import { modelFolder } from '../hub/index.ts'
import { isRecord } from '../record.ts'
import type { Reader } from '../generate/reader.ts'
import { encodeWindows } from '../tokenizer/encode/index.ts'
import type { Encoding } from '../tokenizer/encoding.ts'
import { idToToken, vocabularySize } from '../tokenizer/tokenizer.ts'
import { answers } from './answer.ts'
import type { Answer, AnswerInput, AnsweringOptions, Window } from './answer.ts'
import { classifications } from './classify.ts'
import type { Classification, ClassificationInput, ClassificationOptions } from './classify.ts'
import type { Encoder } from './encoder.ts'
import { features, normalized } from './feature.ts'
import type { FeatureOptions, Features, TextFeatureOptions } from './feature.ts'
import { readSentence, sentenceRow } from './sentence.ts'
import type { Sentence } from './sentence.ts'
import { asNamed, encodeCut, encodeWhole, readFolder } from './folder.ts'
import type { Folder } from './folder.ts'
import { openImageClassifier, openImageFeatures, openSimilarity, openZeroShot } from './image.ts'
import type { ImageFeatureOptions } from './image.ts'
import type { ImageInput } from './sight.ts'
import type { Similarities, SimilarityInput, ZeroShot, ZeroShotInput, ZeroShotOptions } from './compare.ts'
import { opened } from './open.ts'
import { answerers, classifiers, fillers, readers, sequences, taggers, writers } from './model.ts'
import type { Sequencer, Writer } from './model.ts'
import { entailed, hypotheses } from './entail.ts'
import type { Entailed, EntailmentInput, EntailmentOptions } from './entail.ts'
import { fillings, masksIn } from './mask.ts'
import type { FillingOptions, Fillings } from './mask.ts'
import { roleId } from './words.ts'
import { entities, joinEntities } from './tag.ts'
import type { Entity, TaggingOptions } from './tag.ts'
import { folderOptions, isGuessed, openingOf, writeIds, writtenText } from './write.ts'
import type { GenerationOptions, Prompt, WritingOptions } from './write.ts'

interface Kind<I, O, P> {
  readonly input: I
  readonly output: O
  readonly options: P
}

/** What each task takes, gives, and may be told. */
export interface Tasks {
  readonly 'text-classification': Kind<ClassificationInput, readonly Classification[], ClassificationOptions>
  readonly 'token-classification': Kind<string, readonly Entity[], TaggingOptions>
  readonly 'question-answering': Kind<AnswerInput, readonly Answer[], AnsweringOptions>
  readonly 'fill-mask': Kind<string, Fillings, FillingOptions>
  readonly 'text-generation': Kind<Prompt, readonly { readonly generated_text: string }[], GenerationOptions>
  readonly 'text2text-generation': Kind<
    string,
    readonly { readonly generated_text: string }[],
    WritingOptions
  >
  readonly summarization: Kind<string, readonly { readonly summary_text: string }[], WritingOptions>
  readonly translation: Kind<string, readonly { readonly translation_text: string }[], WritingOptions>
  readonly 'feature-extraction': Kind<string, Features, TextFeatureOptions>
  readonly 'zero-shot-classification': Kind<EntailmentInput, readonly Entailed[], EntailmentOptions>
  readonly 'image-classification': Kind<ImageInput, readonly Classification[], ClassificationOptions>
  readonly 'image-feature-extraction': Kind<ImageInput, Features, ImageFeatureOptions>
  readonly 'zero-shot-image-classification': Kind<ZeroShotInput, readonly ZeroShot[], ZeroShotOptions>
  readonly 'image-text-similarity': Kind<SimilarityInput, Similarities, object>
}

export type Task = keyof Tasks

/** A model at its task. */
export type Pipeline<T extends Task> = (input: Tasks[T]['input']) => Promise<Tasks[T]['output']>

type Opening<T extends Task> = (
  folder: Folder,
  options: Tasks[T]['options'],
) => TE.TaskEither<string, Pipeline<T>>

/** The same of a folder in which nothing has been read. */
type Opener<O, A> = (path: string, options: O) => TE.TaskEither<string, A>

const withWords =
  <O, A>(open: (folder: Folder, options: O) => TE.TaskEither<string, A>): Opener<O, A> =>
  (path, options) =>
    TE.flatMap((folder: Folder) => open(folder, options))(readFolder(path))

const openClassifier: Opening<'text-classification'> = (folder, options) =>
  TE.map(
    ({ labels, maxLength, read }: Encoder<'logits'>): Pipeline<'text-classification'> =>
      async (input) => {
        const [text, pair] = typeof input === 'string' ? [input, null] : [input.text, input.textPair]
        const encoding = encodeWhole('text-classification', folder, maxLength, text, pair)
        const { logits } = await read(encoding)
        return classifications(logits, labels, folder.file['problem_type'], options)
      },
  )(opened('text-classification', classifiers, folder))

const openEntailment: Opening<'zero-shot-classification'> = (folder, options) =>
  TE.map(
    ({ labels, maxLength, read }: Encoder<'logits'>): Pipeline<'zero-shot-classification'> =>
      async ({ text, candidateLabels }) => {
        const task = 'zero-shot-classification'
        const { hypothesisTemplate = 'This example is {}.' } = options
        const encodings = hypotheses(task, candidateLabels, hypothesisTemplate).map((hypothesis) =>
          encodeWhole(task, folder, maxLength, text, hypothesis),
        )
        const scores: Float32Array[] = []
        for (const encoding of encodings) scores.push((await read(encoding)).logits)
        return entailed(labels, candidateLabels, scores, options)
      },
  )(opened('zero-shot-classification', classifiers, folder))

const openTagger: Opening<'token-classification'> = (folder, options) =>
  TE.flatMapEither(
    ({ labels, maxLength, read }: Encoder<'logits'>): E.Either<string, Pipeline<'token-classification'>> => {
      const { stride, aggregationStrategy = 'none' } = options
      const most = Math.min(maxLength, folder.config.modelMaxLength ?? maxLength)
      const found = async (text: string, encoding: Encoding): Promise<readonly Entity[]> =>
        entities(folder, text, encoding, (await read(encoding)).logits, labels, options)
      if (stride === undefined)
        return E.right(async (text) =>
          found(text, encodeWhole('token-classification', folder, maxLength, text)),
        )
      if (aggregationStrategy === 'none')
        return E.left('token-classification: stride needs an aggregationStrategy other than none')
      if (stride >= most)
        return E.left(`token-classification: stride is ${stride}, a window has only ${most} tokens`)
      return E.right(async (text) => {
        const windows = encodeWindows(
          folder.tokenizer,
          text,
          { maxLength: most, stride },
          { offsetUnit: 'utf16' },
        )
        if (E.isLeft(windows)) throw argumentError('token-classification', windows.left)
        const all: Entity[] = []
        for (const window of windows.right) all.push(...(await found(text, asNamed(folder, window))))
        return windows.right.length > 1 ? joinEntities(all) : all
      })
    },
  )(opened('token-classification', taggers, folder))

const openAnswerer: Opening<'question-answering'> = (folder, options) =>
  TE.flatMapEither(
    ({ maxLength, read }: Encoder<'start' | 'end'>): E.Either<string, Pipeline<'question-answering'>> => {
      const usual = Math.min(maxLength, folder.config.modelMaxLength ?? maxLength, 384)
      const { maxSeqLen: most = usual, docStride = Math.min(Math.floor(most / 2), 128) } = options
      if (most > maxLength)
        return E.left(`question-answering: maxSeqLen is ${most}, the model reads at most ${maxLength}`)
      if (docStride >= most)
        return E.left(`question-answering: docStride is ${docStride}, a window has only ${most} tokens`)
      return E.right(async ({ question, context }) => {
        if (context.trim() === '' || question.trim() === '')
          throw argumentError('question-answering', 'the question or the context is empty')
        const cut = { maxLength: most, stride: docStride, strategy: 'only_second' } as const
        const windows = encodeWindows(folder.tokenizer, question, cut, { offsetUnit: 'utf16' }, context)
        if (E.isLeft(windows)) throw argumentError('question-answering', windows.left)
        const found: Window[] = []
        for (const encoding of windows.right) {
          const { start, end } = await read(asNamed(folder, encoding))
          found.push({ encoding, startScores: start, endScores: end })
        }
        return answers(context, found, roleId(folder, 'cls'), options)
      })
    },
  )(opened('question-answering', answerers, folder))

const openFiller: Opening<'fill-mask'> = (folder, options) => {
  const mask = roleId(folder, 'mask')
  if (mask === undefined) return TE.left(`${folder.path}: the tokenizer has no mask token`)
  return TE.map(({ maxLength, read }: Encoder<'logits'>): Pipeline<'fill-mask'> => async (text) => {
    const encoding = encodeWhole('fill-mask', folder, maxLength, text)
    if (masksIn(encoding, mask).length === 0)
      throw argumentError('fill-mask', `the text has no ${folder.config.roles.mask ?? 'mask'}`)
    return fillings(folder, encoding, (await read(encoding)).logits, mask, options)
  })(opened('fill-mask', fillers, folder))
}

/** How a text becomes rows. */
type Featuring = (model: Encoder<'hidden'>) => Pipeline<'feature-extraction'>

/** Each token's row, or one that is pooled of them all. */
const plainFeatures =
  (folder: Folder, options: FeatureOptions): Featuring =>
  ({ maxLength, read }) =>
  async (text) => {
    const encoding = encodeWhole('feature-extraction', folder, maxLength, text)
    return features((await read(encoding)).hidden, encoding.ids.length, options)
  }

/** As sentence-transformers does: what is too long is cut. */
const sentenceFeatures =
  (folder: Folder, sentence: Sentence, normalize: boolean): Featuring =>
  ({ maxLength, read }) =>
  async (text) => {
    const most = Math.min(
      maxLength,
      folder.config.modelMaxLength ?? maxLength,
      sentence.maxLength ?? maxLength,
    )
    const whole = sentence.prompt + text
    const encoding = encodeCut(
      'feature-extraction',
      folder,
      most,
      sentence.lowerCase ? whole.toLowerCase() : whole,
    )
    const [row = []] = sentenceRow(sentence, (await read(encoding)).hidden, encoding.ids.length)
    return [normalize ? normalized(row) : row]
  }

const openFeatures: Opening<'feature-extraction'> = (folder, { pooling, normalize = false }) =>
  F.pipe(
    pooling === 'model'
      ? F.pipe(
          readSentence(folder.path),
          TE.map((sentence) => sentenceFeatures(folder, sentence, normalize)),
        )
      : TE.right(plainFeatures(folder, { pooling, normalize })),
    TE.ap(opened('feature-extraction', readers, folder)),
  )

/** Left: where an id is one token in a folder and another in the other. */
const sameTokens = (own: Folder, other: Folder): E.Either<string, void> => {
  const [size, otherSize] = [own, other].map(({ tokenizer }) => vocabularySize(tokenizer)) as [number, number]
  const apart = Array.from({ length: Math.max(size, otherSize) }, (_, id) => id).find(
    (id) => idToToken(own.tokenizer, id) !== idToToken(other.tokenizer, id),
  )
  return apart === undefined
    ? E.right(undefined)
    : E.left(`${other.path} cannot guess for ${own.path}: their tokens differ, the first at id ${apart}`)
}

/** The reader of the model that guesses ahead for a folder's. */
const draftReader = (
  folder: Folder,
  model: Writer,
  { draftModel, precision }: GenerationOptions,
): TE.TaskEither<string, Reader | undefined> =>
  draftModel === undefined
    ? TE.right(undefined)
    : F.pipe(
        modelFolder(draftModel),
        TE.flatMap(readFolder),
        TE.chainFirstEitherK((other) => sameTokens(folder, other)),
        TE.flatMap((other) =>
          F.pipe(
            opened('text-generation', writers, other, precision),
            TE.filterOrElse(
              ({ vocabularySize }) => vocabularySize === model.vocabularySize,
              ({ vocabularySize }) =>
                `${other.path} cannot guess for ${folder.path}: it has scores for ${vocabularySize} ids, the model for ${model.vocabularySize}`,
            ),
          ),
        ),
        TE.map(({ reader }) => reader),
      )

const writerPipeline =
  (
    folder: Folder,
    options: GenerationOptions,
    { maxLength, reader }: Writer,
    drafting: Reader | undefined,
  ): Pipeline<'text-generation'> =>
  async (prompt) => {
    const {
      returnFullText = true,
      prefix: _prefix,
      chat: _chat,
      precision: _,
      draftModel: _model,
      draft = drafting,
      ...rest
    } = options
    // A model that has written its longest text writes nothing more.
    const { ids, text } = openingOf('text-generation', folder, maxLength - 1, prompt, options)
    const usual = {
      maxTokens: 256,
      ...folderOptions([folder.generation, folder.file], ids.length, { ...options, draft }),
    }
    const found = await writeIds('text-generation', folder, reader, ids, { ...usual, ...rest, draft })
    return found.map((own) => ({ generated_text: (returnFullText ? text : '') + writtenText(folder, own) }))
  }

const openWriter: Opening<'text-generation'> = (folder, options) =>
  F.pipe(
    opened('text-generation', writers, folder, options.precision),
    TE.bindTo('model'),
    TE.bind('drafting', ({ model }) => draftReader(folder, model, options)),
    TE.map(({ model, drafting }) => writerPipeline(folder, options, model, drafting)),
  )

type SequenceTask = 'text2text-generation' | 'summarization' | 'translation'

/** What config.json has for one task alone. */
const specific = ({ file }: Folder, task: Task): Readonly<Record<string, unknown>> => {
  const byTask = file['task_specific_params']
  const own = isRecord(byTask) ? byTask[task] : undefined
  return isRecord(own) ? own : {}
}

/** The texts that are written for a source, each under the name that the task has for them. */
const openSequence = <N extends string>(
  task: SequenceTask,
  name: N,
): Opener<WritingOptions, (source: string) => Promise<readonly Readonly<Record<N, string>>[]>> =>
  withWords((folder, options) =>
    TE.map(({ maxLength, startId, read }: Sequencer) => async (source: string) => {
      const own = specific(folder, task)
      const usual = folderOptions([own, folder.generation, folder.file], 1, options)
      const {
        prefix = typeof own['prefix'] === 'string' ? own['prefix'] : '',
        precision: _,
        ...rest
      } = options
      const { ids } = encodeWhole(task, folder, maxLength ?? Infinity, prefix + source)
      const beams = options.sample === undefined && !isGuessed(options) ? 4 : 1
      const written = await writeIds(task, folder, read([ids]), [startId], { beams, ...usual, ...rest })
      return written.map((own) => ({ [name]: writtenText(folder, own) }) as Readonly<Record<N, string>>)
    })(opened(task, sequences, folder, options.precision)),
  )

const openers: { readonly [T in Task]: Opener<Tasks[T]['options'], Pipeline<T>> } = {
  'text-classification': withWords(openClassifier),
  'token-classification': withWords(openTagger),
  'question-answering': withWords(openAnswerer),
  'fill-mask': withWords(openFiller),
  'text-generation': withWords(openWriter),
  'text2text-generation': openSequence('text2text-generation', 'generated_text'),
  summarization: openSequence('summarization', 'summary_text'),
  translation: openSequence('translation', 'translation_text'),
  'feature-extraction': withWords(openFeatures),
  'zero-shot-classification': withWords(openEntailment),
  'image-classification': openImageClassifier,
  'image-feature-extraction': openImageFeatures,
  'zero-shot-image-classification': withWords(openZeroShot),
  'image-text-similarity': withWords(openSimilarity),
}

/**
 * The names of all tasks.
 *
 * @example
 * ```ts
 * import { tasks } from 'pullback/models'
 * console.log(tasks.includes('fill-mask')) // => true
 * ```
 */
export const tasks: readonly Task[] = Object.keys(openers) as Task[]

/**
 * Opens a folder with config.json, weights and tokenizer.json, as Hugging Face's libraries write it, or a model by its
 * name on the Hub (see `fetchModel`), for a task. What comes out has the names that their pipelines give it; ranges of
 * text count as `String.slice` does.
 *
 * @returns Left: why the folder cannot do the task. The function that comes right rejects with a `PullbackError` of one
 * sentence, before anything runs, where an input cannot be: too long, without a mask.
 * @example
 * ```ts
 * const opened = await pipeline('fill-mask', 'no such folder')()
 * console.log(opened) // => { _tag: 'Left', left: 'no such folder/config.json does not exist' }
 * ```
 */
export const pipeline = <T extends Task>(
  task: T,
  model: string,
  options: Tasks[T]['options'] = {},
): TE.TaskEither<string, Pipeline<T>> =>
  F.pipe(
    modelFolder(model),
    TE.flatMap((folder) => (openers[task] as Opener<Tasks[T]['options'], Pipeline<T>>)(folder, options)),
  )
