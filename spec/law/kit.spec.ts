/** The law kit on itself: what is right passes, what is wrong is found, shrunk and told. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  customOperation,
  customVjp,
  div,
  greater,
  mean,
  mul,
  random,
  relu,
  sub,
  tanh,
  tensor,
  where,
} from '../../core/index.ts'
import type { Engine, Tensor } from '../../core/index.ts'
import { referenceEngine } from '../../kernels/index.ts'
import { encoderLayer, evaluation, linear as linearLayer } from '../../nn/index.ts'
import type { Mask } from '../../nn/index.ts'
import {
  Violation,
  batchInvariant,
  check,
  checkpointEqualsPlain,
  differentiable,
  firstDivergence,
  firstNonFinite,
  gradientFlow,
  law,
  linear,
  maskInvariant,
  masks,
  paddingInvariant,
  scanEqualsUnrolled,
  shapes,
  tensors,
  ulpsBetween,
} from '../index.ts'
import type { Law } from '../index.ts'

const messageOf = async (broken: Law<never> | Law): Promise<string> => {
  try {
    await check(broken as Law, { seed: 7 })
  } catch (error) {
    assert.instance(error, Violation)
    return (error as Error).message
  }
  return assert.unreachable('the law holds') as never
}

const wrongSquare = customVjp((x: Tensor) => mul(x, x), {
  forward: (x) => [mul(x, x), x],
  backward: (x, g) => [mul(g, x)], // the factor 2 is missing
})

const told = suite('a broken law')
told(
  'is told with its name, the numbers, the equation at fault, the smallest case and how to replay it',
  async () => {
    const f = (x: Tensor): Tensor => tanh(add(wrongSquare(mul(x, 2)), 1))
    const message = await messageOf(differentiable(f, fc.tuple(tensors())) as never)
    assert.match(message, /^law broken: reverse mode of f = finite differences\n/)
    assert.match(
      message,
      /first derivative in argument 0, along a random direction: \S+ by the pullback, \S+ ± \S+ by finite differences/,
    )
    assert.match(message, /at the equation c: float64\[\] = customVjp/)
    assert.match(message, /for \{"args":\[float32\[\] /)
    assert.match(message, /replay with check\(law, \{ seed: 7, path: '[\d:]+' \}\)/)
  },
)
told('replays', async () => {
  const f = (x: Tensor): Tensor => wrongSquare(x)
  const once = await messageOf(differentiable(f, fc.tuple(tensors())) as never)
  const path = /path: '([\d:]+)'/.exec(once)?.[1] as string
  await check(differentiable(f, fc.tuple(tensors())), { seed: 7, path }).then(
    () => assert.unreachable('it holds'),
    (error: Error) => assert.match(error.message, /found in case 1,/),
  )
})
told('a second derivative that is wrong where the first is right', async () => {
  const cube = customVjp((x: Tensor) => mul(x, mul(x, x)), {
    forward: (x) => [mul(x, mul(x, x)), x],
    backward: (x, g) => [mul(g, flat(x))],
  })
  const flat = customVjp((x: Tensor) => mul(3, mul(x, x)), {
    forward: (x) => [mul(3, mul(x, x)), x],
    backward: (x, g) => [mul(g, x)],
  })
  assert.match(
    await messageOf(differentiable((x: Tensor) => cube(x), fc.tuple(tensors())) as never),
    /second derivative/,
  )
})
told('a derivative that is not linear', async () => {
  const f = customVjp((x: Tensor) => x, { forward: (x) => [x, null], backward: (_, g) => [mul(g, g)] })
  assert.match(
    await messageOf(linear((x: Tensor) => f(x), fc.tuple(tensors())) as never),
    /the pullback of 2w \+ 3v/,
  )
})
told('a kernel with an index that is off by one', async () => {
  const shifted = customOperation({
    name: 'shifted',
    kernel: function (x) {
      return this.thread.x > 0 ? x[this.thread.x - 1]! : 0
    },
    vjp: ({ cotangent }) => [cotangent],
    batch: 'leading',
  })
  const cases = fc.tuple(tensors({ shape: shapes({ minRank: 1, minSize: 2 }) }))
  assert.match(
    await messageOf(differentiable((x: Tensor) => shifted(x), cases) as never),
    /at the equation b: float64\[2\] = shifted a/,
  )
})
told('a loop that is not the loop written out', async () => {
  const cell = (h: Tensor, x: Tensor): readonly [Tensor, Tensor] => [tanh(add(h, x)), mul(h, x)]
  const cases = fc.tuple(tensors({ shape: [2] }), tensors({ shape: [3, 2] }))
  await check(scanEqualsUnrolled(cell, cases), { numRuns: 20 })
  let calls = 0
  const drifting = (h: Tensor, x: Tensor): readonly [Tensor, Tensor] => [add(h, ++calls), x]
  assert.match(
    await messageOf(scanEqualsUnrolled(drifting, cases) as never),
    /law broken: scan of drifting = unrolled\n {2}the result\/0\/0\[0\] is \S+ by scan, \S+ by the steps written out/,
  )
})
told('a law that no case decides', async () => {
  assert.match(
    await messageOf(law('nothing', fc.integer(), () => false) as never),
    /law not shown: nothing\n {2}of the cases tried, \d+ decided nothing/,
  )
})

const layers = suite('laws of layers')
const params = linearLayer(4, 3).init(random.key(1))
const dense = (p: typeof params, x: Tensor): Tensor => linearLayer(4, 3).apply(p, evaluation)(x)
const inputs = fc.tuple(fc.constant(params), tensors({ shape: [2, 4] }))

layers('gradients flow, or the dead parameter is named', async () => {
  await check(gradientFlow(dense, inputs), { numRuns: 20 })
  const dead = (p: typeof params, x: Tensor): Tensor => relu(sub(dense(p, x), 100))
  assert.match(
    await messageOf(gradientFlow(dead, inputs) as never),
    /no gradient flows to the parameters\/bias, the parameters\/weight/,
  )
})
layers('examples of a batch are alone, or the one that is not is told', async () => {
  const f = (x: Tensor): Tensor => dense(params, x)
  const cases = fc.tuple(tensors({ shape: [3, 4] }))
  await check(batchInvariant(f, cases), { numRuns: 20 })
  const mixed = (x: Tensor): Tensor => sub(f(x), mean(f(x), { axis: 0 }))
  assert.match(
    await messageOf(batchInvariant(mixed, cases) as never),
    /by example \d alone, \S+ by the whole batch/,
  )
})

const config = { width: 4, heads: 2, hidden: 8 }
const block = encoderLayer(config)
const blockParams = block.init(random.key(2))
const sequences = fc.tuple(tensors({ shape: [2, 3, 4] }), masks({ shape: [2, 3], someInEachRow: true }))
const encode = (x: Tensor, keyMask: Mask): Tensor => block.apply(blockParams, evaluation)({ x, keyMask })

layers('what is masked out has no influence, or its influence is told', async () => {
  await check(maskInvariant(encode, sequences), { numRuns: 20 })
  await check(paddingInvariant(encode, sequences), { numRuns: 20 })
  const blind = (x: Tensor, _: Mask): Tensor => block.apply(blockParams, evaluation)({ x })
  assert.match(
    await messageOf(maskInvariant(blind, sequences) as never),
    /by the function with other numbers where the mask is false, \S+ by the function/,
  )
  assert.match(
    await messageOf(paddingInvariant(blind, sequences) as never),
    /by the function of 3 more positions of padding/,
  )
})
layers('checkpoint of a layer = plain', () =>
  check(
    checkpointEqualsPlain(
      (p: typeof blockParams, x: Tensor) => block.apply(p, evaluation)({ x }),
      fc.tuple(fc.constant(blockParams), tensors({ shape: [2, 3, 4] })),
    ),
    { numRuns: 10 },
  ),
)

const finding = suite('the first equation that …')
finding('differs between two engines', async () => {
  const plain = referenceEngine()
  // An engine that gets one operation wrong: it takes away where it should add.
  const broken: Engine = {
    ...plain,
    name: 'broken',
    compile: (program) =>
      plain.compile({
        ...program,
        launches: program.launches.map((launch) =>
          launch.kind === 'map'
            ? {
                ...launch,
                body: launch.body.map((op) => (op.op === 'add' ? { ...op, op: 'sub' as const } : op)),
              }
            : launch,
        ),
      }),
  }
  const f = (x: Tensor): Tensor => mul(add(mul(x, 2), x), 3)
  const found = await firstDivergence(f, [tensor([1, 2])], broken, plain)
  assert.is(found?.equation, 'c: float32[2] = add b a')
  assert.equal(found?.values, [1, 3])
  assert.equal(found?.inputs, ['float32[2] [2, 4]', 'float32[2] [1, 2]'])
  assert.match(found?.text ?? '', /element 0: 1 on broken \(.*\n.* and 3 on reference/)
  assert.is(await firstDivergence(f, [tensor([1, 2])], plain, plain), undefined)
})
finding('makes a NaN or an infinity', async () => {
  const shifted = (x: Tensor): Tensor => mul(div(sub(x, x), sub(x, 1)), 2)
  const found = await firstNonFinite(shifted, [tensor([2, 1])])
  assert.is(found?.equation, 'd: float32[2] = div b c')
  assert.equal([found?.output, found?.element], [0, 1])
  assert.is(await firstNonFinite(shifted, [tensor([2, 3])]), undefined)
  // An infinity on purpose is not blamed, what makes a NaN of it is.
  const masked = (x: Tensor): Tensor => sub(where(greater(x, 0), x, -Infinity), -Infinity)
  assert.match((await firstNonFinite(masked, [tensor([-1])]))?.equation ?? '', /= sub/)
})
finding('counts units in the last place', () => {
  const next = Math.fround(1 + 2 ** -23)
  assert.is(ulpsBetween(1, next, 'float32'), 1)
  assert.is(ulpsBetween(1, 1 + 2 ** -52, 'float64'), 1)
  assert.is(ulpsBetween(-(2 ** -149), 2 ** -149, 'float32'), 2)
  assert.is(ulpsBetween(0, -0, 'float32'), 0)
  assert.is(ulpsBetween(NaN, 1, 'float32'), Infinity)
  assert.is(ulpsBetween(NaN, NaN, 'float32'), 0)
  assert.is(ulpsBetween(1, 2, 'int32'), Infinity)
})

for (const each of [told, layers, finding]) each.run()
