import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Engine, EngineChoice, EngineRow } from '../../kernels/index.ts'
import { chooseEngine, chooseEngineAsync, engines, referenceEngine } from '../../kernels/index.ts'

const test = suite('choose')

const withVariable = <A>(value: string | undefined, f: () => A): A => {
  const before = process.env['PULLBACK_ENGINE']
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env['PULLBACK_ENGINE']
    else process.env['PULLBACK_ENGINE'] = to
  }
  set(value)
  try {
    return f()
  } finally {
    set(before)
  }
}

const working = (name: string, automatic = true): EngineRow => ({
  name,
  purpose: 'a test',
  variants: ['slow'],
  automatic,
  open: (variant) => E.right({ ...referenceEngine(), name, detail: `${name} ${variant ?? 'fast'}` }),
})

const broken = (name: string): EngineRow => ({
  ...working(name),
  open: () => E.left(`${name}: there is no such device here`),
})

const right = (choice: E.Either<string, EngineChoice>): EngineChoice =>
  E.getOrElse((problem: string): EngineChoice => assert.unreachable(problem) as never)(choice)

const left = (choice: E.Either<string, EngineChoice>): string =>
  E.isLeft(choice) ? choice.left : (assert.unreachable('was chosen') as never)

const choose = (named: string | undefined, rows: readonly EngineRow[]): E.Either<string, EngineChoice> =>
  withVariable(undefined, () => chooseEngine(named, rows))

test('takes the first that works, and tells about all', () => {
  const rows = [broken('warp'), working('oracle', false), working('swift'), working('steady')]
  const { engine, name, why, candidates } = right(choose(undefined, rows))
  assert.is(engine.detail, 'swift fast')
  assert.is(name, 'swift')
  assert.is(why, 'the best that works here')
  assert.equal(candidates, [
    { name: 'warp', outcome: 'unavailable', reason: 'warp: there is no such device here' },
    { name: 'oracle', outcome: 'not tried', reason: 'taken only by name' },
    { name: 'swift', outcome: 'chosen', reason: 'swift fast' },
    { name: 'steady', outcome: 'not tried', reason: 'one before it works' },
  ])
})

test('takes the one that the caller names, before the one that PULLBACK_ENGINE names', () => {
  const rows = [working('swift'), working('oracle', false)]
  const { name, why, engine } = right(withVariable('swift', () => chooseEngine('oracle:slow', rows)))
  assert.equal([name, why, engine.detail], ['oracle:slow', 'named by the caller', 'oracle slow'])
})

test('takes the one that PULLBACK_ENGINE names, before the best', () => {
  const rows = [working('swift'), working('oracle', false)]
  const { name, why, candidates } = right(withVariable('oracle', () => chooseEngine(undefined, rows)))
  assert.equal([name, why], ['oracle', 'named by PULLBACK_ENGINE'])
  assert.equal(candidates[0], {
    name: 'swift',
    outcome: 'not tried',
    reason: 'oracle was named by PULLBACK_ENGINE',
  })
})

test('never falls back from a named engine', () => {
  assert.is(
    left(choose('warp', [broken('warp'), working('swift')])),
    'warp: there is no such device here (named by the caller)',
  )
})

test('refuses names that it does not know, and says which there are', () => {
  const rows = [working('swift'), { ...working('oracle', false), variants: [] }]
  assert.is(
    left(choose('swfit', rows)),
    'engine: there is no engine swfit (named by the caller), there are swift, oracle',
  )
  assert.is(
    left(choose('swift:quick', rows)),
    'engine: swift has no variant quick (named by the caller), it has slow',
  )
  assert.is(
    left(choose('oracle:slow', rows)),
    'engine: oracle has no variant slow (named by the caller), it has none',
  )
})

test('refuses when none works, with every reason', () => {
  assert.is(
    left(choose(undefined, [broken('warp'), broken('woof')])),
    'engine: none works here: warp: there is no such device here; woof: there is no such device here',
  )
})

test('awaits what an engine has to load', async () => {
  let loaded = false
  const late: EngineRow = {
    ...working('late'),
    prepare: () => Promise.resolve().then(() => void (loaded = true)),
    open: () => (loaded ? working('late').open() : E.left('late: not loaded')),
  }
  assert.is(left(choose('late', [late])), 'late: not loaded (named by the caller)')
  assert.is(right(await chooseEngineAsync('late', [late])).engine.name, 'late')
  const failing: EngineRow = { ...late, prepare: () => Promise.reject(new Error('no network')) }
  assert.is(
    left(await chooseEngineAsync('late', [failing])),
    'late cannot be loaded: no network (named by the caller)',
  )
})

test('of the engines that there are, each opens under its name', () => {
  const named = (name: string): Engine => right(choose(name, engines)).engine
  assert.is(named('reference').name, 'reference')
  assert.match(named('gpujs:cpu').detail, 'gpu.js in mode cpu:')
  assert.is(right(choose(undefined, engines)).why, 'the best that works here')
  assert.match(left(choose('gpujs:webgl2', engines)), 'gpujs: mode webgl2 is not available here: ')
})

test.run()
