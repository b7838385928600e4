/** tokenizer_config.json: what a tokenizer.json does not say, such as which token is which, and chat templates. */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import type { AddedToken } from './added.ts'
import { isRecord } from '../record.ts'
import { join, refuse, show } from './codec.ts'
import type { Read } from './codec.ts'
import type { TokenizerJson } from './tokenizer.ts'

/** What tokens are for. */
export type Role = 'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask'

const roles: readonly Role[] = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask']

export interface TokenizerConfig {
  /** Tokens that the model takes at most; null where it is not said. */
  readonly modelMaxLength: number | null
  /** The tokens that have a role. */
  readonly roles: Readonly<Partial<Record<Role, string>>>
  /** Chat templates by name; the only one of a file is called 'default'. */
  readonly chatTemplates: Readonly<Record<string, string>>
  /** Whether decoded text is freed of spaces before punctuation, as older models want. */
  readonly cleanUpTokenizationSpaces: boolean
  /** What the model is given of an encoding (`input_ids`, `token_type_ids`, `attention_mask`); null for what it takes. */
  readonly modelInputNames: readonly string[] | null
}

/**
 * What a tokenizer_config.json says that says nothing.
 *
 * @example
 * ```ts
 * import { emptyConfig, renderChat } from 'pullback/models'
 * console.log(renderChat(emptyConfig, [])._tag) // => Left
 * ```
 */
export const emptyConfig: TokenizerConfig = {
  modelMaxLength: null,
  roles: {},
  chatTemplates: {},
  cleanUpTokenizationSpaces: false,
  modelInputNames: null,
}

const namedTemplate = t.type({ name: t.string, template: t.string })

const templates = (json: unknown): Read<Readonly<Record<string, string>>> => {
  if (json === undefined || json === null) return E.right({})
  if (typeof json === 'string') return E.right({ default: json })
  if (!Array.isArray(json))
    return refuse('chat_template', `expected a text or a list of templates, got ${show(json)}`)
  const entries: (readonly [string, string])[] = []
  for (const [i, entry] of json.entries()) {
    if (!namedTemplate.is(entry))
      return refuse(join('chat_template', i), `expected {"name", "template"}, got ${show(entry)}`)
    entries.push([entry.name, entry.template])
  }
  return E.right(Object.fromEntries(entries))
}

/** A length beyond all texts is how files say that there is none. */
const noLimit = 2 ** 40

/**
 * Reads the parsed contents of a tokenizer_config.json; unknown keys are left alone. Left: every complaint.
 *
 * @example
 * ```ts
 * import { tokenizerConfigFromJson } from 'pullback/models'
 * const config = tokenizerConfigFromJson({ model_max_length: 512 })
 * console.log(config._tag === 'Right' && config.right.modelMaxLength) // => 512
 * ```
 */
export const tokenizerConfigFromJson = (json: unknown): E.Either<readonly string[], TokenizerConfig> => {
  if (!isRecord(json))
    return refuse('', `expected the contents of a tokenizer_config.json, got ${show(json)}`)
  const complaints: string[] = []
  const known: Partial<Record<Role, string>> = {}
  for (const role of roles) {
    const key = `${role}_token`
    const value = json[key]
    // a token is a text, or a record as in added_tokens
    const token = isRecord(value) ? value['content'] : value
    if (typeof token === 'string') known[role] = token
    else if (token !== undefined && token !== null)
      complaints.push(`${key}: expected a token, got ${show(value)}`)
  }
  const length = json['model_max_length']
  if (length !== undefined && length !== null && !(typeof length === 'number' && length >= 0))
    complaints.push(`model_max_length: expected a number, got ${show(length)}`)
  const names = json['model_input_names'] ?? null
  const areNames = names === null || (Array.isArray(names) && names.every((name) => typeof name === 'string'))
  if (!areNames) complaints.push(`model_input_names: expected a list of names, got ${show(names)}`)
  const chatTemplates = templates(json['chat_template'])
  if (E.isLeft(chatTemplates)) complaints.push(...chatTemplates.left)
  if (E.isLeft(chatTemplates) || complaints.length > 0) return E.left(complaints)
  return E.right({
    modelMaxLength: typeof length === 'number' && length < noLimit ? Math.floor(length) : null,
    roles: known,
    chatTemplates: chatTemplates.right,
    cleanUpTokenizationSpaces: json['clean_up_tokenization_spaces'] === true,
    modelInputNames: names as readonly string[] | null,
  })
}

const usual: Readonly<Record<Role, readonly string[]>> = {
  bos: ['<s>', '<|startoftext|>', '<|endoftext|>'],
  eos: ['</s>', '<|endoftext|>'],
  unk: ['[UNK]', '<unk>', '<|endoftext|>'],
  sep: ['[SEP]'],
  pad: ['[PAD]', '<pad>'],
  cls: ['[CLS]'],
  mask: ['[MASK]', '<mask>'],
}

/**
 * The roles that a tokenizer's special tokens have by their usual names.
 *
 * @example
 * ```ts
 * import { rolesOf, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(rolesOf(trained.right.added_tokens).mask) // => [MASK]
 * ```
 */
export const rolesOf = (tokens: readonly AddedToken[]): TokenizerConfig['roles'] => {
  const special = new Set(tokens.filter((token) => token.special).map((token) => token.content))
  return Object.fromEntries(
    roles.flatMap((role) => {
      const token = usual[role].find((name) => special.has(name))
      return token === undefined ? [] : [[role, token] as const]
    }),
  )
}

/**
 * The contents of a tokenizer_config.json with which Hugging Face's libraries load a folder with this tokenizer.
 *
 * @example
 * ```ts
 * import { tokenizerConfigToJson, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(tokenizerConfigToJson(trained.right)['mask_token']) // => [MASK]
 * ```
 */
export const tokenizerConfigToJson = (
  tokenizer: TokenizerJson,
  config: Partial<TokenizerConfig> = {},
): Readonly<Record<string, unknown>> => {
  const named = config.roles ?? rolesOf(tokenizer.added_tokens)
  const chat = Object.entries(config.chatTemplates ?? {})
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...Object.fromEntries(Object.entries(named).map(([role, token]) => [`${role}_token`, token])),
    ...(config.modelMaxLength === undefined || config.modelMaxLength === null
      ? {}
      : { model_max_length: config.modelMaxLength }),
    clean_up_tokenization_spaces: config.cleanUpTokenizationSpaces ?? false,
    ...(config.modelInputNames === undefined || config.modelInputNames === null
      ? {}
      : { model_input_names: config.modelInputNames }),
    ...(chat.length === 0
      ? {}
      : {
          chat_template:
            chat.length === 1 && chat[0]?.[0] === 'default'
              ? chat[0][1]
              : chat.map(([name, template]) => ({ name, template })),
        }),
  }
}
