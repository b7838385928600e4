/** Checks a trained model from words to words: what it goes on with, and its loss on held-out text. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { fromArray, item, jit } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  GPT2LMHeadModel,
  causalReader,
  decode,
  encodeIds,
  generate,
  loadModel,
  tokenizerFromJson,
} from '../../models/index.ts'
import { evaluation } from '../../nn/index.ts'
import { causalLanguageModelling } from '../../training/index.ts'
import type { Check } from './check.ts'
import { compare, holds, skips } from './check.ts'
import type { Reference } from './reference.ts'

/** Where the text of a trained model may lie: told, beside it, or among the data two folders up. */
const textFiles = (folder: string): readonly string[] => [
  ...(process.env['VERIFY_TEXT'] === undefined ? [] : [process.env['VERIFY_TEXT']]),
  join(folder, 'text.txt'),
  join(folder, '../../data/tinyshakespeare/input.txt'),
]

/** The held-out part: the last tenth of the characters, cut into windows that do not overlap. */
const windowsOf = (ids: readonly number[], time: number): readonly (readonly number[])[] =>
  Array.from({ length: Math.floor(ids.length / time) }, (_, i) => ids.slice(i * time, (i + 1) * time))

interface Trained {
  readonly val_loss?: number
  readonly val_windows?: number
  readonly val_tokens?: number
  readonly train_tokens?: number
  readonly greedy_text?: Readonly<Record<string, string>>
}

const count = (group: string, own: number, told: number | undefined): readonly Check[] =>
  told === undefined ? [] : [holds(group, 1, own === told ? [] : [`${own}, expected ${told}`])]

/** The entries that this reads. */
export const entries: readonly string[] = [
  ...['val_loss', 'val_loss_definition', 'val_windows', 'val_tokens', 'train_tokens', 'greedy_text'],
  'training',
]

/** Everything that a trained model's reference says in words. */
export const checkTexts = async ({ folder, file, tensors }: Reference): Promise<readonly Check[]> => {
  const told = file as Trained
  if (told.greedy_text === undefined && told.val_loss === undefined) return []
  const json = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as unknown
  const tokenizer = tokenizerFromJson(json)
  const loaded = await loadModel(GPT2LMHeadModel, folder)()
  if (E.isLeft(tokenizer) || E.isLeft(loaded))
    return [holds('texts', 0, ['model or tokenizer cannot be read'])]
  const { layer, params, config } = loaded.right
  const reader = causalReader(layer, params, { maxLength: config.maxLength })
  const complaints: string[] = []
  const texts = Object.entries(told.greedy_text ?? {})
  for (const [prompt, expected] of texts) {
    const ids = encodeIds(tokenizer.right, prompt)
    const whole = encodeIds(tokenizer.right, expected).length
    // Texts need not be cut where a token of the whole would end.
    const [written] = await generate(reader, [ids], { maxTokens: whole - ids.length + 8 })
    const text = decode(tokenizer.right, [...ids, ...(written?.ids ?? [])])
    if (!text.startsWith(expected))
      complaints.push(`${JSON.stringify(text)}, expected ${JSON.stringify(expected)}`)
  }
  const checks = texts.length === 0 ? [] : [holds('texts it goes on with', texts.length, complaints)]
  if (told.val_loss === undefined) return checks
  const path = textFiles(folder).find((one) => existsSync(one))
  if (path === undefined)
    return [
      ...checks,
      skips('held-out loss', `no text: ${textFiles(folder).join(', ')} (VERIFY_TEXT names one)`),
    ]
  const text = readFileSync(path, 'utf8')
  const cut = Math.trunc(0.9 * text.length)
  const held = encodeIds(tokenizer.right, text.slice(cut))
  const time = (tensors.get('in.input_ids')?.shape[1] as number | undefined) ?? config.maxLength
  const windows = windowsOf(held, time)
  const lossOf = jit((p: typeof params, ids: Tensor) =>
    causalLanguageModelling(layer.apply(p, evaluation)({ ids }).logits, ids),
  )
  // As many windows at once as divide their number, so that each counts alike.
  const size = [16, 8, 4, 2, 1].find((n) => windows.length % n === 0) as number
  let total = 0
  for (let i = 0; i < windows.length; i += size) {
    const batch = fromArray(Int32Array.from(windows.slice(i, i + size).flat()), [size, time])
    total += (await item(lossOf(params, batch))) * size
  }
  const loss = new Map([['loss', fromArray(Float64Array.of(total / windows.length), [])]])
  const wanted = new Map([['loss', fromArray(Float64Array.of(told.val_loss), [])]])
  const inputs = tensors.get('in.input_ids')
  // The recorded windows say whether it is the same text, cut the same way.
  const numbered = inputs === undefined ? [] : windows.slice(3, 3 + (inputs.shape[0] as number))
  const given =
    inputs === undefined
      ? []
      : [
          await compare(
            'held-out windows',
            new Map([['ids', fromArray(Int32Array.from(numbered.flat()), [numbered.length, time])]]),
            new Map([['ids', inputs]]),
            0,
          ),
        ]
  return [
    ...checks,
    ...given.map((check) => ({ ...check, tolerance: 0, covers: [] })),
    ...count('held-out tokens', held.length, told.val_tokens),
    ...count('held-out windows: their number', windows.length, told.val_windows),
    ...count('training tokens', encodeIds(tokenizer.right, text.slice(0, cut)).length, told.train_tokens),
    await compare('held-out loss', loss, wanted, 3e-6),
  ]
}
