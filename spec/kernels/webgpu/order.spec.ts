/** What a program counts on the host, and that all comes in order although a loop waits for the device. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArray, item, random, withEngine } from '../../../core/index.ts'
import type { Key, Tensor } from '../../../core/index.ts'
import type { Memory, Program } from '../../../kernels/index.ts'
import { gpt, gptConfig } from '../../../models/index.ts'
import { training } from '../../../nn/index.ts'
import { adamW, causalLanguageModelling, initState, makeStep } from '../../../training/index.ts'
import { openWebGpu } from '../../../kernels/webgpu/index.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import { doubling, scalarMap } from '../../law/control.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu order')

/** The loop whose first argument is donated. */
const looped: Program = { ...doubling, donated: [0] }

const adding: Program = {
  buffers: Array.from({ length: 3 }, () => ({ dtype: 'float32', size: 1 })),
  inputs: [0, 1],
  outputs: [2],
  donated: [0],
  launches: [scalarMap([0, 1], { op: 'add', args: [0, 1], dtype: 'float32' }, 2)],
}

/** How often the engine's queue was given something, and what was read back. */
const counted = (engine: WebGpuEngine) => {
  const { queue } = engine.device
  const count = { submissions: 0, writes: 0, reads: 0 }
  const own = { submit: queue.submit.bind(queue), writeBuffer: queue.writeBuffer.bind(queue) }
  queue.submit = (commands) => {
    count.submissions++
    return own.submit(commands)
  }
  queue.writeBuffer = (...rest: Parameters<GPUQueue['writeBuffer']>) => {
    count.writes++
    return own.writeBuffer(...rest)
  }
  const { createBuffer } = engine.device
  engine.device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(engine.device, descriptor)
    const mapAsync = buffer.mapAsync.bind(buffer)
    buffer.mapAsync = (...rest) => {
      count.reads++
      return mapAsync(...rest)
    }
    return buffer
  }
  return count
}

const onGpu = (engine: WebGpuEngine): void => {
  const of = (x: number): Memory => engine.upload(Float32Array.of(x))

  test('work that comes after a loop waits for it, whatever becomes of its memory', async () => {
    const loop = engine.compile(looped).run
    const add = engine.compile(adding).run
    const limit = of(1000)
    let [state] = loop([of(3), limit]) as [Memory] // 1536
    for (let round = 0; round < 5; round++) {
      const more = of(round)
      ;[state] = add([state, more]) as [Memory]
      engine.release(more)
    } // 1546
    const data = Float32Array.of(2000)
    const next = engine.upload(data)
    data[0] = 0
    ;[state] = loop([state, next]) as [Memory] // 3092
    const found = engine.read(state)
    engine.release(state)
    engine.release(next)
    const others = Array.from({ length: 20 }, (_, index) => of(-index))
    assert.equal(await found, Float32Array.of(3092))
    for (const [index, other] of others.entries()) {
      assert.equal(await engine.read(other), Float32Array.of(-index))
      engine.release(other)
    }
    assert.equal(await engine.read(limit), Float32Array.of(1000))
    engine.release(limit)
    assert.is(engine.live().count, 0)
  })

  test('the plan tells that the end of a loop is decided on the host', () => {
    assert.match(
      engine.compile(looped).plan.onHost.join(),
      'launch 1 (while): whether it goes on is read back',
    )
    assert.equal(engine.compile(adding).plan.onHost, [])
  })

  test('a program is one submission and reads nothing; a loop is one of each for every look at its end', async () => {
    const count = counted(engine)
    // An engine of its own has no buffers yet that would not be counted.
    const own = openWebGpu({ software: true })
    if (E.isLeft(own)) return assert.unreachable(own.left)
    const { compile, upload, read, close } = own.right
    const [add, loop] = [compile(adding), compile(looped)]
    const of = (x: number): Memory => upload(Float32Array.of(x))
    const [one, two] = [of(1), of(2)]
    count.submissions = count.writes = count.reads = 0
    const [three] = add.run([one, two]) as [Memory]
    assert.equal(count, { submissions: 1, writes: 0, reads: 0 })
    assert.equal(await read(three), Float32Array.of(3))
    assert.equal(count, { submissions: 2, writes: 0, reads: 1 })
    const limit = of(1000)
    count.submissions = count.reads = 0
    const [last] = loop.run([three, limit]) as [Memory] // 9 doublings, 10 looks
    assert.equal(await read(last), Float32Array.of(1536))
    assert.equal(count, { submissions: 11, writes: 1, reads: 11 })
    await close()
  })

  test('a step of training is one submission and writes nothing, and of it the loss alone is read back', async () => {
    const count = counted(engine)
    const own = openWebGpu({ software: true })
    if (E.isLeft(own)) return assert.unreachable(own.left)
    const on = <A>(work: () => A): A => withEngine(own.right, work)
    const model = gpt(gptConfig({ vocabularySize: 16, width: 16, layers: 2, heads: 2, maxLength: 8 }))
    const optimizer = adamW({ learningRate: 0.01 })
    const objective = (params: ReturnType<typeof model.init>, ids: Tensor, key: Key) =>
      causalLanguageModelling(model.apply(params, training(key))({ ids }).logits, ids)
    const step = makeStep({ objective, optimizer })
    const ids = on(() => fromArray(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [1, 8]))
    let state = on(() => initState(model.init(random.key(0)), optimizer, random.key(1)))
    const turn = async (): Promise<number> => {
      const [next, { loss }] = on(() => step(state, ids))
      state = next
      return item(loss)
    }
    const losses = [await turn(), await turn()]
    for (let n = 0; n < 3; n++) {
      count.submissions = count.writes = count.reads = 0
      const [next, { loss }] = on(() => step(state, ids))
      state = next
      assert.equal(count, { submissions: 1, writes: 0, reads: 0 })
      losses.push(await item(loss))
      assert.equal(count, { submissions: 2, writes: 0, reads: 1 })
    }
    assert.ok((losses.at(-1) as number) < (losses[0] as number), losses.join())
    await own.right.close()
  })

  test('a profile of a loop times it as a whole', async () => {
    const limit = of(1000)
    const { profile } = engine.compile(looped)
    const { outputs, spans } = (profile as NonNullable<typeof profile>)([of(3), limit])
    assert.equal(await engine.read(outputs[0] as Memory), Float32Array.of(1536))
    assert.equal(
      (await spans).map(({ launch, start, milliseconds }) => [launch, start >= 0, milliseconds > 0]),
      [
        [0, true, true],
        [1, true, true],
      ],
    )
    for (const memory of [...outputs, limit]) engine.release(memory)
  })

  test.after(() => engine.close())
}

const opened = await gpuForTests()
if (E.isLeft(opened)) skip(test, 'the engine on a device', opened.left)
else onGpu(opened.right)

test.run()
