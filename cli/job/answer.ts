/** Question answering: where in a passage the answer stands. */
import { either as E, function as F } from 'fp-ts'
import { fromArray, stack } from '../../core/index.ts'
import { BertForQuestionAnswering, answers, encodeWindows } from '../../models/index.ts'
import type { BertForQuestionAnsweringParams, Encoding, SpanOutput } from '../../models/index.ts'
import {
  answerScore,
  hostKey,
  ignoreIndex,
  padIds,
  padRows,
  readQuestions,
  shuffledIndices,
} from '../../training/index.ts'
import type { Question } from '../../training/index.ts'
import { percent, quoted, short } from '../word.ts'
import type { FineTuning } from './finetune.ts'
import { holdOut } from './task.ts'

/** Questions to check with, at most. */
const checked = 500

/** A window of a passage behind its question; the first and last token of the answer, or 0 where it is not in it. */
interface Window {
  readonly encoding: Encoding
  readonly start: number
  readonly end: number
}

const windowOf = (encoding: Encoding, [answer]: Question['answers']): Window => {
  const own = encoding.offsets.flatMap(([from, to], i) =>
    encoding.sequenceIds[i] === 1 ? [{ from, to, i }] : [],
  )
  const [first, last] = [own[0], own.at(-1)]
  const none = { encoding, start: 0, end: 0 }
  if (answer === undefined || first === undefined || last === undefined) return none
  const until = answer.start + answer.text.length
  if (first.from > answer.start || last.to < until) return none
  const within = own.filter(({ from, to }) => to > answer.start && from < until)
  return { encoding, start: within[0]?.i ?? 0, end: within.at(-1)?.i ?? 0 }
}

export const questionAnswering: FineTuning<Question, Window, BertForQuestionAnsweringParams, SpanOutput> = {
  name: 'questionAnswering',
  makes: 'answerer',
  place: 'model',
  architecture: BertForQuestionAnswering,

  file: 'the file of questions in the form of SQuAD',
  read: readQuestions,
  // passages are held out with all their questions
  split: (questions, values) =>
    F.pipe(
      holdOut([...new Set(questions.map(({ context }) => context))], 'passage', values, {
        least: 2,
        most: Infinity,
      }),
      E.map(({ heldOut }) => {
        const held = new Set(heldOut)
        return {
          question: `the questions of ${values.task ?? ''}`,
          labels: [],
          train: questions.filter(({ context }) => !held.has(context)),
          heldOut: questions.filter(({ context }) => held.has(context)).slice(0, checked),
        }
      }),
    ),
  labelsOf: () => [],
  units: { example: 'question', label: '', labels: '' },

  rows: (tokenizer, { maxLength }, { question, context, answers: known }) => {
    const stride = Math.min(128, Math.floor(maxLength / 4))
    const cut = { maxLength, stride, strategy: 'only_second' } as const
    const windows = encodeWindows(tokenizer, question, cut, { offsetUnit: 'utf16' }, context)
    return E.isLeft(windows) ? [] : windows.right.map((encoding) => windowOf(encoding, known))
  },
  // those with an answer, and as many of those without: of a long passage they are most
  learnt: (windows, seed) => {
    const [answered, without] = [windows.filter(({ end }) => end > 0), windows.filter(({ end }) => end === 0)]
    const order = shuffledIndices(hostKey(seed), without.length).slice(0, answered.length)
    return [...answered, ...[...order].map((i) => without[i] as Window)]
  },
  collate:
    ({ paddingId, maxLength: length }) =>
    (windows) => ({
      ...padIds(
        windows.map(({ encoding }) => encoding.ids),
        paddingId,
        { length },
      ),
      tokenTypes: padRows(
        windows.map(({ encoding }) => encoding.typeIds),
        0,
        { length },
      ),
      labels: fromArray(Int32Array.from(windows.flatMap(({ start, end }) => [start, end])), [
        windows.length,
        2,
      ]),
    }),
  filler: {
    encoding: { ids: [], typeIds: [] } as unknown as Encoding,
    start: ignoreIndex,
    end: ignoreIndex,
  },
  // [batch, 2, time]: the place is the class
  scores: ({ startLogits, endLogits }) => stack([startLogits, endLogits], 1),

  // of an answer all windows of its passage are looked at, and the likeliest is taken
  judge: ({ maxLength }, questions, answered) => {
    const handleImpossibleAnswer = questions.some((question) => question.answers.length === 0)
    const found = questions.map(({ context }, i) => {
      const windows = (answered[i] ?? []).map(({ row: { encoding }, scores }) => ({
        encoding,
        startScores: scores.slice(0, encoding.ids.length),
        endScores: scores.slice(maxLength, maxLength + encoding.ids.length),
      }))
      return (
        answers(context, windows, windows[0]?.encoding.ids[0], { handleImpossibleAnswer })[0]?.answer ?? ''
      )
    })
    const right = questions.map((question) => question.answers.map(({ text }) => text))
    const { exact, f1 } = answerScore(right, found)
    return {
      score: { exact, f1 },
      columns: [
        ['exact', percent(exact)],
        ['F1 of words', percent(f1)],
      ],
      headline: `${percent(exact)} of the questions to held-out passages answered exactly`,
      samples: {
        title: 'Held-out questions',
        note: 'What was found in the passage, and the answers that are right.',
        head: ['question', 'found', 'right'],
        rows: questions
          .slice(0, 10)
          .map(({ question }, i) => [question, found[i] ?? '', [...new Set(right[i])].join(' / ')]),
      },
    }
  },
  example: (folder, { heldOut: [one] }) =>
    `run question-answering ${folder} ${quoted(one?.question ?? '')} ${quoted(short(one?.context ?? '', 80))}`,
}
