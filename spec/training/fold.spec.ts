import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { add, item, mul, random, sub, sum, square, tensor, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evaluate, fold, initState, makeStep, readMetrics, sgd } from '../../training/index.ts'
import type { Batches, FoldConfig, Metrics, TrainState } from '../../training/index.ts'

const folding = suite('fold')

const optimizer = sgd({ learningRate: 0.25 })
const step = makeStep({ objective: (w: Tensor, x: Tensor) => sum(square(sub(w, x))), optimizer })
const fresh = (): TrainState<Tensor> => initState<Tensor>(zeros([1]), optimizer, random.key(0))

const consume = async <P, B, M extends Metrics>(
  config: FoldConfig<P, B, M>,
  seen: (step: number) => void = () => {},
): Promise<TrainState<P>> => {
  const run = fold(config)
  for (;;) {
    const { done, value } = await run.next()
    if (done === true) return value
    seen(value.step)
  }
}

folding('asks for the batch of each step once, in order, and tells of each', async () => {
  const asked: number[] = []
  const seen: number[] = []
  const batches: Batches<Tensor> = (i) => {
    asked.push(i)
    return Promise.resolve(tensor([i]))
  }
  const last = await consume({ step, state: fresh(), batches, steps: 4 }, (i) => seen.push(i))
  assert.equal(asked, [0, 1, 2, 3])
  assert.equal(seen, [1, 2, 3, 4])
  // w ← (w + x) / 2 for x = 0, 1, 2, 3
  assert.is(await item(last.params), ((1 / 2 + 2) / 2 + 3) / 2)
})

folding('goes on where the state stands, and ends at once when the steps are done', async () => {
  const batches: Batches<Tensor> = (i) => tensor([i])
  const whole = await item((await consume({ step, state: fresh(), batches, steps: 5 })).params)
  const first = await consume({ step, state: fresh(), batches, steps: 2 })
  const seen: number[] = []
  const second = await consume({ step, state: first, batches, steps: 5 }, (i) => seen.push(i))
  assert.equal(seen, [3, 4, 5])
  assert.is(await item(second.params), whole)
  const third = await consume({ step, state: second, batches, steps: 5 })
  assert.is(third, second)
})

folding('does no more than is asked for', async () => {
  const asked: number[] = []
  const run = fold({
    step,
    state: fresh(),
    batches: (i) => {
      asked.push(i)
      return tensor([i])
    },
    steps: 100,
  })
  await run.next()
  await run.next()
  assert.equal(asked, [0, 1])
  await run.return(undefined as never)
  assert.equal(asked, [0, 1])
})

folding('ends after the running step when it is aborted, with a state to go on from', async () => {
  const abort = new AbortController()
  const seen: number[] = []
  const last = await consume(
    { step, state: fresh(), batches: (i) => tensor([i]), steps: 1e9, signal: abort.signal },
    (i) => {
      seen.push(i)
      if (i === 3) abort.abort()
    },
  )
  assert.equal(seen, [1, 2, 3])
  assert.is(await item(last.step), 3)
  const timer = new AbortController()
  setTimeout(() => timer.abort(), 20)
  // a fold never keeps timers and signals waiting
  await consume({ step, state: fresh(), batches: (i) => tensor([i]), steps: 1e9, signal: timer.signal })
})

folding('a batch that cannot be made ends the run with its reason', async () => {
  const batches: Batches<Tensor> = () => Promise.reject(new Error('no more text'))
  let reason: unknown
  await consume({ step, state: fresh(), batches, steps: 1 }).catch((error: unknown) => (reason = error))
  assert.match(String(reason), /no more text/)
})

folding('evaluation divides the sums of all batches', async () => {
  const measure = (
    w: Tensor,
    { x, n }: { readonly x: Tensor; readonly n: Tensor },
  ): Readonly<Record<'mean' | 'twice', readonly [Tensor, Tensor]>> => ({
    mean: [add(sum(x), sum(w)), n],
    twice: [mul(sum(x), 2), n],
  })
  const batches = [
    { x: tensor([1, 2, 3]), n: tensor(3) },
    { x: tensor([6]), n: tensor(1) },
  ]
  const expected = { mean: (6 + 6 + 2 * 4) / 4, twice: 6 }
  assert.equal(await evaluate(measure, tensor([4]), batches), expected)
  const late = async function* (): AsyncGenerator<(typeof batches)[number]> {
    for (const batch of batches) yield await Promise.resolve(batch)
  }
  assert.equal(await evaluate(measure, tensor([4]), late()), expected)
  assert.equal(await evaluate(measure, tensor([4]), []), {})
})

folding('metrics become numbers', async () => {
  const { loss, epoch } = await readMetrics({ loss: tensor(1.5), epoch: tensor([2], { dtype: 'int32' }) })
  assert.equal([loss, epoch], [1.5, 2])
})

folding.run()
