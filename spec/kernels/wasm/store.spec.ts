import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import type { MapLaunch, Memory, Program } from '../../../kernels/index.ts'
import { add, exp, itemSync, jit, withEngine, zeros } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { heap } from '../../../kernels/wasm/heap.ts'
import type { Heap } from '../../../kernels/wasm/heap.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import { store } from '../../../kernels/wasm/store.ts'

/** out = input + 1 over `size` elements, through a temporary. */
const increment = (size: number, donated: readonly number[]): Program => ({
  buffers: Array.from({ length: 3 }, () => ({ dtype: 'float32', size })),
  inputs: [0],
  outputs: [2],
  donated,
  launches: [
    [0, 1],
    [1, 2],
  ].map(([from, to]) => ({
    kind: 'map',
    shape: [size],
    operands: [{ kind: 'buffer', buffer: from as number, strides: [1], offset: 0 }],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'constant', value: 0.5, dtype: 'float32' },
      { op: 'add', args: [0, 1], dtype: 'float32' },
    ],
    outputs: [{ value: 2, target: { buffer: to as number, strides: [1], offset: 0 } }],
  })),
})

/** Allocates and frees as the script says; what is held is freed at the end. */
const play = (
  own: Heap,
  script: readonly (readonly [gives: boolean, bytes: number, pick: number])[],
  given: (address: number, bytes: number, held: readonly Range[]) => void,
): void => {
  const held: Range[] = []
  for (const [gives, bytes, pick] of script) {
    if (gives || held.length === 0) {
      const address = own.allocate(bytes)
      given(address, bytes, held)
      held.push({ address, bytes })
    } else {
      const [one] = held.splice(pick % held.length, 1)
      if (one !== undefined) own.free(one.address, one.bytes)
    }
  }
  for (const { address, bytes } of held) own.free(address, bytes)
}

interface Range {
  readonly address: number
  readonly bytes: number
}

const scripts = (least: number) =>
  fc.array(fc.tuple(fc.boolean(), fc.integer({ min: least, max: 200000 }), fc.nat()), { maxLength: 200 })

test('the heap gives out ranges that do not overlap', () => {
  fc.assert(
    fc.property(scripts(0), (script) => {
      let end = 1 << 20
      const own = heap(1000, end, (wanted) => (wanted > 1 << 27 ? undefined : (end = wanted)))
      play(own, script, (address, bytes, held) => {
        assert.is(address % 64, 0)
        assert.ok(address >= 1000 && address + bytes <= end - 64)
        for (const other of held)
          assert.ok(address >= other.address + other.bytes || other.address >= address + Math.max(1, bytes))
      })
    }),
    { numRuns: 100 },
  )
})

test('the heap takes everything back as one range, apart from slabs of small sizes', () => {
  fc.assert(
    fc.property(scripts(4096), (script) => {
      let end = 1 << 20
      const own = heap(1000, end, (wanted) => (end = wanted))
      play(own, script, () => undefined)
      const before = end
      assert.is(own.allocate(end - 1024 - 64), 1024)
      assert.is(end, before)
    }),
    { numRuns: 100 },
  )
})

test('a thousand steps that donate their state stay in the same memory', () => {
  const engine = wasmEngine({ threads: 1 })
  const step = engine.compile(increment(10000, [0]))
  let state = engine.upload(new Float32Array(10000)) as Memory
  const after = (): unknown => {
    state = step.run([state])[0] as Memory
    return engine.live()
  }
  const first = after()
  for (let turn = 1; turn < 1000; turn++) assert.equal(after(), first)
  assert.is(engine.readSync?.(state)[9999], 1000)
})

test('what a donated argument held cannot be used any more', () => {
  const engine = wasmEngine({ threads: 1 })
  const step = engine.compile(increment(10, [0]))
  const given = engine.upload(new Float32Array(10))
  step.run([given])
  assert.throws(() => step.run([given]), /released or donated/)
  assert.throws(() => engine.readSync?.(given), /released or donated/)
})

test('donated memory that is another argument too is left alone', () => {
  const engine = wasmEngine({ threads: 1 })
  const program: Program = { ...increment(10, [0]), inputs: [0, 1], outputs: [2, 1] }
  const [first] = program.launches
  const swapped: Program = {
    ...program,
    launches: [
      {
        ...first,
        outputs: [{ ...(first as MapLaunch).outputs[0], target: { buffer: 2, strides: [1], offset: 0 } }],
      } as never,
    ],
  }
  const both = engine.upload(new Float32Array(10).fill(3))
  const [sum, same] = engine.compile(swapped).run([both, both])
  assert.is(engine.readSync?.(sum as Memory)[9], 3.5)
  assert.is(engine.readSync?.(same as Memory)[9], 3)
})

test('garbage of a synchronous loop is found before memory runs out', () => {
  const engine = wasmEngine({ threads: 1 })
  const size = 1 << 20
  const step = engine.compile(increment(size, []))
  let state = engine.upload(new Float32Array(size)) as Memory
  let most = 0
  // 1600 results of 4 MB, 6.4 GB in all, and no task ends in between.
  for (let turn = 0; turn < 1600; turn++) {
    state = step.run([state])[0] as Memory
    most = Math.max(most, engine.live().bytes)
  }
  assert.is(engine.readSync?.(state)[size - 1], 1600)
  assert.ok(most < 600e6, `${most} bytes were held at once`)
})

test('garbage is looked for less often where that takes much of the time, and as before where it does not', () => {
  let clock = 0
  // A collection takes 40 ms by this clock, which goes on between the two times it is asked for.
  const memories = store(
    heap(0, 2 ** 31, () => undefined),
    () => (clock += 40),
  )
  /** The most megabytes held while garbage is made, 16 MB at a time, each after some milliseconds. */
  const mostHeld = (megabytes: number, milliseconds: number): number =>
    Array.from({ length: megabytes / 16 }, () => {
      clock += milliseconds
      memories.allocate('float32', 2 ** 22)
      return memories.live().bytes / 2 ** 20
    }).reduce((a, b) => Math.max(a, b))
  assert.is(mostHeld(1024, 1000), 128)
  // New memory costs something, too: it is not taken before collections have cost as much.
  assert.is(mostHeld(256, 0), 128)
  assert.is(mostHeld(8192, 0), 512)
  mostHeld(1024, 1000)
  assert.is(mostHeld(1024, 1000), 128)
})

test('a program that does not fit says so, with the numbers, and harms nothing', () => {
  const engine = wasmEngine({ threads: 1 })
  const size = 600 * 2 ** 20
  const huge = engine.compile(increment(size, []))
  assert.is(huge.plan.temporaryBytes, 4 * size)
  const small = engine.upload(new Float32Array(4))
  assert.throws(
    () => huge.run([small]),
    /does not fit and was not begun: it needs 2400.0 MB for temporaries and 2400.0 MB for results; out of memory: 2400.0 MB more are needed .* at most 4096.0 MB/,
  )
  const [out] = engine.compile(increment(4, [])).run([small])
  assert.equal([...(engine.readSync?.(out as Memory) ?? [])], [1, 1, 1, 1])
})

test('what was donated to a program that does not fit can still be used', () => {
  withEngine(wasmEngine({ threads: 1 }), () => {
    const huge = [1 << 15, 1 << 15]
    const f = jit((x: Tensor): readonly [Tensor, Tensor] => [add(x, 1), exp(add(zeros(huge), x))], {
      donate: [0],
    })
    const x = add(zeros([]), 2)
    assert.throws(() => f(x), /does not fit and was not begun/)
    assert.is(itemSync(add(x, 1)), 3)
  })
})

test.run()
