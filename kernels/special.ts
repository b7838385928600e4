/** Special functions in float64 on the host: the oracle that engines' own versions are tested against. */

const twoOverSqrtPi = 1.1283791670955126

/** erf by its Maclaurin series; converges fast for |x| < 2. */
const erfSeries = (x: number): number => {
  const square = x * x
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= -square / n
    sum += term / (2 * n + 1)
  }
  return twoOverSqrtPi * sum
}

/** erfc for x ≥ 2 by Lentz's continued fraction (Abramowitz and Stegun 7.1.14). */
const erfcFraction = (x: number): number => {
  if (x > 27.3) return 0
  let fraction = x
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / (fraction * 1.7724538509055161)
}

/** The complementary error function, 1 - erf(x), without cancellation for large x. */
export const erfc = (x: number): number =>
  Math.abs(x) < 2 ? 1 - erfSeries(x) : x > 0 ? erfcFraction(x) : 2 - erfcFraction(-x)

/** The error function. */
export const erf = (x: number): number =>
  Number.isNaN(x)
    ? NaN
    : x === 0
      ? x
      : Math.abs(x) < 2
        ? erfSeries(x)
        : Math.sign(x) * (1 - erfcFraction(Math.abs(x)))

/**
 * The inverse error function on (-1, 1): Giles' single-precision polynomial as the start ("Approximating
 * the erfinv function", GPU Computing Gems, 2012), then Newton steps to float64.
 */
export const erfInv = (y: number): number => {
  if (Number.isNaN(y) || y < -1 || y > 1) return NaN
  if (y === 0) return y
  if (Math.abs(y) === 1) return y * Infinity
  const w = -Math.log1p(-y * y)
  const [t, coefficients] =
    w < 5
      ? [
          w - 2.5,
          [
            2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503,
            -0.00417768164, 0.246640727, 1.50140941,
          ],
        ]
      : [
          Math.sqrt(w) - 3,
          [
            -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
            0.00943887047, 1.00167406, 2.83297682,
          ],
        ]
  let x = y * coefficients.reduce((sum, c) => sum * t + c, 0)
  for (let step = 0; step < 3; step++) {
    // In the tails 1 - |y| is exact where erf(x) - y would cancel.
    const error = Math.abs(y) > 0.5 ? Math.sign(y) * (1 - Math.abs(y) - erfc(Math.abs(x))) : erf(x) - y
    x -= error / (twoOverSqrtPi * Math.exp(-x * x))
  }
  return x
}

/** log(1 + e^x)-free logistic function, accurate on both sides. */
export const sigmoid = (x: number): number => {
  const e = Math.exp(-Math.abs(x))
  return x >= 0 ? 1 / (1 + e) : e / (1 + e)
}

/** Rounds half to even, as IEEE 754's roundToIntegralTiesToEven: what becomes 0 keeps its sign. */
export const roundEven = (x: number): number => {
  const floor = Math.floor(x)
  const rest = x - floor
  if (Number.isNaN(rest)) return x
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  return isUp ? floor + 1 || x * 0 : floor
}

/** x^y as C and JAX have it: 1^y = x^0 = 1 for every y and x, NaN included, and (-1)^±∞ = 1. */
export const power = (x: number, y: number): number =>
  x === 1 || y === 0 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y

/** Float to int32: toward zero, saturating; NaN gives 0. */
export const toInt32 = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, -2147483648), 2147483647))

/** Float to uint32: toward zero, saturating; NaN gives 0. */
export const toUint32 = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, 0), 4294967295))

const word = new Float32Array(1)
const wordBits = new Int32Array(word.buffer)

/** The bits of a float32, as int32. */
export const bitsOf = (x: number): number => {
  word[0] = x
  return wordBits[0] as number
}

/** The float32 of these bits. */
export const ofBits = (bits: number): number => {
  wordBits[0] = bits
  return word[0] as number
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const

/** Threefry-2x32-20 (Salmon et al., SC 2011): `word` 0 or 1 of the block, or their exclusive or. */
export const threefry = (
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  word: 0 | 1 | 'xor',
): number => {
  const schedule = [key0, key1, key0 ^ key1 ^ 0x1bd11bda]
  let x = (counter0 + key0) | 0
  let y = (counter1 + key1) | 0
  for (let block = 0; block < 5; block++) {
    for (let round = 0; round < 4; round++) {
      const r = rotations[(block % 2) * 4 + round] as number
      x = (x + y) | 0
      y = ((y << r) | (y >>> (32 - r))) ^ x
    }
    x = (x + (schedule[(block + 1) % 3] as number)) | 0
    y = (y + (schedule[(block + 2) % 3] as number) + block + 1) | 0
  }
  return (word === 'xor' ? x ^ y : word === 0 ? x : y) >>> 0
}
