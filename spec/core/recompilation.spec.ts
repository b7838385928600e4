/** Compiling more often than one means to is told once, with what changed, to whom one says. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jit, mul, ones, setReporter, sum, toArraySync, withEngine } from '../../core/index.ts'
import type { Notice, Tensor } from '../../core/index.ts'
import { referenceEngine } from '../../kernels/index.ts'

const test = suite('recompilation')

/** What is told while `f` runs. */
const told = (f: () => void): readonly Notice[] => {
  const notices: Notice[] = []
  const before = setReporter((notice) => notices.push(notice))
  try {
    f()
  } finally {
    setReporter(before)
  }
  return notices
}

type Batch = { readonly ids: Tensor; readonly mode?: string }
const total = ({ ids }: Batch, by: Tensor | number): Tensor => sum(mul(ids, by as Tensor))

test('is told once, with the argument whose shape changed and the shapes before', () => {
  const f = jit(total, { limit: 3 })
  const notices = told(() => {
    for (const length of [2, 3, 4, 5, 6]) f({ ids: ones([length]) }, length)
  })
  assert.is(notices.length, 1)
  assert.equal(
    { ...notices[0] },
    {
      tag: 'recompilation',
      operation: 'jit of total',
      text: [
        'jit of total was compiled 4 times, the last time because',
        '  argument 0/ids is float32[5], before float32[4], float32[3], float32[2]',
        "pad what varies to a few sizes, pass as tensors what is no shape, or raise 'limit' in the options of jit",
      ].join('\n'),
    },
  )
})
test('names dtypes, static values, structure, functions and the engine', () => {
  const line = (...calls: readonly (readonly [Batch, Tensor | number])[]): string => {
    const f = jit(total, { limit: calls.length - 1 })
    const [notice] = told(() => calls.forEach((args) => f(...args)))
    return (notice as Notice).text.split('\n').slice(1, -1).join(';').trim()
  }
  const ids = ones([2])
  assert.is(
    line([{ ids }, 1], [{ ids: ones([2], 'float64') }, 1]),
    'argument 0/ids is float64[2], before float32[2]',
  )
  assert.is(line([{ ids, mode: 'a' }, 1], [{ ids, mode: 'b' }, 1]), 'argument 0/mode is "b", before "a"')
  assert.is(line([{ ids }, 1], [{ ids, mode: 'b' }, 1]), 'argument 0/mode is "b", before there was none')
  assert.is(line([{ ids, mode: 'b' }, 1], [{ ids }, 1]), 'argument 0/mode is gone, before "b"')
  const inline = (): unknown => () => 1
  const [first, second] = [inline(), inline()]
  assert.is(
    line([{ ids, mode: first as string }, 1], [{ ids, mode: second as string }, 1]),
    'an argument is another function or object of the same name',
  )
  const f = jit(total, { limit: 1 })
  const [notice] = told(() => {
    f({ ids }, 1)
    withEngine(referenceEngine(), () => f({ ids: ones([2]) }, 1))
  })
  assert.match((notice as Notice).text, /the engine is reference, before /)
})
test('is not told below the limit, for numbers that change, nor inside other transformations', () => {
  const f = jit(total, { limit: 1 })
  assert.equal(
    told(() => {
      for (const by of [1, 2, 3]) assert.equal([...toArraySync(f({ ids: ones([2]) }, by))], [2 * by])
      jit((x: Tensor) => f({ ids: x }, 1), { limit: 9 })(ones([7]))
      jit((x: Tensor) => f({ ids: x }, 1), { limit: Infinity })(ones([8]))
    }),
    [],
  )
})
test('a limit below one is refused', () =>
  assert.throws(() => jit(total, { limit: 0 }), /jit: limit must be a number from 1 on, got 0/))
test('by default goes to console.warn', () => {
  const warn = console.warn
  const lines: unknown[] = []
  console.warn = (line: unknown) => lines.push(line)
  try {
    const f = jit((x: Tensor) => mul(x, 2))
    for (let length = 1; length <= 20; length++) f(ones([length]))
  } finally {
    console.warn = warn
  }
  assert.is(lines.length, 1)
  assert.match(
    String(lines[0]),
    /^pullback: jit was compiled 17 times, the last time because\n {2}argument 0 is float32\[17\], before float32\[16\], float32\[15\], float32\[14\], float32\[13\], …\n/,
  )
})

test.run()
