/** Elementary functions in gpu.js' kernel language, for processors and for GPUs. */

/** The float32 number, written so that it reads back as itself in float64 as well. */
export const literal = (value: number): string => {
  const number = Math.fround(value)
  if (Number.isNaN(number)) return '0 / 0'
  return number < 0 || Object.is(number, -0) ? `-${String(-number)}` : String(number)
}

/** Gives names to intermediate results and collects their definitions. */
export interface Statements {
  readonly define: (expression: string) => string
}

export type Print = (statements: Statements, x: string, y: string) => string

const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients
    .slice(1)
    .reduce((sum, c) => `(${sum} * ${x} + ${literal(c)})`, literal(coefficients[0] as number))

/**
 * x · P(x²) / Q(x²) on [-3.83, 3.83], where erf becomes ±1 in float32: the rational approximation of Eigen
 * and XLA.
 */
const erf: Print = ({ define }, x) => {
  const c = define(`Math.max(-3.8325, Math.min(3.8325, ${x}))`)
  const t = define(`${c} * ${c}`)
  const p = define(
    polynomial(
      t,
      [
        2.290506586135065e-4, 3.408291010710951e-3, 5.095569506238086e-2, 1.852083223997615e-1,
        1.128379143519084,
      ],
    ),
  )
  const q = define(
    polynomial(
      t,
      [
        -1.17916029543617e-7, 2.354796647131319e-5, 1.017962527891489e-3, 1.407047017116767e-2,
        1.109850517828536e-1, 4.974692511006754e-1, 1,
      ],
    ),
  )
  return `${c} * ${p} / ${q}`
}

/** Giles, "Approximating the erfinv function" (GPU Computing Gems, 2012), single precision. */
const erfInv: Print = ({ define }, x) => {
  const w = define(`-Math.log((1 - ${x}) * (1 + ${x}))`)
  const centre = define(`${w} - 2.5`)
  const near = define(
    polynomial(
      centre,
      [
        2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503,
        -0.00417768164, 0.246640727, 1.50140941,
      ],
    ),
  )
  const tail = define(`Math.sqrt(Math.max(${w}, 0)) - 3`)
  const far = define(
    polynomial(
      tail,
      [
        -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
        0.00943887047, 1.00167406, 2.83297682,
      ],
    ),
  )
  const inside = define(`(${w} < 5 ? ${near} : ${far}) * ${x}`)
  const size = define(`Math.abs(${x})`)
  const outside = define(`Math.sqrt(1 - ${size})`)
  const edge = define(`${size} > 1 ? ${outside} : ${x} * Infinity`)
  return `${size} < 1 ? ${inside} : ${edge}`
}

/** Half to even. Above 2^23 every number is whole, and the rest is 0. */
const round: Print = ({ define }, x) => {
  const floor = define(`Math.floor(${x})`)
  const rest = define(`${x} - ${floor}`)
  const half = define(`Math.floor(${floor} * 0.5) * 2`)
  const up = define(`${floor} + 1`)
  const tie = define(`${half} === ${floor} ? ${floor} : ${up}`)
  const above = define(`${rest} > 0.5 ? ${up} : ${tie}`)
  return `${rest} < 0.5 ? ${floor} : ${above}`
}

/** Functions that are printed alike everywhere. */
export const everywhere: Readonly<Record<string, Print>> = {
  neg: (_, x) => `-${x}`,
  abs: (_, x) => `Math.abs(${x})`,
  sign: ({ define }, x) => {
    const down = define(`${x} < 0 ? -1 : ${x}`)
    return `${x} > 0 ? 1 : ${down}`
  },
  exp: (_, x) => `Math.exp(${x})`,
  log: (_, x) => `Math.log(${x})`,
  sqrt: (_, x) => `Math.sqrt(${x})`,
  rsqrt: (_, x) => `1 / Math.sqrt(${x})`,
  floor: (_, x) => `Math.floor(${x})`,
  ceil: (_, x) => `Math.ceil(${x})`,
  sigmoid: ({ define }, x) => {
    const e = define(`Math.exp(-${x})`)
    return `1 / (1 + ${e})`
  },
  erf,
  erfInv,
  round,
}

/** Where arithmetic is the processor's own. */
export const onHost: Readonly<Record<string, Print>> = {
  expm1: (_, x) => `Math.expm1(${x})`,
  log1p: (_, x) => `Math.log1p(${x})`,
  sin: (_, x) => `Math.sin(${x})`,
  cos: (_, x) => `Math.cos(${x})`,
  tanh: (_, x) => `Math.tanh(${x})`,
  isNaN: (_, x) => `${x} !== ${x} ? 1 : 0`,
  isFinite: (_, x) => `Math.abs(${x}) <= 3.4028234663852886e38 ? 1 : 0`,
  max: (_, x, y) => `Math.max(${x}, ${y})`,
  min: (_, x, y) => `Math.min(${x}, ${y})`,
  pow: ({ define }, x, y) => {
    const power = define(`Math.pow(${x}, ${y})`)
    return `(${x} === 1 || ${y} === 0 || (${x} === -1 && Math.abs(${y}) === Infinity)) ? 1 : ${power}`
  },
  atan2: (_, x, y) => `Math.atan2(${x}, ${y})`,
}

/** 1 for NaN: what is neither at most the largest number nor above it. Drivers fold `x !== x` away. */
export const nanOnDevice: Print = ({ define }, x) => {
  const size = define(`Math.abs(${x})`)
  const above = define(`${size} > 3.4e38 ? 0 : 1`)
  return `${size} <= 3.4e38 ? 0 : ${above}`
}

/** The larger or smaller; NaN if either is one, as far as the driver keeps NaN. */
const extreme =
  (order: '>' | '<'): Print =>
  ({ define }, x, y) => {
    const other = define(`${y} ${order}= ${x} ? ${y} : ${x} + ${y}`)
    return `${x} ${order} ${y} ? ${x} : ${other}`
  }

/**
 * sin (x + turns · π/2), with π/2 in three parts and Cephes' polynomials within a quadrant: drivers have it to
 * about 2e-5 only. From 16384 on, where three parts are too few, it is the driver's.
 */
const wave =
  (name: 'sin' | 'cos', turns: 0 | 1): Print =>
  ({ define }, x) => {
    const k = define(`Math.floor(${x} * ${literal(2 / Math.PI)} + 0.5)`)
    const r = define(
      `((${x} - ${k} * 1.5703125) - ${k} * ${literal(4.837512969970703e-4)}) - ${k} * ${literal(7.549789954891882e-8)}`,
    )
    const z = define(`${r} * ${r}`)
    const sine = define(
      `${polynomial(z, [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1])} * ${z} * ${r} + ${r}`,
    )
    const rest = polynomial(z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])
    const cosine = define(`${rest} * ${z} * ${z} - 0.5 * ${z} + 1`)
    const turn = turns === 0 ? k : define(`${k} + ${turns}`)
    const quadrant = define(`${turn} - Math.floor(${turn} * 0.25) * 4`)
    const odd = define(`${quadrant} - Math.floor(${quadrant} * 0.5) * 2`)
    const size = define(`${odd} === 1 ? ${cosine} : ${sine}`)
    const near = define(`${quadrant} >= 2 ? -${size} : ${size}`)
    const far = define(`Math.${name}(${x})`)
    return `Math.abs(${x}) < 16384 ? ${near} : ${far}`
  }

/** Where NaN, infinities and large arguments are the driver's matter. */
export const onDevice: Readonly<Record<string, Print>> = {
  // Kahan's corrections for the rounding of e^x and of 1 + x (Goldberg, 1991, theorem 4).
  expm1: ({ define }, x) => {
    const u = define(`Math.exp(${x})`)
    const less = define(`${u} - 1`)
    const corrected = define(`${less} * ${x} / Math.log(${u})`)
    const large = define(`Math.abs(${x}) > 0.5 ? ${less} : ${corrected}`)
    return `${u} === 1 ? ${x} : ${large}`
  },
  log1p: ({ define }, x) => {
    const u = define(`1 + ${x}`)
    const corrected = define(`Math.log(${u}) * ${x} / (${u} - 1)`)
    const large = define(`Math.abs(${x}) > 0.5 ? Math.log(${u}) : ${corrected}`)
    return `${u} === 1 ? ${x} : ${large}`
  },
  sin: wave('sin', 0),
  cos: wave('cos', 1),
  // tanh(±100) is NaN on some drivers, and is 1 from 10 on in float32.
  tanh: (_, x) => `Math.tanh(Math.max(-10, Math.min(10, ${x})))`,
  isNaN: nanOnDevice,
  isFinite: (_, x) => `Math.abs(${x}) <= 3.4e38 ? 1 : 0`,
  max: extreme('>'),
  min: extreme('<'),
  // The power of a negative number is undefined on GPUs.
  pow: ({ define }, x, y) => {
    const size = define(`Math.abs(${x}) === 1 ? 1 : Math.pow(Math.abs(${x}), ${y})`)
    const odd = define(`Math.abs(${y} - Math.floor(${y} * 0.5) * 2)`)
    const whole = define(`${odd} === 1 ? -${size} : ${size}`)
    const root = define(`Math.sqrt(${x})`)
    const fraction = define(`(${x} < 0 && ${x} >= -3.4e38) ? ${root} : ${size}`)
    const negative = define(`Math.floor(${y}) === ${y} ? ${whole} : ${fraction}`)
    // 1 / -0 is below zero too.
    const signed = define(`(${x} < 0 || 1 / ${x} < 0) ? ${negative} : ${size}`)
    return `(${x} === 1 || ${y} === 0) ? 1 : ${signed}`
  },
  atan2: (_, x, y) => `Math.atan2(${x}, ${y})`,
}
