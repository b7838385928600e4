/** What a run came to: as data for summary.json, as lines for the terminal, and as a report. */
import { perplexity } from '../../training/index.ts'
import type { Attention, Chart, Filled, Report, Table } from '../report/report.ts'
import { columns, count, duration, percent, plural } from '../word.ts'
import type { Pretrained } from './language.ts'
import type { Comparison, Side } from './finetune.ts'
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

const pretrainingSummary = ({ trained, entropy, evaluation }: Pretrained): PretrainingSummary => {
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

/** What fine-tuning came to, beside the same network from scratch. */
const comparisonSummary = (of: Comparison): Readonly<Record<string, unknown>> => ({
  labels: of.labels.length === 0 ? undefined : of.labels,
  learntFrom: of.learntFrom,
  heldOut: of.heldOut,
  pretrained: of.pretrained.judgement.score,
  fromScratch: of.fromScratch.judgement.score,
  // always answering the most frequent class
  majority: of.majority === undefined ? undefined : { accuracy: of.majority },
  // [true][predicted], of the pretrained one
  confusion: of.pretrained.judgement.confusion?.matrix,
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

const comparisonTable = ({ pretrained, fromScratch, majority, ...of }: Comparison): Table => {
  const row = (name: string, { judgement }: Side): readonly string[] => [
    name,
    ...judgement.columns.map(([, value]) => value),
  ]
  const examples = plural(of.learntFrom, of.kind.units.example)
  const classes =
    of.labels.length === 0 ? '' : `, ${plural(of.labels.length, of.kind.units.label, of.kind.units.labels)}`
  return {
    title: 'What pretraining is worth',
    note: `${examples} to learn from, ${count(of.heldOut)} held out to check with${classes}.`,
    head: ['', ...pretrained.judgement.columns.map(([name]) => name)],
    rows: [
      row('pretrained, then fine-tuned', pretrained),
      row('the same network from scratch', fromScratch),
      ...(majority === undefined ? [] : [['always the most frequent class', percent(majority)]]),
    ],
  }
}

/** What fine-tuning came to, as columns. */
export const comparisonLines = (of: Comparison): readonly string[] => {
  const { head, rows } = comparisonTable(of)
  return columns([head, ...rows]).map((line) => `  ${line}`)
}

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
): Chart => ({
  title,
  note,
  curves: [
    { label: 'training', points: trained.trainCurve },
    {
      label: 'held out',
      points: trained.evaluations.map(({ step, metric }) => [step, Number(metric['evalLoss'])] as const),
    },
  ],
  levels,
})

/** Of both sides of a comparison, the share of right answers as training went on. */
const accuracyChart = ({ pretrained, fromScratch, majority }: Comparison): Chart => ({
  title: 'Fine-tuning',
  note: 'How many of the held-out labels are told right, as the steps go on.',
  curves: [
    { label: 'pretrained', trained: pretrained.trained },
    { label: 'from scratch', trained: fromScratch.trained },
  ].map(({ label, trained }) => ({
    label,
    points: trained.evaluations.map(({ step, metric }) => [step, Number(metric['evalAccuracy'])] as const),
  })),
  levels: majority === undefined ? [] : [{ label: 'most frequent class', value: majority }],
})

/** All that a run found. */
export interface Findings {
  readonly name: string
  readonly engine: string
  readonly seed: number
  readonly seconds: number
  readonly facts: Report['facts']
  readonly pretrained?: Pretrained | undefined
  readonly compared?: Comparison | undefined
  readonly translated?: TranslatorTrained | undefined
  readonly filled: readonly Filled[]
  readonly attention?: Attention | undefined
}

/** What was printed, as data. */
export const summaryOf = (findings: Findings): Readonly<Record<string, unknown>> => ({
  engine: findings.engine,
  seconds: findings.seconds,
  seed: findings.seed,
  pretraining: findings.pretrained === undefined ? undefined : pretrainingSummary(findings.pretrained),
  ...(findings.compared === undefined
    ? {}
    : { [findings.compared.kind.name]: comparisonSummary(findings.compared) }),
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
  const { name, seconds, engine, pretrained, compared, translated, filled, attention } = findings
  const language = pretrained === undefined ? undefined : pretrainingSummary(pretrained)
  const judged = compared?.pretrained.judgement
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
    ...(compared === undefined ? [] : [comparisonTable(compared)]),
    ...(judged?.samples === undefined ? [] : [judged.samples]),
  ]
  return {
    title: name,
    lead: [
      language === undefined
        ? ''
        : `Pretrained for ${count(language.steps)} steps to a held-out loss of ${language.evalLoss.toFixed(2)} nats, where token frequencies alone reach ${language.unigramEntropy.toFixed(2)} at best.`,
      compared === undefined
        ? ''
        : `Fine-tuned on ${plural(compared.learntFrom, compared.kind.units.example)}: ${compared.pretrained.judgement.headline}; ` +
          `from scratch, ${compared.fromScratch.judgement.headline}.`,
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
            ),
          ]),
      ...(compared === undefined ? [] : [accuracyChart(compared)]),
    ],
    tables,
    filled,
    confusion: judged?.confusion,
    attention,
  }
}
