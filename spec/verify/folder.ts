/** Checks a folder of whatever kind it is. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { unaccounted } from './account.ts'
import type { Check } from './check.ts'
import { holds, skips } from './check.ts'
import { checkLayers } from './layer.ts'
import { checkModel } from './model.ts'
import { checkObjectives } from './objective.ts'
import { checkOptimizers } from './optimizer.ts'
import { checkProcessors } from './processor.ts'
import { readReference } from './reference.ts'
import type { Reference } from './reference.ts'
import { checkSchedules } from './schedule.ts'
import { checkTexts, entries as textEntries } from './text.ts'
import { checkTokenizer } from './tokenizer.ts'
import { checkTraining, entries as runEntries } from './train.ts'
import { checkParams, checkStored } from './weight.ts'

/** A kind of folder: what its reference is like, what checks it, and which entries that reads. */
interface Kind {
  readonly is: (reference: Reference) => boolean
  readonly check: (reference: Reference) => Promise<readonly Check[]>
  readonly reads: readonly string[]
}

const has =
  (...names: readonly string[]) =>
  ({ file }: Reference): boolean =>
    names.every((name) => file[name] !== undefined)

const ofClass =
  (pattern: RegExp) =>
  ({ name }: Reference): boolean =>
    pattern.test(name)

/** The other folder that a reference names, where the weights are the same. */
const otherOf = ({ file }: Reference): string | undefined =>
  /\.\.\/([\w.-]+)/.exec(String(file['reference']))?.[1]

const modelEntries = ['parameters', 'tied', 'parameters_without_gradient', 'named_parameters_not_in_file']

const kinds: readonly Kind[] = [
  {
    is: (reference) => reference.name === '' && otherOf(reference) !== undefined,
    check: (reference) =>
      checkStored(reference.folder, join(reference.folder, '..', otherOf(reference) as string)),
    reads: ['reference'],
  },
  { is: has('schedules'), check: ({ file }) => checkSchedules(file), reads: ['schedules'] },
  {
    is: has('hyperparameters'),
    check: (reference) => checkOptimizers(reference, reference.file),
    reads: ['hyperparameters', 'clip_grad_norm', 'clip_value'],
  },
  {
    is: ofClass(/logits_process/),
    check: (reference) => checkProcessors(reference, reference.file),
    reads: ['bad_words', 'sequence_bias', 'cases'],
  },
  {
    is: ofClass(/torch\.nn\.functional|LabelSmoother/),
    check: (reference) => checkObjectives(reference, reference.file),
    reads: ['cases'],
  },
  {
    is: ofClass(/^(torch\.)?nn\./),
    check: (reference) => checkLayers(reference, reference.file),
    reads: ['cases'],
  },
  {
    // A run's batches; a trained model may tell of its training in words.
    is: ({ tensors }) => [...tensors.keys()].some((name) => name.startsWith('batches.')),
    check: checkTraining,
    reads: runEntries,
  },
  {
    is: ({ name }) => name !== '',
    check: async (reference) => {
      const checks = await checkModel(reference)
      // A class that nobody knows has said so already.
      if (checks.every(({ count }) => count === 0)) return checks
      return [...checks, ...(await checkParams(reference)), ...(await checkTexts(reference))]
    },
    reads: [...modelEntries, ...textEntries],
  },
]

const checkReference = async (folder: string): Promise<readonly Check[]> => {
  const reference = readReference(folder)
  const kind = kinds.find(({ is }) => is(reference))
  if (kind === undefined)
    return [holds('folder', 0, ['reference.json says nothing that can be checked here'])]
  const checks = await kind.check(reference)
  // Who knows nothing of a class has nothing to account for.
  if (checks.every(({ count, passed }) => count === 0 && !passed)) return checks
  const all = [...checks, ...unaccounted(reference, checks, kind.reads)]
  return all.some(({ count }) => count > 0) || all.some(({ passed }) => !passed)
    ? all
    : [...all, holds('folder', 0, ['there is nothing to compare'])]
}

/** All checks of a folder; one that fails where nothing is known of its kind. */
export const checkFolder = async (folder: string): Promise<readonly Check[]> => {
  if (existsSync(folder) && !statSync(folder).isDirectory()) return [skips('folder', 'this is a file')]
  const isTokenizer = existsSync(join(folder, 'cases.json')) && existsSync(join(folder, 'tokenizer.json'))
  const isModel = existsSync(join(folder, 'reference.json'))
  if (!isTokenizer && !isModel)
    return [holds('folder', 0, ['there is neither reference.json nor cases.json beside a tokenizer.json'])]
  return [...(isTokenizer ? checkTokenizer(folder) : []), ...(isModel ? await checkReference(folder) : [])]
}
