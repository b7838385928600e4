/** Long rows and awkward numbers, sorted and folded, against the reference bit for bit. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Dtype, HostArray, Launch, Program } from '../../../kernels/index.ts'
import { hostArray, referenceEngine, wasmEngine } from '../../../kernels/index.ts'
import { uniform } from '../../arbitrary/tape.ts'

const dtypes = ['float32', 'float64', 'int32', 'uint32'] as const
const [wasm, reference] = [wasmEngine({ threads: 1 }), referenceEngine()]

/** Equal elements, zeros of both signs, infinities, NaN, and numbers of any size. */
const awkward = (dtype: Dtype, length: number): HostArray => {
  const random = uniform(length)
  const data = hostArray(dtype, length)
  const special = [NaN, -0, 0, -Infinity, Infinity, 1, -1, 2]
  for (let i = 0; i < length; i++) {
    const u = random()
    if (dtype === 'float32' || dtype === 'float64')
      data[i] =
        u < 0.5 ? (special[Math.floor(u * 16)] as number) : (random() - 0.5) * 10 ** (random() * 60 - 30)
    else data[i] = Math.floor(random() * (u < 0.5 ? 8 : 2 ** 32))
  }
  return data
}

const run = (launch: Launch, of: Dtype, to: Dtype, data: HostArray): readonly [HostArray, HostArray] => {
  const size = data.length
  const program: Program = {
    buffers: [
      { dtype: of, size },
      { dtype: to, size },
    ],
    inputs: [0],
    outputs: [1],
    donated: [],
    launches: [launch],
  }
  const [actual, expected] = [wasm, reference].map((engine) => {
    const executable = engine.compile(program)
    if (engine === wasm) assert.equal(executable.plan.onHost, [])
    const [out] = executable.run([engine.upload(data)])
    return engine.readSync?.(out as NonNullable<typeof out>) as HostArray
  })
  return [actual as HostArray, expected as HostArray]
}

for (const dtype of dtypes) {
  test(`${dtype}: sorting permutations are stable, NaN last, for short and long rows`, () => {
    for (const length of [1, 23, 24, 25, 255, 4000])
      for (const descending of [false, true]) {
        const view = (buffer: number) => ({ buffer, strides: [1], offset: 0 })
        const launch: Launch = {
          kind: 'sort',
          outer: [],
          length,
          descending,
          input: view(0),
          target: view(1),
        }
        const [actual, expected] = run(launch, dtype, 'int32', awkward(dtype, length))
        assert.equal([...actual], [...expected], `${length} elements`)
      }
  })

  test(`${dtype}: running folds along rows, and across them, have the reference's bits`, () => {
    for (const op of ['sum', 'prod', 'max', 'min'] as const)
      for (const [outer, length, strides] of [
        [7, 33, [33, 1]],
        [33, 7, [1, 33]],
      ] as const)
        for (const reverse of [false, true]) {
          const view = (buffer: number) => ({ buffer, strides: [...strides], offset: 0 })
          const launch: Launch = {
            kind: 'scan',
            op,
            outer: [outer],
            length,
            reverse,
            input: view(0),
            target: view(1),
          }
          const [actual, expected] = run(launch, dtype, dtype, awkward(dtype, outer * length))
          assert.ok(
            actual.every((x, i) => Object.is(x, expected[i])),
            `${op} of ${length}, reverse ${reverse}`,
          )
        }
  })
}

test('a row that is too long for scratch memory is sorted on the host, and the plan says so', () => {
  const length = 500_000
  const view = (buffer: number) => ({ buffer, strides: [1], offset: 0 })
  const program: Program = {
    buffers: [
      { dtype: 'float32', size: length },
      { dtype: 'int32', size: length },
    ],
    inputs: [0],
    outputs: [1],
    donated: [],
    launches: [{ kind: 'sort', outer: [], length, descending: true, input: view(0), target: view(1) }],
  }
  const executable = wasm.compile(program)
  assert.match(executable.plan.onHost[0] ?? '', /launch 0 \(sort\)/)
  const [out] = executable.run([wasm.upload(Float32Array.from({ length }, (_, i) => i))])
  assert.is(wasm.readSync?.(out as NonNullable<typeof out>)[0], length - 1)
})

test.run()
