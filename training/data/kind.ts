/** What a file holds, told by its name: the label of its passages, and how they are cleaned. */

/** `text` is anything else that turns out to be text. */
export type Kind = 'documentation' | 'declarations' | 'source' | 'licence' | 'data' | 'text'

/**
 * The kinds of files, as `kindOf` tells them apart.
 *
 * @example
 * ```ts
 * import { kinds } from 'pullback/training'
 * console.log(kinds) // => ['documentation', 'declarations', 'source', 'licence', 'data', 'text']
 * ```
 */
export const kinds: readonly Kind[] = ['documentation', 'declarations', 'source', 'licence', 'data', 'text']

const licenceName = /^(un)?licen[cs]e|^copying|^notice|third[-_ ]?party|-licen[cs]e/i
const declarations = /\.d\.[cm]?ts$/
const source =
  /\.([cm]?[jt]sx?|py|rs|go|c|h|cc|cpp|hpp|java|kt|swift|rb|cs|sh|lua|scala|hs|ml|php|css|scss)$/i
const documentation = /\.(md|mdx|markdown|rst|adoc)$/i
const data = /\.(jsonc?|json5|ya?ml|toml|ini|xml|csv|tsv|jsonl)$/i
const text = /\.(txt|text|tex|org|log)$|^[^.]+$/i

/**
 * The kind of a file by its name without folders; `undefined` for what is not read: minified bundles, source
 * maps, lock files, hidden files, and everything whose extension does not promise text.
 *
 * @example
 * kindOf('README.md') // 'documentation'
 * kindOf('index.d.ts') // 'declarations'
 */
export const kindOf = (name: string): Kind | undefined => {
  if (name.startsWith('.') || /[.-]min\.\w+$|\.map$|lock\.\w+$|\.lock$/.test(name)) return undefined
  if (licenceName.test(name) && !source.test(name)) return 'licence'
  if (declarations.test(name)) return 'declarations'
  if (source.test(name)) return 'source'
  if (documentation.test(name)) return 'documentation'
  if (data.test(name)) return 'data'
  return text.test(name) ? 'text' : undefined
}
