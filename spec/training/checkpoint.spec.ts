/** Checkpoints: bit for bit, whole at every moment, and refused with reasons when they are not what is expected. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryName } from '../../core/file.ts'
import {
  add,
  cast,
  full,
  fromArray,
  matmul,
  mul,
  random,
  sub,
  sum,
  square,
  tensor,
  toArraySync,
  tree,
  zeros,
} from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { decodeSafetensors } from '../../core/safetensors.ts'
import {
  decodeState,
  encodeState,
  hasCheckpoint,
  loadCheckpoint,
  loadParams,
  saveCheckpoint,
  saveParams,
} from '../../training/checkpoint/index.ts'
import { adamW, fold, initState, makeStep, schedule } from '../../training/index.ts'
import type { TrainState } from '../../training/index.ts'

const checkpoint = suite<{ folder: string }>('checkpoint', { folder: '' })

checkpoint.before.each(async (context) => {
  context.folder = await mkdtemp(`${tmpdir()}/checkpoint-`)
})
checkpoint.after.each(async ({ folder }) => rm(folder, { recursive: true, force: true }))

/** The bytes of every leaf. */
const bitsOf = (state: unknown): readonly (readonly [string, string])[] =>
  tree.entries(state).map(([path, leaf]) => {
    const { buffer, byteOffset, byteLength } = toArraySync(leaf)
    const bytes = Buffer.from(new Uint8Array(buffer, byteOffset, byteLength))
    return [path, `${leaf.dtype} ${leaf.shape.join()} ${bytes.toString('hex')}`]
  })

const right = <A>(result: E.Either<string, A>): A =>
  E.isRight(result) ? result.right : (assert.unreachable(result.left) as never)

const left = (result: E.Either<string, unknown>): string =>
  E.isLeft(result) ? result.left : (assert.unreachable('it was not refused') as never)

interface Params {
  readonly layer: { readonly weight: Tensor; readonly bias: Tensor }
  readonly scale: readonly Tensor[]
}

const optimizer = adamW({ learningRate: schedule.cosine({ peak: 0.1, warmupSteps: 2, totalSteps: 20 }) })

const freshState = (seed = 3): TrainState<Params> => {
  const [a, b] = random.split(random.key(seed))
  const params = {
    layer: { weight: random.normal(a, [4, 3]), bias: zeros([3]) },
    scale: [random.normal(b, [3])],
  }
  return initState<Params>(params, optimizer, random.key(9))
}

const makeRun = (): ReturnType<typeof makeStep<Params, Tensor>> =>
  makeStep<Params, Tensor>({
    // noise, so that the key matters
    objective: ({ layer, scale }, x: Tensor, key: Key) =>
      sum(
        square(
          sub(mul(add(matmul(x, layer.weight), layer.bias), scale[0] as Tensor), random.normal(key, [2, 3])),
        ),
      ),
    optimizer,
  })

const batches = (step: number): Tensor => random.normal(random.foldIn(random.key(4), step), [2, 4])

const runTo = async (state: TrainState<Params>, steps: number): Promise<TrainState<Params>> => {
  const run = fold({ step: makeRun(), state, batches, steps })
  for (;;) {
    const { done, value } = await run.next()
    if (done === true) return value
  }
}

checkpoint('n steps, saved and loaded, and m steps are n + m steps, bit for bit', async ({ folder }) => {
  const whole = bitsOf(await runTo(freshState(), 9))
  const before = await runTo(freshState(), 4)
  right(await saveCheckpoint(folder, before, { name: 'first' })())
  const { state, notes } = right(await loadCheckpoint(folder, freshState(77))())
  assert.equal(notes, { name: 'first' })
  assert.equal(bitsOf(state), bitsOf(before))
  assert.equal(bitsOf(await runTo(state, 9)), whole)
})

const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    shape: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
    dtype: fc.constantFrom('float32', 'float64', 'int32', 'uint32', 'bool'),
    bits: fc.infiniteStream(fc.nat({ max: 2 ** 32 - 1 })),
  })
  .map(({ shape, dtype, bits }): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1)
    const words = (n: number): ArrayBuffer =>
      Uint32Array.from({ length: n }, () => bits.next().value as number).buffer
    switch (dtype) {
      case 'float32':
        return fromArray(new Float32Array(words(size)), shape)
      case 'float64':
        return fromArray(new Float64Array(words(2 * size)), shape)
      case 'int32':
        return fromArray(new Int32Array(words(size)), shape)
      case 'uint32':
        return fromArray(new Uint32Array(words(size)), shape)
      default:
        return fromArray(
          Uint8Array.from({ length: size }, () => (bits.next().value as number) & 1),
          shape,
        )
    }
  })

const name = fc.stringMatching(/^[a-zA-Z0-9_.é ]{1,8}$/)

const anyTree = fc.letrec<{ node: unknown; leaf: Tensor }>((tie) => ({
  leaf: anyTensor,
  node: fc.oneof(
    { maxDepth: 3 },
    tie('leaf'),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(name, tie('node'), { maxKeys: 3 }),
  ),
}))

checkpoint('any tree of tensors comes back with the same bits', async ({ folder }) => {
  await fc.assert(
    fc.asyncProperty(
      anyTree.node.filter((one) => new Set(tree.pathsOf(one)).size === tree.pathsOf(one).length),
      async (state) => {
        right(await saveCheckpoint(folder, state)())
        assert.equal(bitsOf(right(await loadCheckpoint(folder, state)()).state), bitsOf(state))
        assert.equal(bitsOf(right(decodeState(await encodeState(state), state))), bitsOf(state))
        assert.is((await readdir(folder)).length, 2, 'nothing else is left in the folder')
      },
    ),
    { numRuns: 40 },
  )
})

checkpoint('killed at any moment, the folder holds a whole checkpoint', async ({ folder }) => {
  const program = fileURLToPath(new URL('saver.ts', import.meta.url))
  const like = { params: Array.from({ length: 20 }, () => zeros([20_000])), step: zeros([], 'int32') }
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    // half of them while the first checkpoint is replaced, half of them later
    const least = round % 2 === 0 ? 1 : 3
    for await (const line of createInterface({ input: child.stdout })) if (Number(line) >= least) break
    await new Promise((done) => setTimeout(done, round * 7))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { state, notes } = right(await loadCheckpoint(folder, like)())
    const k = notes['step'] as number
    assert.ok(k >= least)
    for (const leaf of tree.leaves(state)) assert.ok(toArraySync(leaf).every((x) => x === k))
  }
  // what the killed ones left behind goes with the next checkpoint
  await writeFile(temporaryName(`${folder}/state`), 'half')
  await writeFile(`${folder}/notes.txt`, 'mine')
  right(await saveCheckpoint(folder, like)())
  assert.equal(
    (await readdir(folder)).filter((file) => !/^(checkpoint\.json|state-\w{16}\.safetensors)$/.test(file)),
    ['notes.txt'],
  )
})

const small = { a: tensor([1, 2]), b: { c: tensor([3], { dtype: 'int32' }) } }

checkpoint('every mismatch is told in one answer', async ({ folder }) => {
  right(await saveCheckpoint(folder, small)())
  const like = { a: zeros([3]), b: { d: zeros([2]) }, e: zeros([], 'int32') }
  const reason = left(await loadCheckpoint(folder, like)())
  assert.is(
    reason,
    `checkpoint: ${folder} does not fit: a is F32 [2], expected F32 [3]; b/d is missing (F32 [2]); ` +
      'e is missing (I32 []); b/c is not expected',
  )
  const other = left(await loadCheckpoint(folder, { ...small, a: cast(small.a, 'int32') })())
  assert.match(other, /does not fit: a is F32 \[2\], expected I32 \[2\]$/)
})

checkpoint('a folder that holds no sound checkpoint is refused in a sentence', async ({ folder }) => {
  const refusal = async (): Promise<string> => left(await loadCheckpoint(folder, small)())
  assert.is(await hasCheckpoint(folder), false)
  assert.is(await refusal(), `checkpoint: ${folder} holds no checkpoint (no checkpoint.json)`)
  assert.match(left(await loadCheckpoint(`${folder}/none`, small)()), /holds no checkpoint/)
  right(await saveCheckpoint(folder, small, { a: 1 })())
  assert.is(await hasCheckpoint(folder), true)
  const index = await readFile(`${folder}/checkpoint.json`, 'utf8')
  const state = (await readdir(folder)).find((file) => file.startsWith('state')) as string
  const bytes = await readFile(`${folder}/${state}`)

  for (const cut of [0, 1, 20, index.length - 3]) {
    await writeFile(`${folder}/checkpoint.json`, index.slice(0, cut))
    assert.match(await refusal(), /is damaged \(checkpoint.json is not valid JSON\)/)
  }
  for (const foreign of ['{}', '[]', 'null', '7', '{"model_type": "bert"}']) {
    await writeFile(`${folder}/checkpoint.json`, foreign)
    assert.match(await refusal(), /holds no checkpoint of this program/)
  }
  const changed = async (change: Record<string, unknown>, words: RegExp): Promise<void> => {
    await writeFile(`${folder}/checkpoint.json`, JSON.stringify({ ...JSON.parse(index), ...change }))
    assert.match(await refusal(), words)
  }
  await changed({ version: 2 }, /written by another version \(2, this one reads 1\)/)
  await changed({ tensors: '../../etc/passwd' }, /is damaged \(checkpoint.json: tensors\)/)
  await changed({ tensors: 7, notes: 'x' }, /is damaged \(checkpoint.json: tensors, notes\)/)
  await changed({ sha256: '0'.repeat(64) }, /is damaged/)
  await changed(
    { sha256: `${state.slice(6, 22)}${'0'.repeat(48)}` },
    /the checksum of state-\w+.safetensors is another/,
  )

  await writeFile(`${folder}/checkpoint.json`, index)
  const flipped = Uint8Array.from(bytes)
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1
  await writeFile(`${folder}/${state}`, flipped)
  assert.match(await refusal(), /checksum/)
  for (let cut = bytes.length - 1; cut >= 0; cut -= 5) {
    await writeFile(`${folder}/${state}`, bytes)
    await truncate(`${folder}/${state}`, cut)
    assert.match(await refusal(), /is damaged \(safetensors: /)
  }
  await rm(`${folder}/${state}`)
  assert.match(await refusal(), /is incomplete: state-\w+\.safetensors is gone/)
})

checkpoint('what cannot be saved leaves the checkpoint before as it is', async ({ folder }) => {
  right(await saveCheckpoint(folder, small, { k: 1 })())
  const state = freshState()
  makeRun()(state, batches(0))
  let thrown: unknown
  await saveCheckpoint(folder, state)().catch((error: unknown) => (thrown = error))
  assert.match(String(thrown), /donated|taken over|used/)
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  thrown = undefined
  await saveCheckpoint(folder, small, circular)().catch((error: unknown) => (thrown = error))
  assert.instance(thrown, TypeError)
  assert.equal(right(await loadCheckpoint(folder, small)()).notes, { k: 1 })
  await writeFile(`${folder}/file`, '')
  assert.is(
    left(await saveCheckpoint(`${folder}/file`, small)()),
    `checkpoint: ${folder}/file is a file, not a folder`,
  )
  assert.is(
    left(await saveCheckpoint(`${folder}/file/in`, small)()),
    `checkpoint: ${folder}/file/in lies below a file, not a folder`,
  )
})

checkpoint('a reader beside a run that saves always reads a whole checkpoint', async ({ folder }) => {
  const stateOf = (k: number): { readonly a: Tensor; readonly b: Tensor } => ({
    a: full([50_000], k),
    b: full([3], k),
  })
  right(await saveCheckpoint(folder, stateOf(0), { k: 0 })())
  let writing = true
  const write = async (): Promise<void> => {
    for (let k = 1; k <= 20; k++) right(await saveCheckpoint(folder, stateOf(k), { k })())
    writing = false
  }
  let reads = 0
  const readOn = async (): Promise<void> => {
    while (writing) {
      const { state, notes } = right(await loadCheckpoint(folder, stateOf(0))())
      for (const leaf of tree.leaves(state)) assert.ok(toArraySync(leaf).every((x) => x === notes['k']))
      reads++
    }
  }
  await Promise.all([write(), readOn()])
  assert.ok(reads > 1)
})

checkpoint('parameters alone, in one file', async ({ folder }) => {
  const path = `${folder}/model.safetensors`
  right(await saveParams(path, small, { format: 'pt' })())
  const read = decodeSafetensors(await readFile(path))
  assert.equal(right(read).metadata, { format: 'pt' })
  assert.equal(bitsOf(right(await loadParams(path, small)())), bitsOf(small))
  assert.match(
    left(await loadParams(path, { a: small.a })()),
    /^parameters: .*model\.safetensors does not fit: b\/c is not expected$/,
  )
  await truncate(path, 30)
  assert.match(left(await loadParams(path, small)()), /is damaged \(safetensors: the header claims|cut off/)
  assert.match(left(await loadParams(`${path}x`, small)()), /does not exist/)
  assert.match(left(await saveParams(`${folder}/no/model`, small)()), /lies in a folder that does not exist/)
  assert.match(left(await saveParams(folder, small)()), /is a folder/)
  assert.equal(await readdir(folder), ['model.safetensors'])
  assert.match(left(decodeState(Uint8Array.of(1, 2), small)), /cut off/)
  assert.match(left(decodeState(await encodeState(small), {})), /the state does not fit: a is not expected/)
})

checkpoint.run()
