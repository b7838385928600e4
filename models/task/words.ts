/** A folder's tokenizer, and what stands beside it: which token is which, and how conversations are written. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { namesIn, optionalJson, readText } from '../checkpoint/file.ts'
import { modelFolder } from '../hub/index.ts'
import { emptyConfig, rolesOf, tokenizerConfigFromJson } from '../tokenizer/config.ts'
import type { Role, TokenizerConfig } from '../tokenizer/config.ts'
import { templateFile, templateFolder } from '../tokenizer/template.ts'
import { tokenToId, tokenizerFromJson } from '../tokenizer/tokenizer.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'

/** A tokenizer and what tokenizer_config.json says of it. */
export interface Words {
  readonly tokenizer: Tokenizer
  readonly config: TokenizerConfig
}

const readTokenizer = (folder: string): TE.TaskEither<string, Tokenizer> =>
  F.pipe(
    optionalJson(folder, 'tokenizer.json'),
    TE.flatMapEither((json) =>
      json === undefined
        ? E.left(`${folder} has no tokenizer.json, without which texts are no tokens`)
        : E.mapLeft((all: readonly string[]) => `${folder}/tokenizer.json: ${all.join('; ')}`)(
            tokenizerFromJson(json),
          ),
    ),
  )

const readConfig = (folder: string): TE.TaskEither<string, TokenizerConfig> =>
  F.pipe(
    optionalJson(folder, 'tokenizer_config.json'),
    TE.flatMapEither((json) =>
      json === undefined
        ? E.right(emptyConfig)
        : E.mapLeft((all: readonly string[]) => `${folder}/tokenizer_config.json: ${all.join('; ')}`)(
            tokenizerConfigFromJson(json),
          ),
    ),
  )

/** Chat templates in files of their own, by their names; empty where there are none. */
const readTemplates = (folder: string): TE.TaskEither<string, TokenizerConfig['chatTemplates']> =>
  F.pipe(
    namesIn(folder),
    TE.bindTo('files'),
    TE.bind('further', ({ files }) =>
      files.includes(templateFolder) ? namesIn(`${folder}/${templateFolder}`) : TE.right([]),
    ),
    TE.flatMap(({ files, further }) =>
      TE.traverseSeqArray(([name, path]: readonly [string, string]) =>
        TE.map((template: string) => [name, template] as const)(readText(path)),
      )([
        ...(files.includes(templateFile) ? [['default', `${folder}/${templateFile}`] as const] : []),
        ...further
          .filter((file) => file.endsWith('.jinja'))
          .map((file) => [file.slice(0, -'.jinja'.length), `${folder}/${templateFolder}/${file}`] as const),
      ]),
    ),
    TE.map((entries) => Object.fromEntries(entries)),
  )

/** Templates in files of their own stand for those of tokenizer_config.json, all of them. */
export const readWords = (folder: string): TE.TaskEither<string, Words> =>
  F.pipe(
    readTokenizer(folder),
    TE.bindTo('tokenizer'),
    TE.bind('config', () => readConfig(folder)),
    TE.bind('templates', () => readTemplates(folder)),
    TE.map(({ tokenizer, config, templates }) => ({
      tokenizer,
      config: {
        ...config,
        roles: { ...rolesOf(tokenizer.added.tokens), ...config.roles },
        chatTemplates: Object.keys(templates).length === 0 ? config.chatTemplates : templates,
      },
    })),
  )

/**
 * The tokenizer of a folder, or of a model by its name on the Hub (see `fetchModel`): tokenizer.json, and beside it, as
 * far as they are there, tokenizer_config.json and the chat templates in files of their own, which win over those that
 * it holds.
 *
 * @returns Left: what does not exist or is no tokenizer, in one sentence.
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { loadTokenizer, renderChat, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const folder = await mkdtemp(`${tmpdir()}/tokenizer-`)
 * await writeFile(`${folder}/tokenizer.json`, JSON.stringify(trained.right))
 * await writeFile(`${folder}/chat_template.jinja`, '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}')
 * const loaded = await loadTokenizer(folder)()
 * if (loaded._tag === 'Left') throw new Error(loaded.left)
 * console.log(renderChat(loaded.right.config, [{ role: 'user', content: 'Hello!' }]))
 * // => { _tag: 'Right', right: '<user>Hello!' }
 * ```
 */
export const loadTokenizer = (model: string): TE.TaskEither<string, Words> =>
  TE.flatMap(readWords)(modelFolder(model))

/** The id of the token that has a role. */
export const roleId = ({ tokenizer, config }: Words, role: Role): number | undefined => {
  const token = config.roles[role]
  return token === undefined ? undefined : tokenToId(tokenizer, token)
}
