/** Models that are packed while they are read: the numbers that packing them afterwards gives, and the file's own bits. */
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, toArraySync, tree } from '../../core/index.ts'
import { float32ToBfloat16, float32ToFloat16 } from '../../core/half.ts'
import * as models from '../../models/index.ts'
import type { Architecture } from '../../models/index.ts'
import { quantize } from '../../nn/index.ts'
import type { Layer, StoredPrecision } from '../../nn/index.ts'

const held = suite('models packed while they are read')

const fixtures = fileURLToPath(new URL('../fixtures/models', import.meta.url))
const scratch = mkdtempSync(`${tmpdir()}/pullback-held-`)
held.after(() => rmSync(scratch, { recursive: true }))

const right = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left)
  return either.right
}

const numbers = (params: unknown): string =>
  tree
    .entries(params)
    .map(([path, x]) => `${path} ${x.toString()} ${toArraySync(x).join()}`)
    .join('\n')

type Any = Architecture<never, object, never, unknown>
const precisions: readonly StoredPrecision[] = ['float32', 'bfloat16', 'float16', 'int8', 'int4']
const names = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)

const architectureOf = (folder: string): Any => {
  const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as {
    readonly architectures: readonly [keyof typeof models.architectures]
  }
  return models.architectures[config.architectures[0]] as unknown as Any
}

for (const name of names)
  held(`${name}: as packed after it was read, to the bit`, async () => {
    const folder = `${fixtures}/${name}`
    const architecture = architectureOf(folder)
    const { layer, params } = right(await models.loadModel(architecture, folder)())
    for (const precision of precisions) {
      const found = right(await models.loadQuantized(architecture, folder, { precision })())
      const wanted = quantize(layer as Layer<object, never, unknown>, params, { precision })
      assert.is(numbers(found.params), numbers(wanted), precision)
      assert.equal([found.made, found.left], [[], []])
    }
  })

const config = models.gptConfig({ vocabularySize: 90, width: 32, layers: 1, heads: 2, maxLength: 40 })
const bert = models.bertConfig({ vocabularySize: 90, width: 32, layers: 1, heads: 2, maxLength: 40 })

held('what a file has in 16 bits is held in its bits, whichever way its matrices lie', async () => {
  const roundings = { bfloat16: float32ToBfloat16, float16: float32ToFloat16 }
  for (const [precision, rounded] of Object.entries(roundings) as ['bfloat16', typeof float32ToBfloat16][]) {
    const folder = `${scratch}/${precision}`
    const params = models.BertModel.layer(bert).init(random.key(0))
    right(await models.saveModel(models.BertModel, folder, { config: bert, params }, { precision })())
    const found = right(await models.loadQuantized(models.BertModel, folder, { precision })())
    const { parts } = found.params as { parts: { embeddings: { word: { weight: { words: never } } } } }
    const { words } = parts.embeddings.word.weight
    const table = toArraySync(params.embeddings.word.weight) as Float32Array
    assert.equal([...toArraySync(words)], [...new Int32Array(rounded(table).buffer)])
    // The linear maps of BERT are [out, in] in the file, those of GPT-2 [in, out] and three in one.
    const read = right(await models.loadModel(models.BertModel, folder)())
    assert.is(numbers(found.params), numbers(quantize(read.layer, read.params, { precision })))
    const other = `${scratch}/gpt-${precision}`
    const own = models.GPT2LMHeadModel.layer(config).init(random.key(1))
    right(await models.saveModel(models.GPT2LMHeadModel, other, { config, params: own }, { precision })())
    const gpt = right(await models.loadQuantized(models.GPT2LMHeadModel, other, { precision })())
    const whole = right(await models.loadModel(models.GPT2LMHeadModel, other)())
    assert.is(numbers(gpt.params), numbers(quantize(whole.layer, whole.params, { precision })))
  }
})

held(
  'what is missing is made new where a key is given, and refused in the words of loadModel otherwise',
  async () => {
    const folder = `${scratch}/missing`
    const params = models.BertModel.layer(bert).init(random.key(0))
    right(await models.saveModel(models.BertModel, folder, { config: bert, params })())
    const [plain, packed] = await Promise.all([
      models.loadModel(models.BertForMaskedLM, folder)(),
      models.loadQuantized(models.BertForMaskedLM, folder)(),
    ])
    assert.ok(E.isLeft(plain))
    assert.equal(packed, plain)
    const options = { fresh: random.key(2), precision: 'int8' } as const
    const found = right(await models.loadQuantized(models.BertForMaskedLM, folder, options)())
    const read = right(await models.loadModel(models.BertForMaskedLM, folder, options)())
    assert.equal(found.made, read.made)
    assert.ok(found.made.length > 0)
    assert.is(numbers(found.params), numbers(quantize(read.layer, read.params, { precision: 'int8' })))
  },
)

held('a large table is packed in pieces, which changes no bit', async () => {
  const folder = `${scratch}/large`
  // A few rows more than are packed at once.
  const wide = models.gptConfig({
    vocabularySize: 2 ** 17 + 3,
    width: 32,
    layers: 1,
    heads: 2,
    maxLength: 40,
  })
  const params = models.GPT2LMHeadModel.layer(wide).init(random.key(3))
  right(await models.saveModel(models.GPT2LMHeadModel, folder, { config: wide, params })())
  const { layer, params: read } = right(await models.loadModel(models.GPT2LMHeadModel, folder)())
  for (const precision of ['bfloat16', 'int8'] as const) {
    const found = right(await models.loadQuantized(models.GPT2LMHeadModel, folder, { precision })())
    const own = tree.leaves(found.params)
    const wanted = tree.leaves(quantize(layer, read, { precision }))
    assert.is(own.length, wanted.length)
    own.forEach((leaf, i) => {
      const other = wanted[i] as typeof leaf
      assert.is(leaf.toString(), other.toString())
      const [x, y] = [toArraySync(leaf), toArraySync(other)]
      assert.ok(
        x.every((n, at) => n === y[at]),
        `leaf ${i} differs`,
      )
    })
  }
})

held('a file that is cut off is refused with its name', async () => {
  const folder = `${fixtures}/${names[0]}`
  const cut = mkdtempSync(`${scratch}/cut-`)
  copyFileSync(`${folder}/config.json`, `${cut}/config.json`)
  writeFileSync(`${cut}/model.safetensors`, readFileSync(`${folder}/model.safetensors`).subarray(0, -100))
  const found = await models.loadQuantized(architectureOf(folder), cut)()
  assert.ok(E.isLeft(found) && found.left.startsWith(`${cut}/model.safetensors: safetensors: `))
})

held.run()
