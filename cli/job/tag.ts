/** Tagging: which words are entities, or any other tags of words. */
import { either as E, function as F } from 'fp-ts'
import { BertForTokenClassification } from '../../models/index.ts'
import type { BertForTokenClassificationParams, TaggingOutput } from '../../models/index.ts'
import {
  accuracy,
  entityScore,
  entitySpans,
  ignoreIndex,
  readTagged,
  taggingBatch,
} from '../../training/index.ts'
import type { TaggedIds, TaggedWords } from '../../training/index.ts'
import { percent, quoted } from '../word.ts'
import { likeliest } from './classify.ts'
import { encodeWithin } from './encode.ts'
import type { FineTuning } from './finetune.ts'
import { holdOut } from './task.ts'

interface Row extends TaggedIds {
  /** Where each word's first token stands; undefined where the text was cut before it. */
  readonly places: readonly (number | undefined)[]
}

/** The entities of a text, in words. */
const entities = ({ words, tags }: TaggedWords): string =>
  entitySpans(tags)
    .map(({ kind, start, end }) => `${words.slice(start, end).join(' ')} (${kind})`)
    .join(', ')

export const tagging: FineTuning<TaggedWords, Row, BertForTokenClassificationParams, TaggingOutput> = {
  name: 'tagging',
  makes: 'tagger',
  place: 'model',
  architecture: BertForTokenClassification,

  file: 'the CoNLL file of tagged words',
  read: readTagged,
  split: (texts, values) =>
    F.pipe(
      holdOut(texts, 'text', values),
      E.map((sides) => ({
        ...sides,
        labels: [...new Set(texts.flatMap(({ tags }) => tags))].sort(),
        question: `the tags of ${values.task ?? ''}`,
      })),
    ),
  labelsOf: ({ tags }) => tags,
  units: { example: 'tagged text', label: 'tag', labels: 'tags' },

  // words are one text; a word's tag stands at its first token, and the others do not count
  rows: (tokenizer, { maxLength, labels: names }, { words, tags }) => {
    const { ids, offsets, specialTokensMask } = encodeWithin(tokenizer, words.join(' '), maxLength)
    const places: (number | undefined)[] = words.map(() => undefined)
    const labels = ids.map(() => ignoreIndex)
    let [word, end] = [0, (words[0] ?? '').length]
    offsets.forEach(([from, to], i) => {
      if (specialTokensMask[i] === 1 || to <= from) return
      while (to > end && word + 1 < words.length) end += 1 + (words[++word] as string).length
      if (places[word] !== undefined) return
      places[word] = i
      labels[i] = names.indexOf(tags[word] as string)
    })
    return [{ ids, labels, places }]
  },
  collate: ({ paddingId, maxLength: length }) => taggingBatch({ paddingId, length }),
  filler: { ids: [], labels: [], places: [] },
  scores: ({ logits }) => logits,

  judge: ({ labels }, texts, answered) => {
    // a word that was cut off has no tag
    const found = answered.map(([one]) =>
      (one?.row.places ?? []).map((place) => {
        if (place === undefined) return 'O'
        const at = place * labels.length
        return labels[likeliest((one?.scores as Float32Array).slice(at, at + labels.length))] as string
      }),
    )
    const truth = texts.map(({ tags }) => tags)
    const id = (tag: string): number => labels.indexOf(tag)
    const score = {
      ...entityScore(truth, found),
      accuracy: accuracy(truth.flat().map(id), found.flat().map(id)),
    }
    const { precision, recall, f1, support } = score
    return {
      score,
      columns: [
        ['precision', percent(precision)],
        ['recall', percent(recall)],
        ['F1', percent(f1)],
        ['words right', percent(score.accuracy)],
      ],
      headline:
        support > 0
          ? `F1 ${percent(f1)} of the held-out entities`
          : `${percent(score.accuracy)} of the held-out words tagged right`,
      samples: {
        title: 'Held-out texts',
        note: 'Entities, and what was taken for one; other tags are not shown.',
        head: ['text', 'entities', 'found'],
        rows: texts
          .map((text, i) => [
            text.words.join(' '),
            entities(text),
            entities({ ...text, tags: found[i] ?? [] }),
          ])
          .filter(([, there, taken]) => there !== '' || taken !== '')
          .slice(0, 10),
      },
    }
  },
  example: (folder, { heldOut: [one] }) =>
    `run token-classification ${folder} ${quoted(one?.words.join(' ') ?? '')}`,
}
