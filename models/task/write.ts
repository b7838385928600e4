/** text-generation, and text to text: summarization and translation. */
import { either as E } from 'fp-ts'
import { argumentError } from '../../core/error.ts'
import type { ConfigFile } from '../config/codec.ts'
import { beamSearch } from '../generate/beam.ts'
import { generate, stopStrings } from '../generate/generate.ts'
import type { GenerateOptions } from '../generate/generate.ts'
import type { BeamOptions } from '../generate/beam.ts'
import { forceAt, suppress } from '../generate/processor/index.ts'
import type { Draft, Processor } from '../generate/processor/index.ts'
import type { Reader } from '../generate/reader.ts'
import { renderChat } from '../tokenizer/chat.ts'
import type { ChatOptions, Message } from '../tokenizer/chat.ts'
import { decode } from '../tokenizer/decode.ts'
import type { StoredPrecision } from '../../nn/index.ts'
import { encodeWhole, textOf } from './folder.ts'
import type { Words } from './words.ts'

type Open<A> = { readonly [K in keyof A]?: A[K] | undefined }

/**
 * What a text that is written may be told, beside the options of `generate` and `beamSearch`. Where nothing is said,
 * the folder's generation_config.json decides: lengths, ends, beams, what may not be written, and how tokens are drawn.
 * Nothing is left to chance without a key (`sample`).
 */
export interface WritingOptions extends Open<GenerateOptions & Omit<BeamOptions, keyof GenerateOptions>> {
  /** A text is complete when it contains one of these. */
  readonly stopStrings?: readonly string[] | undefined
  /** What is put in front of the text that is read. */
  readonly prefix?: string | undefined
  /** How weights are held: as they are, or rounded to 8 or 4 bits; see `quantize`. */
  readonly precision?: StoredPrecision | undefined
}

export interface GenerationOptions extends WritingOptions {
  /** Whether the prompt is told, too, or what of its last message was there. True by default. */
  readonly returnFullText?: boolean | undefined
  /**
   * The folder, or the name on the Hub, of a smaller model of the same tokens, which guesses tokens ahead; greedy texts
   * stay the same, drawn ones have the same distribution (see `generate`).
   */
  readonly draftModel?: string | undefined
  /** How a conversation is made a text; by default its last message is gone on with where it is the assistant's. */
  readonly chat?: ChatOptions | undefined
}

/** What a text model goes on with: a text, or a conversation that its chat template makes a text of. */
export type Prompt = string | readonly Message[]

const numberIn = (file: ConfigFile, key: string): number | undefined =>
  typeof file[key] === 'number' ? file[key] : undefined

/** Ids that a config names by one number or a list. */
const idsIn = (file: ConfigFile, key: string): readonly number[] | undefined => {
  const value = file[key]
  if (typeof value === 'number') return [value]
  return Array.isArray(value) ? value.filter((id): id is number => typeof id === 'number') : undefined
}

/** The length that configs have where nobody has said one. */
const unsaid = 20

/** Lists of ids, such as words that are never written. */
const sequencesIn = (file: ConfigFile, key: string): readonly (readonly number[])[] | undefined => {
  const value = file[key]
  return Array.isArray(value) && value.every(isIds) ? value : undefined
}

const isIds = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'number')

/** Sequences of ids, each with what is added to its score. */
const biasesIn = (file: ConfigFile): WritingOptions['sequenceBias'] => {
  const value = file['sequence_bias']
  if (!Array.isArray(value)) return undefined
  return value.flatMap((pair: unknown) =>
    Array.isArray(pair) && isIds(pair[0]) && typeof pair[1] === 'number' ? [[pair[0], pair[1]] as const] : [],
  )
}

/** The ids that are not the token behind so many others. */
const suppressAt =
  (count: number, ids: readonly number[]): Processor =>
  (scores, draft) =>
    draft.ids.length - draft.prompt === count ? suppress(ids)(scores, draft) : scores

/**
 * What a folder says of writing: generation_config.json, and config.json where older folders keep it. Its lengths count
 * what was there before anything is written, `prompt` tokens. Of what is asked for, `maxTokens` decides when the last
 * token is forced, and a key or a draft that no beams are searched.
 */
export const folderOptions = (
  files: readonly ConfigFile[],
  prompt: number,
  { maxTokens, sample, draft }: WritingOptions,
): WritingOptions => {
  const find = <A>(get: (file: ConfigFile) => A | undefined): A | undefined =>
    files.map(get).find((value) => value !== undefined)
  const number = (key: string): number | undefined => find((file) => numberIn(file, key))
  /** A number, where it is not the one that changes nothing. */
  const unless = (nothing: number, key: string): number | undefined => {
    const value = number(key)
    return value === nothing ? undefined : value
  }
  const ids = (key: string): readonly number[] | undefined => find((file) => idsIn(file, key))
  const endIds = ids('eos_token_id')
  const early = find((file) => file['early_stopping'] ?? undefined)
  const [first, last] = [number('forced_bos_token_id'), number('forced_eos_token_id')]
  const [whole, least] = [number('max_length'), number('min_length')]
  const [never, notFirst] = [ids('suppress_tokens'), ids('begin_suppress_tokens')]
  const longest =
    maxTokens ??
    number('max_new_tokens') ??
    (whole === undefined || whole === unsaid ? undefined : Math.max(1, whole - prompt))
  const processors: readonly Processor[] = [
    ...(first === undefined || prompt > 1 ? [] : [forceAt(0, first)]),
    ...(last === undefined || longest === undefined ? [] : [forceAt(longest - 1, last)]),
    ...(never === undefined ? [] : [suppress(never)]),
    ...(notFirst === undefined ? [] : [suppressAt(first === undefined || prompt > 1 ? 0 : 1, notFirst)]),
  ]
  const given: WritingOptions = {
    endIds,
    maxTokens: longest,
    minTokens: number('min_new_tokens') ?? (least === undefined ? undefined : Math.max(0, least - prompt)),
    beams: sample === undefined && draft === undefined ? number('num_beams') : 1,
    groups: number('num_beam_groups'),
    diversityPenalty: number('diversity_penalty'),
    lengthPenalty: number('length_penalty'),
    earlyStopping: typeof early === 'boolean' || early === 'never' ? early : undefined,
    noRepeatNgram: unless(0, 'no_repeat_ngram_size'),
    repetitionPenalty: unless(1, 'repetition_penalty'),
    sequenceBias: find(biasesIn),
    // Ends are left out of them there, too.
    badWords: find((file) => sequencesIn(file, 'bad_words_ids'))?.filter(
      (word) => !(word.length === 1 && endIds?.includes(word[0] as number) === true),
    ),
    temperature: number('temperature'),
    topK: unless(0, 'top_k'),
    topP: number('top_p'),
    minP: number('min_p'),
    typicalP: number('typical_p'),
    epsilonCutoff: unless(0, 'epsilon_cutoff'),
    etaCutoff: unless(0, 'eta_cutoff'),
    processors: processors.length === 0 ? undefined : processors,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Whether tokens are guessed ahead, by a draft or by the text itself. */
export const isGuessed = ({ draft, promptLookup }: WritingOptions): boolean =>
  draft !== undefined || promptLookup !== undefined

/** What is written for one prompt of ids: `count` texts of ids, the best first. */
export const writeIds = async (
  task: string,
  words: Words,
  reader: Reader,
  prompt: readonly number[],
  options: WritingOptions,
): Promise<readonly (readonly number[])[]> => {
  const { beams = 1, count = 1, maxTokens = 256, stopStrings: strings, stop, sample, ...rest } = options
  const text = (ids: readonly number[]): string => decode(words.tokenizer, ids, { skipSpecialTokens: true })
  const said = strings === undefined ? undefined : stopStrings(strings, text)
  const ends = (draft: Draft): boolean => stop?.(draft) === true || said?.(draft) === true
  const whole = { ...rest, maxTokens, stop: ends }
  if (beams > 1) {
    if (isGuessed(options))
      throw argumentError(
        task,
        'beams are searched without guesses; leave out beams, or the draft or promptLookup',
      )
    if (sample !== undefined) throw argumentError(task, 'beams are searched without chance; leave out sample')
    const [found = []] = await beamSearch(reader, [prompt], { ...whole, beams, count })
    return found.map(({ ids }) => ids)
  }
  if (count > 1 && sample === undefined)
    throw argumentError(task, `${count} texts of one prompt take a key (sample) or as many beams`)
  const written = await generate(reader, new Array<readonly number[]>(count).fill(prompt), {
    ...whole,
    ...(sample === undefined ? {} : { sample }),
  })
  return written.map(({ ids }) => ids)
}

/** What a text model reads of a prompt, and what of it belongs to the text that it writes. */
export interface Opening {
  readonly ids: readonly number[]
  readonly text: string
}

/**
 * A prompt as tokens, `most` at most.
 *
 * @throws PullbackError when there are more or none, or the conversation cannot be written.
 */
export const openingOf = (
  task: string,
  words: Words,
  most: number,
  prompt: Prompt,
  { prefix = '', chat = {} }: GenerationOptions,
): Opening => {
  if (typeof prompt === 'string')
    return { ids: encodeWhole(task, words, most, prefix + prompt).ids, text: prompt }
  const last = prompt.at(-1)
  const open = chat.continueFinalMessage ?? (chat.addGenerationPrompt !== true && last?.role === 'assistant')
  const written = renderChat(words.config, prompt, {
    ...chat,
    continueFinalMessage: open,
    addGenerationPrompt: chat.addGenerationPrompt ?? !open,
  })
  if (E.isLeft(written)) throw argumentError(task, written.left)
  const { ids } = encodeWhole(task, words, most, prefix + written.right, null, { addSpecialTokens: false })
  return { ids, text: open && typeof last?.content === 'string' ? last.content : '' }
}

/** Ids that were written, as text. */
export const writtenText = (words: Words, ids: readonly number[]): string => textOf(words, ids, true)
