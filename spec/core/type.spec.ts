/** Shapes in the types: what results are, what is refused and how it is told, and what stays writable. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../core/index.ts'
import type { PathOf, Shape, Tensor } from '../../core/index.ts'
import { compile } from '../support/compile.ts'
import { codeIn, readPage, rowsUnder } from '../support/table.ts'

/** Only equal types fit, in both directions. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <S extends Shape>() => ({
  of: <X extends Tensor>(x: X, _: Equal<X['shape'], Readonly<S>>): void => {
    assert.ok(x.shape.length >= 0)
  },
})

const test = suite('typed shapes')
const x = p.ones([2, 3])
const y = p.ones([3, 4])
const wide: Tensor = x
const some: Tensor<[number, 3]> = x

test('what is not known stays open, and what is known of the rest is kept', () => {
  is<Shape>().of(p.add(wide, x), true)
  is<Shape>().of(p.matmul(wide, y), true)
  is<Shape>().of(p.sum(wide, { axis: 0 }), true)
  is<[]>().of(p.sum(wide), true)
  is<[number, 4]>().of(p.matmul(some, y), true)
  is<[number, 3]>().of(p.add(some, p.ones([3])), true)
  is<[2, 3]>().of(p.add(some, x), true)
  is<[number]>().of(p.sum(some, { axis: -1 }), true)
  is<[number, 6]>().of(p.concatenate([some, some], 1), true)
  is<[number, 3]>().of(p.concatenate([some, x]), true)
  is<[number, 2]>().of(p.reshape(some, [-1, 2]), true)
  is<[number, 3]>().of(p.stack([1, 2, 3].map((n) => p.full([3], n))), true)
  is<[number, 3]>().of(p.where(p.less(some, 0), 0, some), true)
  is<[number, 5]>().of(p.einsum('ij,jk->ik', some, p.ones([3, 5])), true)
  const axis = 1 as number
  is<Shape>().of(p.sum(x, { axis }), true)
  is<Shape>().of(p.squeeze(some), true)
  is<[2, number]>().of(p.sliceAxis(x, 1, axis), true)
})
test('sizes of 0 are sizes', () => {
  const none = p.zeros([0, 3])
  is<[0, 2]>().of(p.reshape(p.zeros([0, 6]), [0, 2]), true)
  is<[0]>().of(p.reshape(none, [-1]), true)
  is<[0, 4]>().of(p.matmul(none, y), true)
  is<[2, 3]>().of(p.concatenate([none, x]), true)
  // @ts-expect-error there are six elements, and none
  assert.throws(() => p.reshape(x, [0, 3]), /reshape/)
})
test('a tensor may be written with a list or a read-only list of sizes', () => {
  const mutable: Tensor<[2, 3]> = x
  const readonly: Tensor<readonly [2, 3]> = mutable
  const product: Tensor<[2, 4]> = p.matmul(readonly, y)
  is<[2, 4]>().of(product, true)
  // @ts-expect-error shapes are not to be changed
  assert.ok(product.shape.push !== undefined)
})
test('what does not fit does not compile', () => {
  // @ts-expect-error the sum over axis 1 is [2], not [3]
  const wrong: Tensor<[3]> = p.sum(x, { axis: 1 })
  assert.equal(wrong.shape, [2])
})

/** Attention generic in batch and time, without a cast. */
const attend = <B extends number, T extends number>(
  h: Tensor<[B, T, 64]>,
  w: Tensor<[64, 64]>,
  bias: Tensor<[64]>,
  seen: Tensor<[1, 1, T, T], 'bool'>,
): Tensor<[B, T, 64]> => {
  const [batch, time] = h.shape
  const heads = (each: Tensor<[B, T, 64]>): Tensor<[B, 4, T, 16]> =>
    p.swapAxes(p.reshape(each, [batch, time, 4, 16]), 1, 2)
  const projected: Tensor<[B, T, 64]> = p.add(p.matmul(h, w), bias)
  const [q, k, v] = [heads(projected), heads(projected), heads(p.softmax(projected))]
  const scores: Tensor<[B, 4, T, T]> = p.mul(p.matmul(q, p.swapAxes(k, -1, -2)), 0.25)
  const weights = p.softmax(p.where(seen, scores, -1e9))
  const mixed: Tensor<[B, 4, T, 16]> = p.matmul(weights, v)
  const fused: Tensor<[B, 4, T, 16]> = p.attention(q, k, v, { mask: seen })
  const same: Tensor<[B, 4, T, T]> = p.einsum('bhqd,bhkd->bhqk', q, k)
  const halved: Tensor<[B, 4, T, 16]> = p.mul(p.add(mixed, p.add(fused, p.matmul(same, v))), 0.5)
  const merged: Tensor<[B, T, 64]> = p.reshape(p.swapAxes(halved, 1, 2), [batch, time, 64])
  const centred: Tensor<[B, T, 64]> = p.sub(h, p.mean(h, { axis: -1, keepDims: true }))
  return p.add(p.add(h, merged), p.mul(0.1, centred))
}
const pooled = <B extends number, T extends number>(h: Tensor<[B, T, 64]>) => {
  const first: Tensor<[B, 64]> = p.at(p.transpose(h, [1, 0, 2]), 0)
  const mean: Tensor<[B, 64]> = p.mean(h, { axis: 1 })
  const wide: Tensor<[B, 128]> = p.concatenate([first, mean], -1)
  const [left, right] = p.splitAxis(wide, 2, -1)
  const pair: Tensor<[2, B, 64]> = p.stack([left, right])
  const some: Tensor<[B, 3, 64]> = p.take(h, p.zeros([3], 'int32'), 1)
  const one: Tensor<[B, 1, 128]> = p.expandDims(wide, 1)
  const hot: Tensor<[B, 64, 10]> = p.oneHot(p.argMax(h, { axis: 1 }), 10)
  const found: Tensor<[B, T, 4, 16]> = p.reshape(h, [h.shape[0], h.shape[1], 4, -1])
  return [pair, some, one, hot, found] as const
}
const scaled = <S extends Shape>(h: Tensor<S>): Tensor<S> => p.mul(2, p.add(h, p.where(p.less(h, 0), h, 1)))
const ends = <S extends Shape>(h: Tensor<S>): Tensor => p.concatenate([h, p.sliceAxis(h, -1, 0, 1)], -1)
const doubled = <T extends Tensor>(h: T) => p.mul(h, p.mul(h, 2))
test('generic code', () => {
  const h = p.ones([2, 5, 64])
  const z = attend(h, p.ones([64, 64]), p.ones([64]), p.greater(p.ones([1, 1, 5, 5]), 0))
  is<[2, 5, 64]>().of(z, true)
  const parts = pooled(h)
  is<[2, 2, 64]>().of(parts[0], true)
  assert.equal(
    parts.map(({ shape }) => shape),
    [
      [2, 2, 64],
      [2, 3, 64],
      [2, 1, 128],
      [2, 64, 10],
      [2, 5, 4, 16],
    ],
  )
  is<[2, 3]>().of(scaled(x), true)
  is<[2, 3]>().of(doubled(x), true)
  assert.equal(
    [z.shape, ends(x).shape],
    [
      [2, 5, 64],
      [2, 4],
    ],
  )
})

test('what is differentiated returns a scalar, or is not known to have axes', () => {
  const known = p.valueAndGrad((h: Tensor<[2, 3]>) => p.sum(h))(x)
  is<[]>().of(known[0], true)
  const open = (h: Tensor<[2, 3]>): Tensor => p.sum(h)
  is<[2, 3]>().of(p.grad(open)(x), true)
  const generic = <P extends Tensor, L extends Tensor>(f: (params: P) => L) => p.grad(f)
  is<[2, 3]>().of(generic((h: Tensor<[2, 3]>) => p.sum(h))(x), true)
  const partly = (h: Tensor<[2, 3]>): Tensor<[number]> => p.sum(h, { axis: 1 })
  // @ts-expect-error there is an axis, whatever its size
  assert.throws(() => p.grad(partly)(x), /grad: the function must return a scalar/)
})

/** A tree in whose type are a record, a list that is known, and one of any length. */
const forest = {
  layer: [{ weight: x }, { weight: y, bias: p.ones([4]) }] as const,
  blocks: [1, 2].map((n) => ({ scale: p.full([7], n) })),
  rate: 0.5,
}
test('what stands at a path has its type', () => {
  is<[2, 3]>().of(p.tree.get(forest, 'layer/0/weight'), true)
  is<[4]>().of(p.tree.get(forest, 'layer/1/bias'), true)
  is<[3, 4]>().of(p.tree.get(forest, 'layer/1').weight, true)
  for (const i of [0, 1]) is<[7]>().of(p.tree.get(forest, `blocks/${i}/scale`), true)
  is<[7]>().of(p.tree.get(forest, 'blocks/1/scale'), true)
  const rate: number = p.tree.get(forest, 'rate')
  assert.is(rate, 0.5)
  const optional: { readonly bias?: Tensor<[4]> } = { bias: p.ones([4]) }
  is<[4]>().of(p.tree.get(optional, 'bias'), true)
})
test('paths that are not known are texts, and those that are wrong do not compile', () => {
  const path = 'layer/0/weight' as string
  const found: unknown = p.tree.get(forest, path)
  const tree: unknown = forest
  const same: unknown = p.tree.get(tree, 'layer/0/weight')
  assert.ok(found === x && same === x)
  const inside = <T extends { readonly weight: Tensor<[3]> }>(params: T) => p.tree.get(params, 'weight')
  is<[3]>().of(inside({ weight: p.ones([3]) }), true)
  // @ts-expect-error there are two layers
  assert.throws(() => p.tree.get(forest, 'layer/2'), /tree.get: no '2' at 'layer', there is 0, 1/)
  // @ts-expect-error the places of a list are numbers
  assert.throws(() => p.tree.get(forest, 'blocks/first'), /tree.get: no 'first' at 'blocks'/)
  // @ts-expect-error a tensor has no parts
  assert.throws(() => p.tree.get(forest, 'layer/0/weight/shape'), /there is nothing/)
})
test('predicates and maps get the paths of their tree', () => {
  const [biases] = p.tree.partition((path) => path === 'layer/1/bias', forest)
  assert.equal(p.tree.pathsOf(biases), ['layer/1/bias'])
  // @ts-expect-error there is no layer/2
  assert.is(p.tree.leaves(p.tree.partition((path) => path === 'layer/2/weight', forest)[0]).length, 0)
  const place: PathOf<typeof forest> = 'blocks/7/scale'
  const anywhere = <T>(params: T, chosen: (path: string) => boolean): T => p.tree.partition(chosen, params)[0]
  assert.equal(p.tree.leaves(anywhere(forest, (path) => path === place)).length, 0)
})

// The page's tables: what is known, and what is refused.
const page = readPage('types.md')

const known = rowsUnder(page, "What each operation's type knows").flatMap(
  ([names = '', example = '', shape = '']) =>
    codeIn(names).map((name) => ({
      name,
      code: (codeIn(example)[0] as string).replace(/\bf\(/, `${name}(`),
      shape: codeIn(shape)[0] ?? 'readonly number[]',
    })),
)
const refused = rowsUnder(page, 'What is refused').map(([program = '', message = '']) => ({
  program: codeIn(program)[0] as string,
  message: codeIn(message)[0] as string,
}))
const functions = Object.entries(p).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))
const preamble = `import { ${functions.join(', ')}, random, tree } from 'pullback'
import type { Shape } from 'pullback'
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const exactly = <S extends Shape>() => <X extends Tensor>(_: X, __: Equal<X['shape'], Readonly<S>>): void => {}
const [x, w, image, heads] = [ones([2, 3]), ones([3, 4]), ones([1, 32, 32, 3]), ones([2, 8, 5, 16])]
const [matrices, ids, yes] = [ones([6, 3, 3]), zeros([5], 'int32'), greater(x, 0)]
`

test('the page says of every operation what its type knows, and it is so', async () => {
  const lines = known.map(({ code, shape }, i) => `const r${i} = ${code}; exactly<${shape}>()(r${i}, true)`)
  const all = `export const results = [${known.map((_, i) => `r${i}`).join(', ')}]`
  const head = preamble.split('\n').length
  let shapes: readonly Shape[] = []
  const { output } = await compile({ table: `${preamble}${lines.join('\n')}\n${all}\n` }, async (folder) => {
    const { results } = (await import(`${folder}/table.ts`)) as { readonly results: readonly Tensor[] }
    shapes = results.map(({ shape }) => shape)
  })
  const wrong = output.replace(
    /table\.ts\((\d+),/g,
    (text, line) => `${known[Number(line) - head]?.code} (${text}`,
  )
  assert.is(wrong, '')
  known.forEach(({ code, shape }, i) => {
    if (!shape.startsWith('[')) return
    const sizes = shape === '[]' ? [] : shape.slice(1, -1).split(', ')
    const own = shapes[i] as Shape
    assert.is(own.length, sizes.length, code)
    assert.equal(
      own.map((n, axis) => (sizes[axis] === 'number' ? 'number' : String(n))),
      sizes,
      code,
    )
  })
})
test('no operation is missing from the page', () => {
  const others = new Set([
    ...codeIn(page.split('the rest of the public list')[1] ?? ''),
    ...[
      'PullbackError',
      'Tensor',
      'defaultEngine',
      'setDefaultEngine',
      'withEngine',
      'within',
      'inspect',
      'setReporter',
    ],
    ...['isTensor', 'item', 'itemSync', 'toArray', 'toArraySync', 'toNested'],
  ])
  const shown = new Set(known.map(({ name }) => name))
  assert.equal(
    functions.filter((name) => !shown.has(name) && !others.has(name)),
    [],
  )
})
test('a mismatch is told with the operation and both shapes', async () => {
  const programs = Object.fromEntries(
    refused.map(({ program }, i) => [`p${i}`, `${preamble}export const refused = () => ${program}\n`]),
  )
  const { output } = await compile(programs)
  assert.ok(refused.length > 20)
  for (const [i, { program, message }] of refused.entries()) {
    const own = output.split(/^(?=\S+\.ts\()/m).filter((text) => text.startsWith(`p${i}.ts(`))
    assert.is(own.length, 1, `${program}: ${own.join('\n') || 'it compiles'}`)
    assert.ok(own[0]?.includes(message), `${program}: ${own[0]}`)
  }
})
/** A program of 200 operations of every kind, and the same on operations that know nothing of shapes. */
const operations = (typed: boolean): string => {
  const names =
    'add concatenate einsum expandDims matmul mul ones reshape sliceAxis softmax sum swapAxes tanh where less'
  const imported = names.split(' ')
  const head = typed
    ? `import { ${imported.join(', ')} } from 'pullback'`
    : `import type { Tensor } from 'pullback'
${imported.map((name) => `declare const ${name}: (...all: readonly unknown[]) => Tensor`).join('\n')}`
  const lines = Array.from({ length: 10 }, (_, i) => {
    const [n, before] = [16 + i, i === 0 ? `ones([4, 8, 32])` : `u${i - 1}`]
    return `const a${i} = matmul(${before}, ones([32, ${n * 4}]))
const b${i} = add(a${i}, ones([${n * 4}]))
const c${i} = tanh(b${i})
const d${i} = reshape(c${i}, [4, 8, 4, ${n}])
const e${i} = swapAxes(d${i}, 1, 2)
const f${i} = swapAxes(e${i}, -1, -2)
const g${i} = matmul(e${i}, f${i})
const h${i} = mul(g${i}, 0.25)
const j${i} = where(less(h${i}, 0), -1, h${i})
const k${i} = softmax(j${i})
const l${i} = matmul(k${i}, e${i})
const m${i} = reshape(swapAxes(l${i}, 1, 2), [4, 8, -1])
const o${i} = sum(m${i}, { axis: -1, keepDims: true })
const p${i} = mul(m${i}, o${i})
const q${i} = concatenate([p${i}, m${i}], -1)
const r${i} = sliceAxis(q${i}, -1, 0, 32)
const s${i} = expandDims(r${i}, 1)
const t${i} = einsum('bltd,blsd->blts', s${i}, s${i})
const u${i} = add(r${i}, sum(t${i}, { axis: [1, 3] , keepDims: false }).shape.length)`
  })
  return `${head}\n${lines.join('\n')}\nexport const last = u9\n${typed ? 'export const shape: readonly [4, 8, 32] = last.shape' : ''}\n`
}
test('a program of 200 typed operations asks little of the compiler', async () => {
  const [typed, plain] = [
    await compile({ typed: operations(true) }),
    await compile({ plain: operations(false) }),
  ]
  assert.is(typed.output, '')
  assert.is(plain.output, '')
  const [more, less] = [typed, plain].map(({ facts }) => facts.get('Instantiations') ?? Number.NaN)
  // 70,000 when this was written.
  assert.ok((more as number) - (less as number) < 150_000, `${more} instantiations, ${less} without shapes`)
})
test.run()
