/** A whole training step on the engine: what it holds, step after step, and that threads change no bit of it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { itemSync, random, setDefaultEngine, toArraySync, tree } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import { trialOf } from '../../../bench/load.ts'
import { loads } from '../../../bench/size.ts'

for (const options of [{ threads: 1 }, { threads: 2, shareFrom: 0 }])
  test(`a thousand training steps on ${options.threads} threads allocate nothing: neither memories nor pages nor what the collector must find`, async () => {
    const engine = wasmEngine(options)
    setDefaultEngine(engine)
    const trial = trialOf(loads.X)
    let { state } = trial
    const turn = (): number => {
      const [next, { loss }] = trial.step(state, trial.batch)
      state = next
      return itemSync(loss)
    }
    let first = NaN
    for (let warm = 0; warm < 20; warm++) {
      const loss = turn()
      if (warm === 0) first = loss
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { bytes } = engine.live()
    const reserved = engine.reserved()
    let last = NaN
    for (let step = 0; step < 1000; step++) {
      last = turn()
      if (step % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    // Two scalars a step, until the collector has found them.
    assert.ok(
      engine.live().bytes - bytes <= 1000 * 2 * 4,
      `${engine.live().bytes - bytes} more bytes are held`,
    )
    assert.is(engine.reserved(), reserved)
    assert.ok(last < 0.5 * first, `the loss went from ${first} to ${last}`)
    await engine.close()
  })

test('a training step has the same bits for 1, 2 and 3 threads, and again for a second engine', async () => {
  const after = async (threads: number): Promise<string> => {
    const engine = wasmEngine({ threads, shareFrom: 0 })
    setDefaultEngine(engine)
    const trial = trialOf({ ...loads.X, width: 64, time: 48, vocabulary: 500 })
    let { state } = trial
    for (let step = 0; step < 3; step++) state = trial.step(state, trial.batch)[0]
    const bits = tree
      .leaves(state.params)
      .map((x: Tensor) => Buffer.from(toArraySync(x).buffer).toString('base64'))
      .join()
    await engine.close()
    return bits
  }
  const alone = await after(1)
  for (const threads of [1, 2, 3]) assert.ok((await after(threads)) === alone, `${threads} threads differ`)
})

test('the arena of the reference loads is small enough to hold less than PyTorch does', () => {
  setDefaultEngine(wasmEngine({ threads: 1 }))
  const bytes = (load: 'S' | 'M'): number => {
    const { step, state, batch } = trialOf(loads[load])
    return step.plan(state, batch).temporaryBytes
  }
  assert.ok(bytes('S') < 60e6, `S: ${bytes('S')} bytes of temporaries`)
  assert.ok(bytes('M') < 180e6, `M: ${bytes('M')} bytes of temporaries`)
})

test('random draws are the same whatever runs them', () => {
  const draw = (threads: number): string => {
    setDefaultEngine(wasmEngine({ threads }))
    return Buffer.from(toArraySync(random.normal(random.key(5), [1000])).buffer).toString('base64')
  }
  assert.is(draw(1), draw(2))
})

test.run()
