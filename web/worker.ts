/** Trains and differentiates away from the page, which therefore never waits. */
import { either as E } from 'fp-ts'
import { setDefaultEngine } from 'pullback'
import type { Engine } from 'pullback/kernels'
import { chooseEngineAsync, engines, loadGpuJs, referenceEngine } from 'pullback/kernels'
import { differentiate } from './differentiate.ts'
import type { Answer, EngineOffer, Request, Settings } from './message.ts'
import { withCommas } from './number.ts'
import { PlacedError } from './place.ts'
import type { Trainer } from './trainer.ts'
import { makeTrainer } from './trainer.ts'

const answer = (message: Answer): void => postMessage(message)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Lets messages in between steps; a timer would wait for milliseconds. */
const breathe = (): Promise<void> =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(undefined)
  })

const offers = async (): Promise<readonly EngineOffer[]> => {
  const found: EngineOffer[] = []
  for (const name of ['webgpu', 'webgpu:software', 'gpujs:webgl2', 'wasm']) {
    if (!engines.some((row) => row.name === name.split(':')[0])) continue
    const choice = await chooseEngineAsync(name)
    if (E.isLeft(choice)) found.push({ name, available: false, detail: choice.left })
    else {
      found.push({ name, available: true, detail: choice.right.engine.detail })
      await choice.right.engine.close()
    }
  }
  return found
}

let engine: Engine | undefined
let trainer: Trainer | undefined
let running = false
/** Runs are numbered as they are asked for, so that one is also stopped while its engine is opened. */
let [latest, ended] = [0, 0]
/** One thing after the other: a sample is not taken while a step donates its parameters. */
let tail: Promise<void> = Promise.resolve()
/** What is to be done between two steps. */
const between: (() => Promise<void>)[] = []

/** What a run was begun with, and its checkpoint of a while ago, if one was kept: all that is left of a lost device. */
interface Kept {
  readonly settings: Settings
  readonly text: string
  readonly checkpoint: { readonly bytes: Uint8Array<ArrayBuffer>; readonly step: number } | undefined
}
let kept: Kept | undefined
/** Whether the device that the trainer's numbers were on is gone. */
let lost = false

/** Parameters up to which a checkpoint is kept: four bytes of each, and of its two moments. */
const keepable = 2e6

/** Whether there is something to resume, to save and to ask. */
const isTrained = (): boolean => trainer !== undefined && (!lost || kept?.checkpoint !== undefined)

/** What to tell of a device that failed, and what may be done about it; other failures as they are. */
const failure = (error: unknown): unknown => {
  const message = messageOf(error)
  const [gone, full] = ['webgpu: the device was lost', 'webgpu: out of memory'].map((words) =>
    message.startsWith(words),
  )
  if (!gone && !full) return error
  lost = true
  const what = full
    ? 'The GPU has not enough memory for this: a smaller batch, context or width takes less.'
    : 'The GPU was lost, and with it what was on it.'
  const step = kept?.checkpoint?.step
  const now =
    step === undefined ? 'Start anew, or load a checkpoint' : `Resume goes on from step ${withCommas(step)}`
  return new Error(`${what} ${now}.`, { cause: error })
}

type About = 'training' | 'function'

const guarded =
  (about: About, work: () => Promise<void>, trains = false) =>
  async (): Promise<void> => {
    try {
      await work()
    } catch (error) {
      answer({
        kind: 'failed',
        message: messageOf(failure(error)),
        about,
        ended: trains,
        trained: isTrained(),
        place: error instanceof PlacedError ? error.place : undefined,
      })
    }
  }

const inTurn = (about: About, work: () => Promise<void>, trains = false): void => {
  tail = tail.then(guarded(about, work, trains))
}

/** As soon as may be, also while a run goes on. */
const soon = (about: About, work: () => Promise<void>): void => {
  if (running) between.push(guarded(about, work))
  else inTurn(about, work)
}

const sample = async (own: Trainer): Promise<void> =>
  answer({ kind: 'sample', step: own.step(), pieces: await own.sample() })

const keep = async (own: Trainer): Promise<void> => {
  const checkpoint = { bytes: await own.save(), step: own.step() }
  if (kept !== undefined) kept = { ...kept, checkpoint }
}

/** Milliseconds of training between samples. */
const pause = 6000

const run = async (own: Trainer, number: number): Promise<void> => {
  running = true
  try {
    await steps(own, number)
  } finally {
    running = false
    for (const work of between.splice(0)) await work()
  }
}

/** Milliseconds between messages of progress: a step may take less than a thousandth of a second. */
const beat = 50

const steps = async (own: Trainer, number: number): Promise<void> => {
  const { batch, length } = own.settings
  let [sampled, since, count, told] = [performance.now(), performance.now(), 0, 0]
  let losses: number[] = []
  const tell = (): void => {
    const now = performance.now()
    if (losses.length > 0)
      answer({
        kind: 'progress',
        step: own.step() - 1,
        losses,
        tokensPerSecond: (1000 * count * batch * length) / (now - since),
      })
    losses = []
    told = now
    if (now - since > 1000) [since, count] = [now, 0]
  }
  while (number > ended) {
    const loss = await own.advance()
    count++
    if (loss !== undefined) {
      if (!Number.isFinite(loss)) throw new Error('the loss is no number any more; a smaller rate may help')
      losses.push(loss)
    }
    if (performance.now() - told >= beat) tell()
    if (performance.now() - sampled > pause) {
      await sample(own)
      if (own.parameters <= keepable) await keep(own)
      sampled = performance.now()
      since = sampled
      count = 0
    }
    await breathe()
    for (const work of between.splice(0)) await work()
  }
  tell()
  await sample(own)
  answer({ kind: 'stopped', step: own.step() })
}

const open = async (name: string): Promise<Engine> => {
  const choice = await chooseEngineAsync(name)
  if (E.isLeft(choice)) throw new Error(choice.left)
  return choice.right.engine
}

/** A trainer on an engine of its own; what was trained before is given up only once there is one. */
const start = async (
  settings: Settings,
  text: string,
  checkpoint: Uint8Array<ArrayBuffer> | undefined,
  number: number,
): Promise<void> => {
  const fresh = await open(settings.engine)
  let own: Trainer
  try {
    own = makeTrainer(fresh, settings, text, checkpoint)
  } catch (error) {
    if (engine !== undefined) setDefaultEngine(engine)
    await fresh.close()
    throw error
  }
  await engine?.close()
  engine = fresh
  trainer = own
  lost = false
  kept = {
    settings: { ...own.settings },
    text,
    checkpoint: checkpoint === undefined ? undefined : { bytes: checkpoint, step: own.step() },
  }
  answer({
    kind: 'started',
    settings: own.settings,
    step: own.step(),
    parameters: own.parameters,
    vocabulary: own.vocabulary.characters.length,
    detail: `${fresh.name}: ${fresh.detail}`,
  })
  await run(own, number)
}

const current = (): Trainer => {
  if (trainer === undefined) throw new Error('nothing has been trained yet')
  return trainer
}

/** Goes on; on the engine of that name, from what was kept, if the device is gone. */
const resume = (name: string, number: number): Promise<void> => {
  const { settings, text, checkpoint } = kept ?? {}
  if (!lost || settings === undefined || text === undefined || checkpoint === undefined)
    return run(current(), number)
  return start({ ...settings, engine: name }, text, checkpoint.bytes, number)
}

const plain = referenceEngine()

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  switch (data.kind) {
    case 'engines':
      return inTurn('training', async () => answer({ kind: 'engines', offers: await offers() }))
    case 'start': {
      ended = latest
      const number = ++latest
      return inTurn('training', () => start(data.settings, data.text, data.checkpoint, number), true)
    }
    case 'stop':
      ended = latest
      return
    case 'resume': {
      const number = ++latest
      return inTurn('training', () => resume(data.engine, number), true)
    }
    case 'save':
      return soon('training', async () => {
        const own = current()
        const left = lost ? kept?.checkpoint : undefined
        const { bytes, step } = left ?? { bytes: await own.save(), step: own.step() }
        answer({ kind: 'saved', bytes, name: `${own.settings.model}-step-${step}.safetensors` })
      })
    case 'attend':
      return soon('training', async () => {
        answer({ kind: 'attention', ...(await current().attention(data.text)) })
      })
    case 'differentiate':
      return soon('function', async () => {
        await loadGpuJs()
        setDefaultEngine(plain)
        answer(await differentiate(data.source, data.shapes))
      })
  }
})
