/** What a run came to: as data for summary.json, as lines for the terminal, and as a report. */
import { majorityShare, perplexity } from '../../training/index.ts'
import type { LabelTask } from '../../training/index.ts'
import type { Attention, Chart, Filled, Report, Table } from '../report/report.ts'
import { columns, count, duration, percent } from '../word.ts'
import type { Pretrained } from './language.ts'
import type { Classified } from './classify.ts'
import type { Metric } from '../run.ts'
import type { TranslatorTrained } from './sequence.ts'
import type { Trained } from './train.ts'

/** Language modelling on held-out text. */
export interface PretrainingSummary {
  readonly steps: number
  readonly seconds: number
  /** Nats per predicted token. */
  readonly evalLoss: number
  readonly evalAccuracy: number
  readonly perplexity: number
  /** What knowing each token's frequency alone would reach at best, in nats. */
  readonly unigramEntropy: number
  /** How often it tells a passage that follows from one that does not; BERT alone. */
  readonly evalNextSentenceAccuracy?: number
}

export interface ScoreSummary {
  readonly accuracy: number
  readonly macroF1: number
}

export interface ClassificationSummary {
  readonly labels: readonly string[]
  readonly learntFrom: number
  readonly heldOut: number
  readonly pretrained: ScoreSummary
  readonly fromScratch?: ScoreSummary
  /** Always answering the most frequent class. */
  readonly majority: { readonly accuracy: number }
  /** [true][predicted], of the pretrained one. */
  readonly confusion: readonly (readonly number[])[]
}

export const pretrainingSummary = ({ trained, entropy, evaluation }: Pretrained): PretrainingSummary => {
  const next = evaluation['evalNextSentenceAccuracy']
  return {
    steps: trained.steps,
    seconds: trained.seconds,
    evalLoss: Number(evaluation['evalLoss']),
    evalAccuracy: Number(evaluation['evalAccuracy']),
    perplexity: perplexity(Number(evaluation['evalLoss'])),
    unigramEntropy: entropy,
    ...(next === undefined ? {} : { evalNextSentenceAccuracy: Number(next) }),
  }
}

const scores = ({ judgement: { accuracy, macroF1 } }: Classified): ScoreSummary => ({ accuracy, macroF1 })

export const classificationSummary = (
  task: LabelTask,
  pretrained: Classified,
  fromScratch: Classified | undefined,
): ClassificationSummary => ({
  labels: task.labels,
  learntFrom: task.train.length,
  heldOut: task.heldOut.length,
  pretrained: scores(pretrained),
  ...(fromScratch === undefined ? {} : { fromScratch: scores(fromScratch) }),
  majority: { accuracy: majorityShare(task.heldOut.map(({ label }) => task.labels.indexOf(label))) },
  confusion: pretrained.judgement.confusion,
})

/** What held-out text says of a language model, beside knowing frequencies alone. */
export const languageLines = (metric: Metric, entropy: number): readonly string[] => {
  const loss = Number(metric['evalLoss'])
  const next = metric['evalNextSentenceAccuracy']
  return [
    `  held-out loss ${loss.toFixed(3)} nats per token (perplexity ${perplexity(loss).toFixed(0)})`,
    `  unigram entropy of the held-out text ${entropy.toFixed(3)}: ` +
      (loss < entropy
        ? `the context tells it ${(entropy - loss).toFixed(3)} nats`
        : 'it does not do better than that yet'),
    `  the right token is its first guess ${percent(Number(metric['evalAccuracy']))} of the time`,
    ...(next === undefined
      ? []
      : [`  a next sentence told from a random one ${percent(Number(next))} of the time`]),
  ]
}

/** How the pretrained model compares with knowing frequencies alone. */
export const pretrainingLines = ({ evaluation, entropy }: Pretrained): readonly string[] =>
  languageLines(evaluation, entropy)

const classificationRows = (summary: ClassificationSummary): readonly (readonly string[])[] => [
  ['', 'accuracy', 'macro F1'],
  [
    'pretrained, then fine-tuned',
    percent(summary.pretrained.accuracy),
    summary.pretrained.macroF1.toFixed(3),
  ],
  ...(summary.fromScratch === undefined
    ? []
    : [
        [
          'the same network from scratch',
          percent(summary.fromScratch.accuracy),
          summary.fromScratch.macroF1.toFixed(3),
        ],
      ]),
  ['always the most frequent class', percent(summary.majority.accuracy), ''],
]

export const classificationLines = (summary: ClassificationSummary): readonly string[] =>
  columns(classificationRows(summary)).map((line) => `  ${line}`)

/** Gaps and what the model would put there. */
export const filledLines = (filled: readonly Filled[]): readonly string[] =>
  filled.flatMap(({ text, answer, guesses }) => [
    `  ${text}`,
    `    there stood "${answer}"; it would put ${guesses.map(({ token, probability }) => `${token} (${percent(probability)})`).join(', ')}`,
  ])

const lossChart = (
  title: string,
  note: string,
  trained: Trained<unknown>,
  levels: Chart['levels'],
  metric: string,
  name: string,
): Chart => ({
  title,
  note,
  curves: [
    { label: 'training', points: trained.trainCurve },
    {
      label: name,
      points: trained.evaluations.map(({ step, metric: found }) => [step, Number(found[metric])] as const),
    },
  ],
  levels,
})

/** Of each run of a comparison, the share of right answers as training went on. */
const accuracyChart = (
  pretrained: Classified,
  fromScratch: Classified | undefined,
  majority: number,
): Chart => ({
  title: 'Fine-tuning',
  note: 'How many of the held-out texts are told right, as the steps go on.',
  curves: [
    { label: 'pretrained', trained: pretrained.trained },
    ...(fromScratch === undefined ? [] : [{ label: 'from scratch', trained: fromScratch.trained }]),
  ].map(({ label, trained }) => ({
    label,
    points: trained.evaluations.map(({ step, metric }) => [step, Number(metric['accuracy'])] as const),
  })),
  levels: [{ label: 'most frequent class', value: majority }],
})

/** All that a run found. */
export interface Findings {
  readonly name: string
  readonly engine: string
  readonly seed: number
  readonly seconds: number
  readonly facts: Report['facts']
  readonly pretrained?: Pretrained | undefined
  readonly task?: LabelTask | undefined
  readonly classified?: Classified | undefined
  readonly fromScratch?: Classified | undefined
  readonly translated?: TranslatorTrained | undefined
  readonly filled: readonly Filled[]
  readonly attention?: Attention | undefined
}

const answersOf = ({ task, classified, fromScratch }: Findings): ClassificationSummary | undefined =>
  task === undefined || classified === undefined
    ? undefined
    : classificationSummary(task, classified, fromScratch)

/** What was printed, as data. */
export const summaryOf = (findings: Findings): Readonly<Record<string, unknown>> => ({
  engine: findings.engine,
  seconds: findings.seconds,
  seed: findings.seed,
  pretraining: findings.pretrained === undefined ? undefined : pretrainingSummary(findings.pretrained),
  classification: answersOf(findings),
  sequenceToSequence:
    findings.translated === undefined
      ? undefined
      : {
          steps: findings.translated.trained.steps,
          ...findings.translated.evaluation,
          exactMatch: findings.translated.exact,
          samples: findings.translated.samples,
        },
  filled: findings.filled.length === 0 ? undefined : findings.filled,
})

/** Everything that was found, as a page. */
export const reportOf = (findings: Findings): Report => {
  const { name, seconds, engine, pretrained, classified, fromScratch, translated, filled, attention } =
    findings
  const language = pretrained === undefined ? undefined : pretrainingSummary(pretrained)
  const answers = answersOf(findings)
  const tables: Table[] = [
    ...(translated === undefined
      ? []
      : [
          {
            title: 'Held-out sources and what was written for them',
            note: `${percent(translated.exact)} of the held-out targets are written exactly.`,
            head: ['source', 'written', 'right'],
            rows: translated.samples.map(({ source, target, written }) => [source, written, target]),
          },
        ]),
    ...(answers === undefined
      ? []
      : [
          {
            title: 'What pretraining is worth',
            note: `${count(answers.learntFrom)} labelled texts to learn from, ${count(answers.heldOut)} held-out ones to check with, ${answers.labels.length} classes.`,
            head: classificationRows(answers)[0] ?? [],
            rows: classificationRows(answers).slice(1),
          },
        ]),
  ]
  return {
    title: name,
    lead: [
      language === undefined
        ? ''
        : `Pretrained for ${count(language.steps)} steps to a held-out loss of ${language.evalLoss.toFixed(2)} nats, where token frequencies alone reach ${language.unigramEntropy.toFixed(2)} at best.`,
      answers === undefined
        ? ''
        : `Fine-tuned on ${count(answers.learntFrom)} texts, it tells ${percent(answers.pretrained.accuracy)} of the held-out ones right${answers.fromScratch === undefined ? '' : `; the same network without pretraining ${percent(answers.fromScratch.accuracy)}`}.`,
    ]
      .filter((line) => line !== '')
      .join(' '),
    facts: [...findings.facts, ['time', duration(seconds)], ['engine', engine]],
    charts: [
      ...(pretrained === undefined || language === undefined
        ? []
        : [
            lossChart(
              'Pretraining',
              'The loss of a masked or next token, in nats, as the steps go on. Held-out text is never trained on.',
              pretrained.trained,
              [{ label: 'unigram entropy', value: language.unigramEntropy }],
              'evalLoss',
              'held out',
            ),
          ]),
      ...(translated === undefined
        ? []
        : [
            lossChart(
              'Training',
              'The loss of a target token, in nats, as the steps go on.',
              translated.trained,
              [],
              'evalLoss',
              'held out',
            ),
          ]),
      ...(classified === undefined || answers === undefined
        ? []
        : [accuracyChart(classified, fromScratch, answers.majority.accuracy)]),
    ],
    tables,
    filled,
    confusion:
      answers === undefined
        ? undefined
        : { title: 'What it takes for what', labels: answers.labels, matrix: answers.confusion },
    attention,
  }
}
