/** Checkpoints: what is written is read, what is read is written byte for byte, what does not fit is told whole. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jit, random, toArraySync, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decodeSafetensors, encodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsEntry } from '../../core/safetensors.ts'
import * as models from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import { messageOf } from '../nn/message.ts'

const checkpoint = suite('checkpoints')

const fixtures = fileURLToPath(new URL('../fixtures/models', import.meta.url))
const scratch = mkdtempSync(`${tmpdir()}/pullback-checkpoint-`)
checkpoint.after(() => rmSync(scratch, { recursive: true }))
let count = 0
const fresh = (): string => `${scratch}/${count++}`

const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}
const left = (either: E.Either<string, unknown>): string =>
  E.isLeft(either) ? either.left : assert.unreachable('should have been refused')!

const entriesOf = (file: string): readonly SafetensorsEntry[] =>
  [...right(decodeSafetensors(readFileSync(file))).tensors].map(([name, one]) => ({ ...one, name }))

const numbers = (params: unknown): string =>
  tree
    .entries(params)
    .map(([path, x]) => `${path} ${x.toString()} ${toArraySync(x).join()}`)
    .join('\n')

/** A copy of a fixture's folder whose tensors are what `change` makes of them. */
const changed = (
  name: string,
  change: (entries: readonly SafetensorsEntry[]) => readonly SafetensorsEntry[],
): string => {
  const folder = fresh()
  mkdirSync(folder)
  cpSync(`${fixtures}/${name}/config.json`, `${folder}/config.json`)
  const file = 'model.safetensors'
  writeFileSync(`${folder}/${file}`, encodeSafetensors(change(entriesOf(`${fixtures}/${name}/${file}`))))
  return folder
}

type Any = Architecture<never, unknown, never, unknown>
/** Every folder of the fixtures, with the architecture that its config names. */
const known: readonly (readonly [string, Any])[] = readdirSync(fixtures, { withFileTypes: true }).flatMap(
  (entry) => {
    if (!entry.isDirectory()) return []
    const config = JSON.parse(readFileSync(`${fixtures}/${entry.name}/config.json`, 'utf8')) as {
      readonly architectures: readonly [keyof typeof models.architectures]
    }
    return [[entry.name, models.architectures[config.architectures[0]] as unknown as Any] as const]
  },
)

/** The file of this one has a table that its library keeps and does not read. */
const unread = 'marian-separate'

for (const [name, architecture] of known.filter(([name]) => name !== unread))
  checkpoint(
    `${name}: read and written, the file is the same byte for byte, and the config says the same`,
    async () => {
      const folder = fresh()
      const loaded = right(await models.loadModel(architecture, `${fixtures}/${name}`)())
      assert.equal(loaded.made, [])
      assert.equal(loaded.left, [])
      right(await models.saveModel(architecture, folder, loaded)())
      assert.equal(readdirSync(folder).sort(), ['config.json', 'model.safetensors'])
      const read = (at: string, file: string): Buffer => readFileSync(`${at}/${file}`)
      assert.ok(read(folder, 'model.safetensors').equals(read(`${fixtures}/${name}`, 'model.safetensors')))
      const parse = (at: string): Record<string, unknown> =>
        JSON.parse(read(at, 'config.json').toString()) as Record<string, unknown>
      const written = parse(folder)
      for (const [key, value] of Object.entries(parse(`${fixtures}/${name}`)))
        // Two names of one activation.
        assert.equal(written[key] ?? null, value === 'swish' ? 'silu' : value, key)
    },
  )

for (const [name, place] of [
  ['clip-text', 'text_model.'],
  ['clip-vision', 'vision_model.'],
] as const)
  checkpoint(`${name}: a tower as newer versions write it, or one of a whole CLIP, is the same`, async () => {
    const architecture = models.architectures[
      name === 'clip-text' ? 'CLIPTextModel' : 'CLIPVisionModel'
    ] as unknown as Any
    const expected = right(await models.loadModel(architecture, `${fixtures}/${name}`)())
    const bare = changed(name, (entries) =>
      entries.map((entry) => ({ ...entry, name: entry.name.slice(place.length) })),
    )
    const loaded = right(await models.loadModel(architecture, bare)())
    assert.is(numbers(loaded.params), numbers(expected.params))
    const whole = right(await models.loadModel(models.CLIPModel, `${fixtures}/clip`)())
    const part = right(await models.loadModel(architecture, `${fixtures}/clip`)())
    const side = name === 'clip-text' ? 'text' : 'vision'
    assert.is(numbers(part.params), numbers({ [side]: whole.params[side] }))
  })

checkpoint("T5's encoder alone is read of a whole T5", async () => {
  const whole = right(await models.loadModel(models.T5ForConditionalGeneration, `${fixtures}/t5-relu-tied`)())
  const part = right(await models.loadModel(models.T5EncoderModel, `${fixtures}/t5-relu-tied`)())
  const { embedding, encoderDistances, encoder } = whole.params
  assert.is(numbers(part.params), numbers({ embedding, encoderDistances, encoder }))
})

const sizes = { vocabularySize: 23, width: 8, layers: 2, heads: 2, maxLength: 10 } as const
const bertConfig = models.bertConfig({ ...sizes, labels: ['no', 'yes', 'maybe'] })
const transformerConfig = models.transformerConfig({
  sourceVocabularySize: 23,
  targetVocabularySize: 23,
  width: 8,
  heads: 2,
  encoderLayers: 1,
  decoderLayers: 2,
})

const made: Readonly<Record<string, readonly [Any, unknown]>> = {
  BertModel: [models.BertModel as unknown as Any, bertConfig],
  BertForPreTraining: [models.BertForPreTraining as unknown as Any, bertConfig],
  'BertForPreTraining, untied': [models.BertForPreTraining as unknown as Any, { ...bertConfig, tied: false }],
  BertForMaskedLM: [models.BertForMaskedLM as unknown as Any, bertConfig],
  BertForSequenceClassification: [models.BertForSequenceClassification as unknown as Any, bertConfig],
  GPT2LMHeadModel: [models.GPT2LMHeadModel as unknown as Any, models.gptConfig(sizes)],
  'GPT2LMHeadModel, untied': [
    models.GPT2LMHeadModel as unknown as Any,
    models.gptConfig({ ...sizes, tied: false }),
  ],
  Transformer: [models.Transformer as unknown as Any, transformerConfig],
  'Transformer, all shared': [models.Transformer as unknown as Any, { ...transformerConfig, sharing: 'all' }],
  'Transformer, not shared': [
    models.Transformer as unknown as Any,
    { ...transformerConfig, sharing: 'none' },
  ],
}

for (const [name, [architecture, config]] of Object.entries(made))
  checkpoint(`${name}: what is written is read`, async () => {
    const params = architecture.layer(config as never).init(random.key(3))
    const folder = fresh()
    right(await models.saveModel(architecture, folder, { config: config as never, params })())
    const loaded = right(await models.loadModel(architecture, folder)())
    assert.is(numbers(loaded.params), numbers(params))
    // Written again over what is there.
    right(await models.saveModel(architecture, folder, loaded)())
    const again = right(await models.loadModel(architecture, folder)())
    assert.equal(again.config, loaded.config)
  })

checkpoint('numbers are stored in 16 bits on request, and the config says so', async () => {
  const model = models.GPT2LMHeadModel
  const config = models.gptConfig(sizes)
  const params = model.layer(config).init(random.key(3))
  for (const [precision, digits] of [
    ['float16', 11],
    ['bfloat16', 8],
  ] as const) {
    const folder = fresh()
    right(await models.saveModel(model, folder, { config, params }, { precision })())
    const loaded = right(await models.loadModel(model, folder)())
    assert.is(loaded.config.extra['dtype'], precision)
    const [own, other] = [tree.leaves(params), tree.leaves(loaded.params)]
    for (const [i, x] of own.entries())
      for (const [j, a] of toArraySync(x).entries()) {
        const b = toArraySync(other[i] as typeof x)[j] as number
        assert.ok(Math.abs(a - b) <= Math.abs(a) * 2 ** -digits + 2 ** -24, `${a} became ${b}`)
      }
  }
})

checkpoint('shards are read by their index', async () => {
  const whole = right(await models.loadModel(models.BertForPreTraining, `${fixtures}/bert-pretraining`)())
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat(), async (shards, seed) => {
      const folder = fresh()
      mkdirSync(folder)
      cpSync(`${fixtures}/bert-pretraining/config.json`, `${folder}/config.json`)
      const file = (i: number): string => `model-0000${i + 1}-of-0000${shards}.safetensors`
      const entries = entriesOf(`${fixtures}/bert-pretraining/model.safetensors`)
      const shardOf = (i: number): number => (i * 7919 + seed) % shards
      for (let shard = 0; shard < shards; shard++)
        writeFileSync(
          `${folder}/${file(shard)}`,
          encodeSafetensors(entries.filter((_, i) => shardOf(i) === shard)),
        )
      const map = Object.fromEntries(entries.map(({ name }, i) => [name, file(shardOf(i))]))
      const index = `${folder}/model.safetensors.index.json`
      writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }))
      const loaded = right(await models.loadModel(models.BertForPreTraining, folder)())
      assert.is(numbers(loaded.params), numbers(whole.params))
    }),
    { numRuns: 5 },
  )
})

checkpoint('an index that leads elsewhere, or nowhere, is refused', async () => {
  const folder = fresh()
  mkdirSync(folder)
  cpSync(`${fixtures}/gpt2/config.json`, `${folder}/config.json`)
  cpSync(`${fixtures}/gpt2/model.safetensors`, `${folder}/a.safetensors`)
  const index = `${folder}/model.safetensors.index.json`
  const load = async (map: unknown): Promise<string> => {
    writeFileSync(index, JSON.stringify({ weight_map: map }))
    return left(await models.loadModel(models.GPT2LMHeadModel, folder)())
  }
  assert.is(
    await load({ 'transformer.wte.weight': '../other/model.safetensors' }),
    `${index} names "../other/model.safetensors", no safetensors file`,
  )
  assert.is(
    await load({ 'transformer.wte.weight': 'b.safetensors' }),
    `${folder}/b.safetensors does not exist`,
  )
  assert.is(await load({ nothing: 'a.safetensors' }), `${index}: the files lack nothing`)
  assert.is(await load(undefined), `${index} has no weight_map`)
})

checkpoint('everything that does not fit is told in one answer', async () => {
  const folder = changed('bert-pretraining', (entries) =>
    entries
      .flatMap((entry): readonly SafetensorsEntry[] => {
        switch (entry.name) {
          case 'bert.pooler.dense.weight':
          case 'cls.predictions.bias':
            return []
          case 'bert.pooler.dense.bias':
            return [{ name: entry.name, dtype: 'F32', shape: [2, 16], data: new Float32Array(32) }]
          case 'bert.embeddings.LayerNorm.bias':
            return [{ name: entry.name, dtype: 'I32', shape: [32], data: new Int32Array(32) }]
          default:
            return [entry]
        }
      })
      .concat({ name: 'more', dtype: 'F32', shape: [1], data: Float32Array.of(1) }),
  )
  assert.is(
    left(await models.loadModel(models.BertForPreTraining, folder)()),
    `${folder}: the checkpoint does not fit the model: missing bert.pooler.dense.weight, cls.predictions.bias; surplus more; misshapen bert.embeddings.LayerNorm.bias of I32 (expected floating-point numbers), bert.pooler.dense.bias [2, 16] (expected [32])`,
  )
})

checkpoint('a model for a new task takes what is there, and makes the rest by the key', async () => {
  const load = async (
    key: random.Key,
  ): Promise<
    models.Loaded<
      models.BertConfig,
      models.BertForSequenceClassificationParams,
      models.BertInput,
      models.ClassificationOutput
    >
  > =>
    right(
      await models.loadModel(models.BertForSequenceClassification, `${fixtures}/bert-pretraining`, {
        fresh: key,
      })(),
    )
  const pretrained = right(
    await models.loadModel(models.BertForPreTraining, `${fixtures}/bert-pretraining`)(),
  )
  const { params, made, left, layer } = await load(random.key(4))
  assert.equal(made, ['classifier/bias', 'classifier/weight'])
  assert.equal(left.length, 7)
  assert.ok(left.every((name) => name.startsWith('cls.')))
  assert.is(numbers(params.encoder), numbers(pretrained.params.encoder))
  assert.is(numbers(params.classifier), numbers(jit(layer.init)(random.key(4)).classifier))
  assert.is.not(numbers(params.classifier), numbers((await load(random.key(5))).params.classifier))
})

checkpoint('a table that nobody reads is not written, and the config says that there is none', async () => {
  const folder = fresh()
  const loaded = right(await models.loadModel(models.MarianMTModel, `${fixtures}/${unread}`)())
  assert.not.ok(loaded.config.shared)
  right(await models.saveModel(models.MarianMTModel, folder, loaded)())
  const names = (at: string): readonly string[] =>
    entriesOf(`${at}/model.safetensors`).map(({ name }) => name)
  assert.equal(
    names(folder),
    names(`${fixtures}/${unread}`).filter((name) => name !== 'model.shared.weight'),
  )
  assert.is(
    numbers(right(await models.loadModel(models.MarianMTModel, folder)()).params),
    numbers(loaded.params),
  )
})

checkpoint(
  'of a tensor that a file has under an older name too, the newer is read and the other is surplus',
  async () => {
    const norm = 'bert.embeddings.LayerNorm.weight'
    const twice = changed('bert-pretraining', (entries) =>
      entries.flatMap((entry) =>
        entry.name === norm ? [entry, { ...entry, name: norm.replace('weight', 'gamma') }] : [entry],
      ),
    )
    const found = await models.loadModel(models.BertForPreTraining, twice)()
    assert.ok(E.isLeft(found))
    assert.match(found.left, /fit the model: surplus bert\.embeddings\.LayerNorm\.gamma$/)
  },
)

checkpoint(
  'older names, names without the prefix, and tensors that nobody needs are understood',
  async () => {
    const bert = right(await models.loadModel(models.BertForPreTraining, `${fixtures}/bert-pretraining`)())
    const old = changed('bert-pretraining', (entries) => [
      ...entries.map((entry) => ({
        ...entry,
        name: entry.name
          .replace('LayerNorm.weight', 'LayerNorm.gamma')
          .replace('LayerNorm.bias', 'LayerNorm.beta')
          .replace(/^bert\./, ''),
      })),
      { name: 'embeddings.position_ids', dtype: 'I64', shape: [1, 1], data: BigInt64Array.of(0n) },
      ...entries
        .filter(({ name }) => name.endsWith('word_embeddings.weight'))
        .map((entry) => ({ ...entry, name: 'cls.predictions.decoder.weight' })),
    ])
    assert.is(
      numbers(right(await models.loadModel(models.BertForPreTraining, old)()).params),
      numbers(bert.params),
    )
    const gpt = right(await models.loadModel(models.GPT2LMHeadModel, `${fixtures}/gpt2`)())
    const published = changed('gpt2', (entries) => [
      ...entries
        .filter(({ name }) => !name.endsWith('wte.weight'))
        .map((entry) => ({ ...entry, name: entry.name.replace(/^transformer\./, '') })),
      { name: 'h.0.attn.bias', dtype: 'F32', shape: [1, 1, 1, 1], data: Float32Array.of(1) },
      ...entries
        .filter(({ name }) => name.endsWith('wte.weight'))
        .map((entry) => ({ ...entry, name: 'lm_head.weight' })),
    ])
    assert.is(
      numbers(right(await models.loadModel(models.GPT2LMHeadModel, published)()).params),
      numbers(gpt.params),
    )
  },
)

checkpoint('weights that the config calls tied, but are not the same, are not tied', async () => {
  const apart = changed('gpt2', (entries) => [
    ...entries,
    { name: 'lm_head.weight', dtype: 'F32', shape: [97, 32], data: new Float32Array(97 * 32).fill(0.5) },
  ])
  const { config, params } = right(await models.loadModel(models.GPT2LMHeadModel, apart)())
  assert.is(config.tied, false)
  assert.ok(toArraySync(params.head?.weight as Tensor).every((x) => x === 0.5))
  const odd = changed('t5-relu-tied', (entries) => [
    ...entries,
    { name: 'encoder.embed_tokens.weight', dtype: 'F32', shape: [1], data: Float32Array.of(1) },
  ])
  assert.is(
    left(await models.loadModel(models.T5ForConditionalGeneration, odd)()),
    `${odd}: encoder.embed_tokens.weight and shared.weight are tied, but have different numbers`,
  )
})

checkpoint('what is no checkpoint is refused with a sentence', async () => {
  const load = async (folder: string): Promise<string> =>
    left(await models.loadModel(models.GPT2LMHeadModel, folder)())
  const folder = fresh()
  assert.is(await load(folder), `${folder}/config.json does not exist`)
  mkdirSync(folder)
  writeFileSync(`${folder}/config.json`, '{')
  assert.is(await load(folder), `${folder}/config.json is not valid JSON`)
  writeFileSync(`${folder}/config.json`, '[]')
  assert.is(await load(folder), `${folder}/config.json holds no object`)
  writeFileSync(`${folder}/config.json`, '{"n_layer": 0, "n_embd": "wide", "model_type": "bert"}')
  assert.is(
    await load(folder),
    `${folder}/config.json: model_type: expected "gpt2", got "bert"; n_embd: expected a positive integer, got "wide"; n_layer: expected a positive integer up to 4096, got 0`,
  )
  cpSync(`${fixtures}/gpt2/config.json`, `${folder}/config.json`)
  assert.is(await load(folder), `${folder} has no model.safetensors and no model.safetensors.index.json`)
  writeFileSync(`${folder}/pytorch_model.bin`, 'PK')
  assert.match(
    await load(folder),
    /has pytorch_model.bin, which only Python can read; convert it with: python -c/,
  )
  const file = readFileSync(`${fixtures}/gpt2/model.safetensors`)
  for (const length of [0, 7, 8, 1000, file.length - 1]) {
    writeFileSync(`${folder}/model.safetensors`, file.subarray(0, length))
    assert.match(await load(folder), /model.safetensors: safetensors: the (file|header)/)
  }
  writeFileSync(`${folder}/model.safetensors`, 'PK'.repeat(100))
  assert.match(await load(folder), /the header claims .* bytes/)
})

checkpoint('a file that cannot be put in its place leaves what was there', async () => {
  const folder = fresh()
  mkdirSync(`${folder}/model.safetensors`, { recursive: true })
  writeFileSync(`${folder}/config.json`, 'as before')
  const config = models.gptConfig(sizes)
  const params = models.gpt(config).init(random.key(0))
  assert.match(
    left(await models.saveModel(models.GPT2LMHeadModel, folder, { config, params })()),
    /model.safetensors (is a folder|cannot be used)/,
  )
  assert.equal(readdirSync(folder).sort(), ['config.json', 'model.safetensors'])
  assert.is(readFileSync(`${folder}/config.json`, 'utf8'), 'as before')
})

checkpoint('parameters of another model are a mistake, and nothing is written', async () => {
  const folder = fresh()
  const [config, other] = [models.gptConfig(sizes), models.gptConfig({ ...sizes, vocabularySize: 24 })]
  const params = models.gpt(other).init(random.key(0))
  let thrown: unknown
  await models
    .saveModel(models.GPT2LMHeadModel, folder, { config, params })()
    .catch((error: unknown) => (thrown = error))
  assert.is(
    messageOf(() => {
      throw thrown
    }),
    "saveModel: the parameter embeddings/word/weight is [24, 8], the model's is [23, 8]",
  )
})

checkpoint.run()
