/** Classification: which class a text is of. */
import { either as E, function as F } from 'fp-ts'
import { BertForSequenceClassification } from '../../models/index.ts'
import type { BertForSequenceClassificationParams, ClassificationOutput } from '../../models/index.ts'
import {
  accuracy,
  averageScore,
  classificationBatch,
  confusionMatrix,
  fewShotSplit,
  ignoreIndex,
  kindTask,
  majorityShare,
  readExamples,
} from '../../training/index.ts'
import type { Example, FewShotConfig, LabelledIds } from '../../training/index.ts'
import type { Values } from '../setting.ts'
import { percent } from '../word.ts'
import { encodeWithin } from './encode.ts'
import type { FineTuning } from './finetune.ts'

/** Texts of each class to check with, at most. */
const checked = 100

const sizes = ({ seed, labels }: Values<'seed' | 'labels'>): FewShotConfig => ({
  seed,
  perClass: labels,
  heldOutPerClass: checked,
})

/** Where the highest of some scores stands. */
export const likeliest = (scores: Float32Array): number =>
  scores.reduce((best, score, i) => (score > (scores[best] as number) ? i : best), 0)

export const classification: FineTuning<
  Example,
  LabelledIds,
  BertForSequenceClassificationParams,
  ClassificationOutput
> = {
  name: 'classification',
  makes: 'classifier',
  place: 'classifier',
  architecture: BertForSequenceClassification,

  file: 'the file of labelled texts',
  read: readExamples,
  split: (examples, values) =>
    F.pipe(
      fewShotSplit(examples, sizes(values)),
      E.map((task) => ({
        ...task,
        question: `the labels of ${values.task ?? ''}`,
        available: examples.length,
      })),
    ),
  fromCorpus: (split, values) =>
    F.pipe(
      kindTask(split, sizes(values)),
      E.map((task) => ({ ...task, question: 'what kind of file is this passage from?' })),
    ),
  labelsOf: ({ label }) => [label],
  units: { example: 'labelled text', label: 'class', labels: 'classes' },

  // a text that is too long is cut where the model's positions end
  rows: (tokenizer, { maxLength, labels }, { text, label }) => [
    { ids: encodeWithin(tokenizer, text, maxLength).ids, label: labels.indexOf(label) },
  ],
  collate: ({ paddingId, maxLength: length }) => classificationBatch({ paddingId, length }),
  filler: { ids: [], label: ignoreIndex },
  scores: ({ logits }) => logits,

  judge: ({ labels }, examples, answered) => {
    const truth = examples.map(({ label }) => labels.indexOf(label))
    const found = answered.map(([one]) => likeliest(one?.scores ?? new Float32Array()))
    const matrix = confusionMatrix(truth, found, labels.length)
    const score = { accuracy: accuracy(truth, found), macroF1: averageScore(matrix, 'macro').f1 }
    return {
      score,
      columns: [
        ['accuracy', percent(score.accuracy)],
        ['macro F1', score.macroF1.toFixed(3)],
      ],
      headline: `${percent(score.accuracy)} of the held-out texts told right`,
      confusion: { title: 'What it takes for what', labels, matrix },
    }
  },
  majority: ({ labels, heldOut }) => majorityShare(heldOut.map(({ label }) => labels.indexOf(label))),
  example: (folder) => `predict ${folder} "some text"`,
}
