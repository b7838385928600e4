import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../../core/half.ts'

const half = suite('half')

const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i)
const same = (a: number, b: number): boolean => Object.is(a, b)
const float = fc.oneof(
  fc.float(),
  fc.float({ min: Math.fround(-70000), max: Math.fround(70000) }),
  fc.float({ min: Math.fround(-(2 ** -13)), max: Math.fround(2 ** -13) }),
)

half('widening binary16 agrees with Float16Array for every bit pattern', () => {
  const expected = new Float16Array(everyPattern.buffer)
  float16ToFloat32(everyPattern).forEach((x, i) => {
    if (!same(x, expected[i] as number)) assert.unreachable(`pattern ${i}: ${x} for ${expected[i]}`)
  })
})

half('rounding to binary16 agrees with Float16Array', () => {
  fc.assert(
    fc.property(float, (x) => {
      const rounded = float16ToFloat32(float32ToFloat16(Float32Array.of(x)))[0] as number
      return same(rounded, Float16Array.of(x)[0] as number)
    }),
    { numRuns: 5000 },
  )
})

half('both widenings, rounded back, give the bits they came from', () => {
  const isNaNHalf = (b: number): boolean => (b & 0x7c00) === 0x7c00 && (b & 0x3ff) !== 0
  const isNaNBfloat = (b: number): boolean => (b & 0x7f80) === 0x7f80 && (b & 0x7f) !== 0
  const halves = float32ToFloat16(float16ToFloat32(everyPattern))
  const bfloats = float32ToBfloat16(bfloat16ToFloat32(everyPattern))
  everyPattern.forEach((b) => {
    if (isNaNHalf(b) ? !isNaNHalf(halves[b] as number) : halves[b] !== b) assert.unreachable(`binary16 ${b}`)
    if (isNaNBfloat(b) ? !isNaNBfloat(bfloats[b] as number) : bfloats[b] !== b)
      assert.unreachable(`bfloat16 ${b}`)
  })
})

half('rounding to bfloat16 picks the nearest neighbour, ties to even', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 126, min: -(2 ** 126) }), (x) => {
      const bits = float32ToBfloat16(Float32Array.of(x))[0] as number
      const [here, below, above] = bfloat16ToFloat32(Uint16Array.of(bits, bits - 1, bits + 1))
      const error = Math.abs((here as number) - x)
      return [below, above].every((other) => {
        const rest = Math.abs((other as number) - x)
        return !(rest < error) && (rest !== error || bits % 2 === 0 || here === other)
      })
    }),
  )
  assert.is(float32ToBfloat16(Float32Array.of(3.4e38))[0], 0x7f80, 'overflow gives infinity')
})

half.run()
