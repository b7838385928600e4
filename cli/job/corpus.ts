/** Gathering a corpus and holding some of it out. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { taskEither as TE } from 'fp-ts'
import {
  defaultCorpusConfig,
  documentLength,
  omissionText,
  ownCorpus,
  packageCorpus,
  splitDocuments,
} from '../../training/index.ts'
import type { Document, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import type { Values } from '../setting.ts'
import { large, plural } from '../word.ts'

/** The node_modules that this package lies in or beside. */
const installed = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    if (existsSync(join(folder, 'node_modules'))) return join(folder, 'node_modules')
    const parent = dirname(folder)
    if (parent === folder) return 'node_modules'
    folder = parent
  }
}

const characters = (documents: readonly Document[]): number =>
  documents.reduce((sum, document) => sum + documentLength(document), 0)

export const gatherCorpus = (
  { terminal: { say } }: Context,
  { corpus: path, characters: most, heldOut, seed }: Values<'corpus' | 'characters' | 'heldOut' | 'seed'>,
): TE.TaskEither<string, Split> =>
  steps(async (take) => {
    const config = { ...defaultCorpusConfig, characters: most }
    const corpus = await take(
      path === undefined
        ? packageCorpus(installed(), config)
        : ownCorpus(path, { ...config, englishOnly: false }),
    )
    const split = await take(splitDocuments(corpus.documents, { seed, heldOut }))
    const from = path === undefined ? 'the documentation and sources of the installed packages' : path
    say(`  ${from}:`)
    say(
      `  ${large(characters(corpus.documents))} characters in ${plural(corpus.documents.length, 'document')}` +
        `${omissionText(corpus.omitted)}`,
    )
    say(
      `  to learn from ${plural(split.train.length, 'document')}, held out ${plural(split.heldOut.length, 'document')}` +
        ` (${large(characters(split.heldOut))} characters that training never sees)`,
    )
    return split
  })
