/**
 * Chat templates: how a model wants a conversation written, as a Jinja template that came with it. Rendered as
 * Hugging Face Transformers does: blocks leave no lines behind, `tojson` does not escape, and the template is given
 * `messages`, `tools`, `documents`, `add_generation_prompt` and the special tokens by role (`bos_token` …).
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { either as E } from 'fp-ts'
import type { TokenizerConfig } from './config.ts'

/** One turn: a role, what was said, and whatever else the template knows. */
export interface Message {
  readonly role: string
  readonly content?: unknown
  readonly [key: string]: unknown
}

export interface ChatOptions {
  /** Whether the text ends where the model's answer begins. Default false. */
  readonly addGenerationPrompt?: boolean
  /** Whether the last message is left open for the model to go on with. Default false. */
  readonly continueFinalMessage?: boolean
  readonly tools?: readonly unknown[]
  readonly documents?: readonly unknown[]
  /** The name of one of the templates, or a template. */
  readonly template?: string
  /** Further variables for the template. */
  readonly variables?: Readonly<Record<string, unknown>>
  /** What a template that asks for the date is told. Default now. */
  readonly date?: Date
}

const two = (n: number): string => `${n}`.padStart(2, '0')

/** The parts of Python's strftime that name a date, in English. */
const strftime = (date: Date, format: string): string => {
  const name = (options: Intl.DateTimeFormatOptions): string => date.toLocaleString('en-US', options)
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => `${date.getFullYear()}`,
    y: () => two(date.getFullYear() % 100),
    m: () => two(date.getMonth() + 1),
    d: () => two(date.getDate()),
    H: () => two(date.getHours()),
    I: () => two(date.getHours() % 12 || 12),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    p: () => (date.getHours() < 12 ? 'AM' : 'PM'),
    B: () => name({ month: 'long' }),
    b: () => name({ month: 'short' }),
    A: () => name({ weekday: 'long' }),
    a: () => name({ weekday: 'short' }),
    '%': () => '%',
  }
  return format.replace(/%(-?)([A-Za-z%])/g, (all, bare: string, letter: string) => {
    const text = parts[letter]?.()
    return text === undefined ? all : bare === '' ? text : text.replace(/^0(?=.)/, '')
  })
}

const mostSteps = 100_000

/** Python's range; templates from strangers are not given more memory than they can mean well with. */
const range = (first: number, last?: number, step = 1): number[] => {
  const [start, stop] = last === undefined ? [0, first] : [first, last]
  const length = step === 0 ? NaN : Math.max(0, Math.ceil((stop - start) / step))
  if (!(length <= mostSteps)) throw new Error(`range() of more than ${mostSteps} steps`)
  return Array.from({ length }, (_, i) => start + i * step)
}

const render = (template: string, variables: Readonly<Record<string, unknown>>, date: Date): string => {
  const environment = new Environment()
  const globals = {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    raise_exception: (message: string) => {
      throw new Error(message)
    },
    range,
    strftime_now: (format: string) => strftime(date, format),
  }
  for (const [key, value] of Object.entries({ ...variables, ...globals })) environment.set(key, value)
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }))
  const result = new Interpreter(environment).run(program) as { readonly value: unknown }
  return String(result.value)
}

const choose = (config: TokenizerConfig, { template, tools }: ChatOptions): E.Either<string, string> => {
  const { chatTemplates } = config
  const named = (name: string): string | undefined =>
    Object.hasOwn(chatTemplates, name) ? chatTemplates[name] : undefined
  const found =
    template === undefined
      ? ((tools === undefined ? undefined : named('tool_use')) ?? named('default'))
      : (named(template) ?? template)
  const names = Object.keys(chatTemplates)
  return found === undefined
    ? E.left(
        names.length === 0
          ? 'chat: the tokenizer has no chat template, and none was given'
          : `chat: none of the templates (${names.join(', ')}) is the default; name one`,
      )
    : E.right(found)
}

const tag = 'CONTINUE_FINAL_MESSAGE_TAG '

/** The messages with a mark at the end of the last text. */
const marked = (messages: readonly Message[]): readonly Message[] | null => {
  const last = messages[messages.length - 1]
  if (last === undefined) return null
  const before = messages.slice(0, -1)
  if (typeof last.content === 'string') return [...before, { ...last, content: last.content + tag }]
  if (!Array.isArray(last.content)) return null
  const blocks = last.content as readonly Readonly<Record<string, unknown>>[]
  const at = blocks.findLastIndex((block) => typeof block['text'] === 'string')
  if (at < 0) return null
  const content = blocks.map((block, i) =>
    i === at ? { ...block, text: `${String(block['text'])}${tag}` } : block,
  )
  return [...before, { ...last, content }]
}

/**
 * The text of a conversation as the model was trained on it; encode it without adding special tokens, since the
 * template writes them. Left: why there is none, such as what the template itself refuses.
 *
 * @example
 * ```ts
 * import { emptyConfig, renderChat } from 'pullback/models'
 * const template = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}'
 * const config = { ...emptyConfig, chatTemplates: { default: template } }
 * console.log(renderChat(config, [{ role: 'user', content: 'Hello!' }]))
 * // => { _tag: 'Right', right: '<user>Hello!' }
 * ```
 */
export const renderChat = (
  config: TokenizerConfig,
  messages: readonly Message[],
  options: ChatOptions = {},
): E.Either<string, string> => {
  const template = choose(config, options)
  if (E.isLeft(template)) return template
  const open = options.continueFinalMessage === true
  if (open && options.addGenerationPrompt === true)
    return E.left('chat: a message cannot be continued and another be begun at once')
  const given = open ? marked(messages) : messages
  if (given === null) return E.left('chat: the last message has no text to continue')
  const tokens = Object.fromEntries(
    Object.entries(config.roles).map(([role, token]) => [`${role}_token`, token]),
  )
  const variables = {
    ...tokens,
    messages: given,
    tools: options.tools ?? null,
    documents: options.documents ?? null,
    add_generation_prompt: options.addGenerationPrompt ?? false,
    ...options.variables,
  }
  return E.flatMap((text: string) => {
    if (!open) return E.right(text)
    const end = text.lastIndexOf(tag.trimEnd())
    if (end < 0)
      return E.left('chat: the template leaves the last message out, so that it cannot be continued')
    // where the template trims the message, what it trimmed is not there to go on from
    return E.right(text.startsWith(tag, end) ? text.slice(0, end) : text.slice(0, end).trimEnd())
  })(
    E.tryCatch(
      () => render(template.right, variables, options.date ?? new Date()),
      (error) => `chat: ${error instanceof Error ? error.message : String(error)}`,
    ),
  )
}
