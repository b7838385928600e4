/** Shapes in the types: what results are, what is refused and how it is told, and what stays writable. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'

/** Only equal types fit, in both directions. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <S extends Shape>() => ({
  of: <X extends Tensor>(x: X, _: Equal<X['shape'], S>): void => {
    assert.ok(x.shape.length >= 0)
  },
})

const test = suite('typed shapes')
const x = p.ones([2, 3])
const y = p.ones([3, 4])
const wide: Tensor = x

test('results', () => {
  is<readonly [2, 3]>().of(p.add(x, 1), true)
  is<readonly [2, 3]>().of(p.add(x, p.ones([3])), true)
  is<readonly [5, 2, 3]>().of(p.mul(p.ones([5, 1, 1]), x), true)
  is<readonly [2, 4]>().of(p.matmul(x, y), true)
  is<readonly [7, 2, 4]>().of(p.matmul(p.ones([7, 2, 3]), y), true)
  is<readonly [2]>().of(p.matmul(x, p.ones([3])), true)
  is<readonly [4]>().of(p.matmul(p.ones([3]), y), true)
  is<readonly []>().of(p.sum(x), true)
  is<readonly [2]>().of(p.sum(x, { axis: 1 }), true)
  is<readonly [2]>().of(p.mean(x, { axis: -1 }), true)
  is<readonly [2, 1]>().of(p.max(x, { axis: -1, keepDims: true }), true)
  is<readonly [3]>().of(p.sum(p.ones([2, 3, 4]), { axis: [0, -1] }), true)
  is<readonly [1, 1]>().of(p.sum(x, { keepDims: true }), true)
  is<readonly [6, 1]>().of(p.reshape(x, [6, 1]), true)
  is<readonly [number, 2]>().of(p.reshape(x, [-1, 2]), true)
  is<readonly [3, 2]>().of(p.transpose(x), true)
  is<readonly [4, 2, 3]>().of(p.transpose(p.ones([2, 3, 4]), [2, 0, 1]), true)
  is<readonly [2, 4, 3]>().of(p.swapAxes(p.ones([2, 3, 4]), -1, -2), true)
  is<readonly [2, 1, 3]>().of(p.expandDims(x, 1), true)
  is<readonly [2, 3, 1]>().of(p.expandDims(x, -1), true)
  is<readonly [3]>().of(p.at(x, 0), true)
  is<readonly []>().of(p.at(x, 0, 1), true)
  is<readonly [number, 3]>().of(p.concatenate([x, p.ones([5, 3])]), true)
  is<readonly [2, 2, 3]>().of(p.stack([x, x]), true)
  is<readonly [2, 3]>().of(p.softmax(p.tanh(x)), true)
  is<Shape>().of(p.add(wide, x), true)
  is<Shape>().of(p.matmul(wide, y), true)
  is<Shape>().of(p.sum(wide, { axis: 0 }), true)
})
test('what does not fit does not compile', () => {
  // @ts-expect-error add: shapes [2, 3] and [4] do not broadcast
  assert.throws(() => p.add(x, p.ones([4])), /do not broadcast/)
  // @ts-expect-error less: shapes [2, 3] and [3, 4] do not broadcast
  assert.throws(() => p.less(x, y), /do not broadcast/)
  // @ts-expect-error matmul: inner sizes must agree, got [2, 3] and [2, 3]
  assert.throws(() => p.matmul(x, x), /inner sizes must agree/)
  // @ts-expect-error matmul: batch axes do not broadcast
  assert.throws(() => p.matmul(p.ones([2, 1, 3]), p.ones([5, 3, 1])), /do not broadcast/)
  // @ts-expect-error concatenate: sizes apart from the axis must agree
  assert.throws(() => p.concatenate([x, y], 1), /sizes apart from axis 1/)
  // @ts-expect-error the sum over axis 1 is [2], not [3]
  const wrong: Tensor<readonly [3]> = p.sum(x, { axis: 1 })
  assert.equal(wrong.shape, [2])
})

/** Generic in batch and time, without casts. */
const project = <B extends number, T extends number>(
  h: Tensor<readonly [B, T, 64]>,
  w: Tensor<readonly [64, 32]>,
  b: Tensor<readonly [32]>,
) => p.add(p.matmul(h, w), b)
const normed = <S extends Shape>(h: Tensor<S, 'float32'>) => p.div(h, p.add(p.norm(h), 1))
const scaled = <T extends Tensor>(h: T) => p.mul(h, p.mul(h, 2))
test('generic code', () => {
  const z = project(p.ones([2, 5, 64]), p.ones([64, 32]), p.ones([32]))
  is<readonly [2, 5, 32]>().of(z, true)
  assert.equal(
    [z.shape, normed(x).shape, scaled(x).shape],
    [
      [2, 5, 32],
      [2, 3],
      [2, 3],
    ],
  )
})

const root = new URL('../..', import.meta.url).pathname
const tsc = `${root}node_modules/@typescript/compiler/bin/tsc`

/** What the compiler says of a program that uses pullback, and in how many seconds. */
const compile = (code: string): Promise<{ readonly output: string; readonly seconds: number }> => {
  mkdirSync(`${root}.cache`, { recursive: true })
  const folder = mkdtempSync(`${root}.cache/type-`)
  const compilerOptions = {
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    moduleDetection: 'force',
  }
  writeFileSync(`${folder}/program.ts`, code)
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
  )
  const start = performance.now()
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (_, stdout) => {
      rmSync(folder, { recursive: true, force: true })
      resolve({ output: stdout, seconds: (performance.now() - start) / 1000 })
    })
  })
}

test('a mismatch is told with the operation and both shapes', async () => {
  const { output } = await compile(`import { add, concatenate, einsum, matmul, ones } from 'pullback'
export const a = add(ones([2, 3]), ones([4]))
export const b = matmul(ones([2, 3]), ones([4, 5]))
export const c = concatenate([ones([2, 3]), ones([3, 4])])
export const d = einsum('ij,jk->ik', ones([2, 3]), ones([4, 5]))
`)
  assert.match(output, 'add: shapes [2, 3] and [4] do not broadcast')
  assert.match(output, 'matmul: inner sizes must agree and batch axes broadcast, got [2, 3] and [4, 5]')
  assert.match(output, 'concatenate: sizes apart from the axis must agree, got [2, 3] and [3, 4]')
  assert.match(output, 'einsum: the letter j stands for 3 and 4')
})
test('a program of 200 typed operations is checked', async () => {
  const lines = Array.from({ length: 50 }, (_, i) => {
    const before = i === 0 ? 'ones([8, 16])' : `d${i - 1}`
    return `const a${i} = add(${before}, ones([16]))
const b${i} = matmul(a${i}, ones([16, 32]))
const c${i} = tanh(mul(b${i}, sum(b${i}, { axis: -1, keepDims: true })))
const d${i} = matmul(c${i}, ones([32, 16]))`
  })
  const { output } = await compile(`import { add, matmul, mul, ones, sum, tanh } from 'pullback'
${lines.join('\n')}
export const last: readonly [8, 16] = d49.shape
`)
  assert.is(output, '')
})
test.run()
