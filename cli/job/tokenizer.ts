/** A tokenizer out of the corpus. */
import { join } from 'node:path'
import { either as E, function as F } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { tokenizerFromJson, trainByteLevelBpe, trainWordPiece, vocabularySize } from '../../models/index.ts'
import type { Tokenizer } from '../../models/index.ts'
import { documentSentences } from '../../training/index.ts'
import type { Document } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { writeJson } from '../file.ts'
import { places } from '../run.ts'
import { count } from '../word.ts'

/** WordPiece for models that fill in, byte-level BPE for those that go on; written into the run's folder. */
export const makeTokenizer = (
  { terminal: { say } }: Context,
  documents: readonly Document[],
  kind: 'wordpiece' | 'bytelevel',
  vocabulary: number,
  folder: string,
): TE.TaskEither<string, Tokenizer> =>
  steps(async (take) => {
    const texts = documents.flatMap(documentSentences)
    const json = await take(
      kind === 'wordpiece'
        ? trainWordPiece(texts, { vocabSize: vocabulary })
        : trainByteLevelBpe(texts, { vocabSize: vocabulary }),
    )
    const tokenizer = await take(
      F.pipe(
        tokenizerFromJson(json),
        E.mapLeft((errors) => errors.join('; ')),
      ),
    )
    await take(writeJson(join(folder, places.tokenizer), json))
    const name = kind === 'wordpiece' ? 'WordPiece' : 'byte-level BPE'
    say(`  ${name} with ${count(vocabularySize(tokenizer))} tokens, in ${join(folder, places.tokenizer)}`)
    return tokenizer
  })
