/** A device that is lost or full: told clearly, and an engine opened anew goes on from what was saved. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  fromArray,
  grad,
  item,
  jit,
  matmul,
  mul,
  random,
  sub,
  sum,
  tanh,
  toArray,
  withEngine,
} from '../../../core/index.ts'
import type { Engine, Tensor } from '../../../core/index.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu loss')

const opened = async (): Promise<WebGpuEngine> => {
  const engine = await gpuForTests()
  if (E.isLeft(engine)) throw new Error(engine.left)
  return engine.right
}

const messageOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

const [rows, width] = [8, 4]

/** Gradient descent on a layer; what it holds on the device is the state. */
const descent = (engine: Engine) =>
  withEngine(engine, () => {
    const x = random.normal(random.key(1), [rows, width])
    const loss = (w: Tensor): Tensor => {
      const y = sub(tanh(matmul(x, w)), 0.5)
      return sum(mul(y, y))
    }
    const step = jit((w: Tensor): Tensor => sub(w, mul(grad(loss)(w), 0.1)), { donate: [0] })
    return (w: Tensor, steps: number): Tensor =>
      withEngine(engine, () => {
        let state = w
        for (let n = 0; n < steps; n++) state = step(state)
        return state
      })
  })

const start = (engine: Engine): Tensor =>
  withEngine(engine, () => random.normal(random.key(0), [width, width]))

const load = (engine: Engine, data: Float32Array<ArrayBuffer>): Tensor =>
  withEngine(engine, () => fromArray(data, [width, width]))

const onGpu = (): void => {
  test('a device that is lost is told, and training goes on from the last checkpoint on a new one', async () => {
    const first = await opened()
    const train = descent(first)
    const expected = await toArray(train(start(first), 9))
    const saved = (await toArray(train(start(first), 4))) as Float32Array<ArrayBuffer>
    let state = load(first, saved)
    state = train(state, 1)
    first.device.destroy()
    await first.device.lost
    const lost = /the device was lost \(.+\); open the engine again and go on from the last checkpoint/
    assert.match(await messageOf(() => train(state, 1)), lost)
    assert.match(await messageOf(() => toArray(state)), lost)
    assert.match(await messageOf(() => first.upload(Float32Array.of(1))), lost)

    const second = await opened()
    const resumed = descent(second)
    assert.equal(await toArray(resumed(load(second, saved), 5)), expected)
    await first.close()
    await second.close()
  })

  test('memory that the device refuses is told with its size, and an engine opened again works', async () => {
    const first = await opened()
    const { device } = first
    const { popErrorScope } = device
    const refused: GPUError = { message: 'no room' }
    device.popErrorScope = async () => {
      device.popErrorScope = popErrorScope
      await popErrorScope.call(device)
      return refused
    }
    const bytes = 2 ** 21
    const memory = first.upload(new Float32Array(bytes / 4))
    const told = await messageOf(() => first.read(memory))
    assert.match(told, `webgpu: out of memory: a buffer of ${bytes} bytes was refused with`)
    assert.match(told, 'go on from the last checkpoint')
    assert.is(await messageOf(() => first.upload(Float32Array.of(1))), told)

    const second = await opened()
    assert.is(await item(withEngine(second, () => sum(fromArray(Float32Array.of(1, 2), [2])))), 3)
    await first.close()
    await second.close()
  })

  test('more than one buffer may hold is refused before it is begun, by both numbers', async () => {
    const engine = await opened()
    const most = engine.adapter.limits.bytesPerBuffer
    const side = Math.ceil(Math.sqrt(most / 4)) + 4
    const outer = jit((x: Tensor): Tensor => matmul(x, x))
    const told = await messageOf(() =>
      withEngine(engine, () => {
        const column = random.normal(random.key(0), [side, 1])
        return jit((x: Tensor): Tensor => matmul(x, random.normal(random.key(1), [1, side])))(column)
      }),
    )
    assert.match(
      told,
      `needs one buffer of ${4 * side * side} bytes, but ${engine.adapter.name} allows ${most}`,
    )
    // It is as it was.
    assert.is((await toArray(withEngine(engine, () => outer(start(engine))))).length, width * width)
    await engine.close()
  })
}

const probe = await gpuForTests()
if (E.isLeft(probe)) skip(test, 'losing a device', probe.left)
else {
  await probe.right.close()
  onGpu()
}

test.run()
