/** The edge of the corpus: finding and reading files. Everything in a fixed order, and within bounds. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import {
  defaultCorpusConfig,
  makeCorpus,
  omissionText,
  omit,
  type Corpus,
  type CorpusConfig,
  type SourceFile,
} from './corpus.ts'
import { readFailure } from '../../core/file.ts'
import { readText } from './file.ts'
import { hash32 } from './hash.ts'
import { kindOf, type Kind } from './kind.ts'
import { decodeText } from './language.ts'
import { fairShares, groupBy } from './share.ts'
import { sampleText } from './window.ts'

interface Found {
  readonly path: string
  readonly group: string
  readonly kind: Kind
  readonly size: number
}

/** Files above this came out of a generator when they came with a package; the user's own may be larger. */
const largestPackaged = 4 * 2 ** 20
const largestOwn = 256 * 2 ** 20
const mostFiles = 50_000
const deepest = 24
/** Files asked of the file system at the same time. */
const atOnce = 32

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** Every file below a folder that may hold text, in the order of the paths; links are not followed. */
const findFiles = async (
  root: string,
  groupOf: (path: string) => string,
  accepts: (kind: Kind) => boolean,
  largest: number,
  omitted: Record<string, number>,
): Promise<readonly Found[]> => {
  const { readdir, stat } = await import('node:fs/promises')
  const files: Omit<Found, 'size'>[] = []
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder === '' ? root : `${root}/${folder}`, { withFileTypes: true })
    for (const entry of entries.sort(byName)) {
      if (files.length >= mostFiles) return
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && !entry.name.startsWith('.') && depth < deepest) await walk(path, depth + 1)
      const kind = entry.isFile() ? kindOf(entry.name) : undefined
      if (kind !== undefined && accepts(kind)) files.push({ path, group: groupOf(path), kind })
    }
  }
  await walk('', 0)
  const found: Found[] = []
  for (let i = 0; i < files.length; i += atOnce) {
    const some = files.slice(i, i + atOnce)
    const sizes = await Promise.all(some.map(async ({ path }) => (await stat(`${root}/${path}`)).size))
    some.forEach((file, j) => {
      const size = sizes[j] as number
      if (size > largest) omit(omitted, `over ${largest / 2 ** 20} MB`)
      else if (size > 0) found.push({ ...file, size })
    })
  }
  return found
}

/** A selection of at most `budget` bytes, spread over kinds and groups; within a group in a random but fixed order. */
const chooseFiles = (found: readonly Found[], budget: number): readonly Found[] => {
  const total = (some: readonly Found[]): number => some.reduce((sum, { size }) => sum + size, 0)
  if (total(found) <= budget) return found
  const parts = [...groupBy(found, ({ kind }) => kind).values()]
  const partBudgets = fairShares(parts.map(total), budget)
  const chosen = new Set<string>()
  parts.forEach((part, i) => {
    const groups = [...groupBy(part, ({ group }) => group).values()]
    const groupBudgets = fairShares(
      groups.map(total),
      partBudgets[i] as number,
      groups.map((group) => Math.sqrt(total(group))),
    )
    groups.forEach((group, j) => {
      let left = groupBudgets[j] as number
      for (const file of [...group].sort((a, b) => hash32(a.path) - hash32(b.path))) {
        if (left <= 0) break
        chosen.add(file.path)
        left -= file.size
      }
    })
  })
  return found.filter(({ path }) => chosen.has(path))
}

const readFiles = async (
  root: string,
  found: readonly Found[],
  longest: number,
  omitted: Record<string, number>,
): Promise<readonly SourceFile[]> => {
  const { readFile } = await import('node:fs/promises')
  const read: SourceFile[] = []
  for (let i = 0; i < found.length; i += atOnce) {
    const some = found.slice(i, i + atOnce)
    const contents = await Promise.all(some.map(({ path }) => readFile(`${root}/${path}`)))
    some.forEach(({ path, group, kind }, j) => {
      const text = decodeText(contents[j] as Uint8Array)
      if (E.isLeft(text)) omit(omitted, 'not text')
      else read.push({ path, group, kind, text: sampleText(text.right, longest) })
    })
  }
  return read
}

/** The package of a file in node_modules, the innermost one: `a/node_modules/@b/c/d.js` gives `@b/c`. */
export const packageOf = (path: string): string => {
  const inner = path.slice(path.lastIndexOf('node_modules/') + 1).replace(/^ode_modules\//, '')
  const [scope = '', name = ''] = inner.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

/** Raw bytes read for each character kept: markup, code in documentation and copies go. */
const rawPerCharacter = 3.5

const folderCorpus = (
  root: string,
  groupOf: (path: string) => string,
  accepts: (kind: Kind) => boolean,
  largest: number,
  config: CorpusConfig,
): TE.TaskEither<string, Corpus> =>
  F.pipe(
    TE.tryCatch(async () => {
      const omitted: Record<string, number> = {}
      const budget = config.characters * rawPerCharacter
      const found = await findFiles(root, groupOf, accepts, largest, omitted)
      const files = await readFiles(root, chooseFiles(found, budget), budget, omitted)
      return files.length === 0
        ? E.left(`holds no files of text${omissionText(omitted)}`)
        : F.pipe(
            makeCorpus(files, config),
            E.map((corpus) => ({ ...corpus, omitted: { ...omitted, ...corpus.omitted } })),
          )
    }, readFailure),
    TE.flatMapEither((corpus) => corpus),
  )

const topFolder = (path: string): string => (path.includes('/') ? (path.split('/')[0] as string) : '.')

const fileCorpus = (path: string, config: CorpusConfig): TE.TaskEither<string, Corpus> => {
  const name = path.split(/[/\\]/).at(-1) as string
  return F.pipe(
    readText(path),
    TE.filterOrElse(
      (text) => text !== '',
      () => 'is empty',
    ),
    TE.flatMapEither((text) =>
      makeCorpus(
        [
          {
            path: name,
            group: name,
            kind: kindOf(name) ?? 'text',
            text: sampleText(text, config.characters * rawPerCharacter),
          },
        ],
        config,
      ),
    ),
  )
}

/**
 * The corpus that comes with installed packages: documentation, declarations, sources, licences and data of a
 * node_modules folder, in English, sampled evenly over the packages. The same folder gives the same corpus.
 *
 * @returns Left: one sentence, when the folder is not there or holds no text.
 * @example
 * ```ts
 * import { defaultCorpusConfig, packageCorpus } from 'pullback/training'
 * const corpus = await packageCorpus('node_modules', { ...defaultCorpusConfig, characters: 1e5 })()
 * console.log(corpus._tag === 'Right' && corpus.right.documents.length > 10) // => true
 * ```
 */
export const packageCorpus = (
  folder: string,
  config: CorpusConfig = defaultCorpusConfig,
): TE.TaskEither<string, Corpus> =>
  F.pipe(
    folderCorpus(folder, packageOf, (kind) => kind !== 'text', largestPackaged, config),
    TE.mapLeft((reason) => `corpus: ${folder} ${reason}`),
  )

/**
 * The user's own corpus: one file of UTF-8 text, or every file in a folder that holds text. Texts in any language;
 * a document is a file, but when there are only a few of them, a part of a file.
 *
 * @returns Left: one sentence, when the path is missing, unreadable, not text, or holds no sentences.
 * @example
 * ```ts
 * import { ownCorpus } from 'pullback/training'
 * const corpus = await ownCorpus('not/there.txt')()
 * console.log(corpus._tag) // => Left
 * ```
 */
export const ownCorpus = (
  path: string,
  config: CorpusConfig = { ...defaultCorpusConfig, englishOnly: false },
): TE.TaskEither<string, Corpus> =>
  F.pipe(
    TE.tryCatch(async () => {
      const { stat } = await import('node:fs/promises')
      const about = await stat(path)
      return about.isDirectory()
        ? ('folder' as const)
        : about.isFile()
          ? ('file' as const)
          : ('neither' as const)
    }, readFailure),
    TE.flatMap((what) => {
      switch (what) {
        case 'folder':
          return folderCorpus(path.replace(/(?<=.)[/\\]+$/, ''), topFolder, () => true, largestOwn, config)
        case 'file':
          return fileCorpus(path, config)
        case 'neither':
          return TE.left('is neither a file nor a folder')
      }
    }),
    TE.mapLeft((reason) => `corpus: ${path} ${reason}`),
  )
