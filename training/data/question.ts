/** Questions to passages, and where in them the answers stand: SQuAD's files (Rajpurkar et al. 2016, 2018). */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { readText } from './file.ts'

export interface AnswerPlace {
  readonly text: string
  /** Where it begins in the passage, counted as `String.slice` does. */
  readonly start: number
}

export interface Question {
  readonly question: string
  readonly context: string
  /** All of them right; none where the passage does not tell. */
  readonly answers: readonly AnswerPlace[]
}

const File = t.type({
  data: t.array(
    t.type({
      paragraphs: t.array(
        t.type({
          context: t.string,
          qas: t.array(
            t.type({
              question: t.string,
              answers: t.array(t.type({ text: t.string, answer_start: t.number })),
            }),
          ),
        }),
      ),
    }),
  ),
})

/** The files count characters, JavaScript counts UTF-16 units; they differ where a character takes two. */
const unitsOf = (context: string): ((characters: number) => number) => {
  const all = [...context]
  return all.length === context.length
    ? (characters) => characters
    : (characters) => all.slice(0, characters).join('').length
}

/**
 * Questions out of a file of SQuAD, version 1.1 or 2. `name` stands in messages.
 *
 * @returns Left: one sentence.
 * @example
 * ```ts
 * import { parseQuestions } from 'pullback/training'
 * const qas = [{ id: '1', question: 'Who sat?', answers: [{ text: 'The cat', answer_start: 0 }] }]
 * const file = { version: '1.1', data: [{ title: 'Cats', paragraphs: [{ context: 'The cat sat.', qas }] }] }
 * const read = parseQuestions(JSON.stringify(file), 'cats.json')
 * if (read._tag === 'Right') console.log(read.right[0]?.answers) // => [{ text: 'The cat', start: 0 }]
 * ```
 */
export const parseQuestions = (text: string, name: string): E.Either<string, readonly Question[]> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return E.left(`task: ${name} is not JSON`)
  }
  const file = File.decode(json)
  if (E.isLeft(file)) {
    const place = file.left[0]?.context.map(({ key }) => key).filter((key) => key !== '') ?? []
    return E.left(
      `task: ${name} is no file of questions: expected { data: [{ paragraphs: [{ context, qas }] }] }` +
        (place.length === 0 ? '' : `, it is not at ${place.join('/')}`),
    )
  }
  const questions = file.right.data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) => {
      const units = unitsOf(context)
      return qas.map(({ question, answers }) => ({
        question,
        context,
        answers: answers.map((answer) => ({ text: answer.text, start: units(answer.answer_start) })),
      }))
    }),
  )
  if (questions.length === 0) return E.left(`task: ${name}: there are no questions in it`)
  for (const { question, context, answers } of questions)
    for (const { text: answer, start } of answers)
      if (context.slice(start, start + answer.length) !== answer)
        return E.left(
          `task: ${name}: the answer ${JSON.stringify(answer)} to ${JSON.stringify(question)} does not stand where the file says`,
        )
  return E.right(questions)
}

/**
 * Reads questions from a file of SQuAD. Left: one sentence.
 *
 * @example
 * ```ts
 * import { readQuestions } from 'pullback/training'
 * const questions = await readQuestions('nowhere.json')()
 * console.log(questions._tag === 'Left' && questions.left) // => task: nowhere.json does not exist
 * ```
 */
export const readQuestions = (path: string): TE.TaskEither<string, readonly Question[]> =>
  F.pipe(
    readText(path),
    TE.mapLeft((reason) => `task: ${path} ${reason}`),
    TE.flatMapEither((text) => parseQuestions(text, path)),
  )
