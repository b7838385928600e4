import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BinaryOp, Engine, HostArray, Program, UnaryOp } from '../../../kernels/index.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import * as special from '../../../kernels/special.ts'
import { uniform } from '../../arbitrary/tape.ts'

/** Units in the last place (of float32 at the exact value) between `actual` and `exact`. */
const ulps = (actual: number, exact: number): number => {
  const rounded = Math.fround(exact)
  if (Number.isNaN(actual) || Number.isNaN(rounded))
    return Number.isNaN(actual) && Number.isNaN(rounded) ? 0 : Infinity
  if (actual === rounded) return 0
  // One step above the largest number stands for infinity.
  const clip = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x))
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(clip(exact)) || 2 ** -149)))
  return Math.abs(clip(actual) - clip(exact)) / 2 ** (Math.min(exponent, 127) - 23)
}

/** Every exponent with several mantissas and both signs, the edges, and many numbers of ordinary size. */
const samples = (): Float32Array<ArrayBuffer> => {
  const random = uniform(7)
  const edges = [
    0,
    1,
    0.5,
    2,
    0.25,
    1e-8,
    1e-30,
    1.17549435e-38,
    1e-45,
    3.4028234663852886e38,
    Infinity,
    88.72283,
    88.72284,
    87.33654,
    103.97,
    104,
    0.55,
    0.927734375,
    1e-4,
    16777216,
    9.01,
    0.99999994,
    1.0000001,
    0.693147,
    709,
  ]
  const bits = new Uint32Array(256 * 2 * 24)
  bits.forEach((_, i) => (bits[i] = ((i % 512) << 23) | Math.floor(random() * 2 ** 23)))
  const ordinary = Array.from({ length: 60000 }, (_, i) => (random() - 0.5) * 2 ** ((i % 28) - 6))
  return Float32Array.of(
    NaN,
    ...edges,
    ...edges.map((x) => -x),
    ...new Float32Array(bits.buffer),
    ...ordinary,
  )
}

const apply = (engine: Engine, op: UnaryOp | BinaryOp, args: readonly HostArray[]): HostArray => {
  const size = args[0]?.length as number
  const program: Program = {
    buffers: [...args.map(() => ({ dtype: 'float32' as const, size })), { dtype: 'float32', size }],
    inputs: args.map((_, i) => i),
    outputs: [args.length],
    donated: [],
    launches: [
      {
        kind: 'map',
        shape: [size],
        operands: args.map((_, buffer) => ({ kind: 'buffer', buffer, strides: [1], offset: 0 })),
        body: [
          ...args.map((_, index) => ({ op: 'read' as const, index, dtype: 'float32' as const })),
          args.length === 1
            ? { op: op as UnaryOp, args: [0], dtype: 'float32' }
            : { op: op as BinaryOp, args: [0, 1], dtype: 'float32' },
        ],
        outputs: [{ target: { buffer: args.length, strides: [1], offset: 0 }, value: args.length }],
      },
    ],
  }
  const [out] = engine.compile(program).run(args.map(engine.upload))
  return engine.readSync?.(out as NonNullable<typeof out>) as HostArray
}

const exact: readonly (readonly [UnaryOp, (x: number) => number, bound: number])[] = [
  ['exp', Math.exp, 1.5],
  ['expm1', Math.expm1, 2],
  ['log', Math.log, 1.5],
  ['log1p', Math.log1p, 2],
  ['tanh', Math.tanh, 2],
  ['sigmoid', special.sigmoid, 2.5],
  ['erf', special.erf, 1.5],
  ['erfInv', special.erfInv, 5],
  ['sin', Math.sin, 0.51],
  ['cos', Math.cos, 0.51],
  ['sqrt', Math.sqrt, 0.5],
  ['rsqrt', (x) => 1 / Math.sqrt(x), 1.5],
  ['round', special.roundEven, 0],
  ['floor', Math.floor, 0],
  ['ceil', Math.ceil, 0],
  ['sign', Math.sign, 0],
  ['abs', Math.abs, 0],
  ['neg', (x) => -x, 0],
]

for (const engine of [wasmEngine(), wasmEngine({ strict: true })]) {
  for (const [op, f, bound] of exact)
    test(`${engine.detail}: ${op} is within ${bound} units in the last place of float64's`, () => {
      const x = samples()
      const y = apply(engine, op, [x])
      let worst = { error: 0, at: 0, got: 0 }
      x.forEach((value, i) => {
        const error = ulps(y[i] as number, f(value))
        if (error > worst.error) worst = { error, at: value, got: y[i] as number }
      })
      assert.ok(
        worst.error <= bound,
        `${op}(${worst.at}) = ${worst.got}, not ${f(worst.at)}: ${worst.error} ulp`,
      )
    })

  test(`${engine.detail}: a number's result does not depend on its neighbours`, () => {
    const ordinary = samples().filter((x) => Math.abs(x) < 1e6 && Math.abs(x) > 1e-3)
    const beside = ordinary.map((x, i) => (i % 4 === 1 ? 3e6 : x))
    for (const op of ['sin', 'cos'] as const) {
      const [alone, among] = [apply(engine, op, [ordinary]), apply(engine, op, [beside])]
      ordinary.forEach((x, i) => i % 4 !== 1 && assert.is(among[i], alone[i], `${op}(${x})`))
    }
  })

  test(`${engine.detail}: NaN has the same bits, whoever computed it`, () => {
    const zeros = new Float32Array(1001)
    for (const op of ['rem', 'atan2'] as const) {
      const given = op === 'rem' ? [zeros.fill(-1), new Float32Array(1001)] : [zeros.fill(NaN), zeros]
      const bits = new Uint32Array((apply(engine, op, given) as Float32Array).buffer)
      assert.ok(bits.every((one) => one === 0x7fc00000))
    }
  })

  test(`${engine.detail}: what is rounded to 0 keeps its sign`, () => {
    const x = Float32Array.of(-0.3, -0.5, 0.3)
    for (const rounded of [apply(engine, 'round', [x]), x.map(special.roundEven)])
      assert.equal(
        [...rounded].map((zero) => 1 / zero),
        [-Infinity, -Infinity, Infinity],
      )
  })

  test(`${engine.detail}: what is odd keeps the sign of a zero`, () => {
    for (const op of ['sin', 'tanh', 'erf', 'expm1', 'log1p', 'sqrt', 'round'] as const) {
      const [first, second] = apply(engine, op, [Float32Array.of(0, -0)])
      assert.ok(Object.is(first, 0) && Object.is(second, -0), op)
    }
  })

  test(`${engine.detail}: pow is within 0.51 units in the last place of float64's, and so are its signs`, () => {
    const some = samples()
    const every = (step: number): Float32Array<ArrayBuffer> => some.filter((_, i) => i % step === 0 || i < 60)
    const [bases, powers] = [every(401), every(397)]
    const x = Float32Array.from(
      { length: bases.length * powers.length },
      (_, i) => bases[i % bases.length] as number,
    )
    const y = x.map((_, i) => powers[Math.floor(i / bases.length)] as number)
    const z = apply(engine, 'pow', [x, y])
    x.forEach((base, i) => {
      const expected = special.power(base, y[i] as number)
      const error = ulps(z[i] as number, expected)
      const sign = Object.is(Math.fround(expected), -0) === Object.is(z[i], -0)
      assert.ok(error <= 0.51 && sign, `${base} ^ ${y[i]} = ${z[i]}, not ${expected}: ${error} ulp`)
    })
  })
}

test.run()
