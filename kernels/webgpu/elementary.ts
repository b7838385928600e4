/**
 * Elementary functions in WGSL, to a few units in the last place. Polynomials are those of Moshier's Cephes
 * library (single precision) where nothing else is said.
 */

const horner = (x: string, coefficients: readonly number[]): string =>
  coefficients
    .slice(1)
    .reduce((sum, c) => `(${sum} * ${x} ${c < 0 ? '-' : '+'} ${Math.abs(c)})`, String(coefficients[0]))

/** (e^x - 1 - x) / x² for |x| ≤ ln 2 / 2. */
const expNear = (x: string): string =>
  horner(
    x,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  )

/** (log(1 + x) - x + x²/2) / x³ for √½ ≤ 1 + x ≤ √2. */
const logRest = (x: string): string =>
  horner(
    x,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  )

export const elementary: Readonly<Record<string, string>> = {
  // e^x = 2^n e^r with |r| ≤ ln 2 / 2; ln 2 in two parts, so that r is exact.
  fn_exp: `fn fn_exp(x: f32) -> f32 {
  let c = clamp(x, -104.0, 89.0);
  let n = round(c * 1.44269504);
  let r = (c - n * 0.693359375) + n * 2.1219444e-4;
  let q = ${expNear('r')};
  let e = (r * r * q + r) + 1.0;
  let k = i32(n);
  let h = k >> 1u;
  let y = e * fromBits(u32(h + 127) << 23u) * fromBits(u32(k - h + 127) << 23u);
  return select(y, x, isNan(x));
}`,
  // x = 2^e m with m around 1.
  fn_log: `fn fn_log(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return nan(); }
  if (x == 0.0) { return -infinity(); }
  if (!isFinite(x)) { return x; }
  let shifted = bitcast<u32>(x) - 0x3f3504f3u;
  let e = f32(bitcast<i32>(shifted) >> 23u);
  let f = fromBits((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0;
  return logNear(f, e);
}`,
  // log(1 + f) + e ln 2.
  logNear: `fn logNear(f: f32, e: f32) -> f32 {
  let z = f * f;
  let q = ${logRest('f')};
  let y = (f * z * q - 2.1219444e-4 * e) - 0.5 * z;
  return (f + y) + 0.693359375 * e;
}`,
  // The parts of exp and log around 0 themselves: drivers simplify (1 + x) - 1 to x, which rules out Kahan's
  // corrections.
  fn_expm1: `fn fn_expm1(x: f32) -> f32 {
  if (abs(x) > 0.34657359) { return fn_exp(x) - 1.0; }
  return x * x * ${expNear('x')} + x;
}`,
  fn_log1p: `fn fn_log1p(x: f32) -> f32 {
  if (x > -0.29289 && x < 0.41421) { return logNear(x, 0.0); }
  return fn_log(1.0 + x);
}`,
  fn_tanh: `fn fn_tanh(x: f32) -> f32 {
  let a = abs(x);
  if (a > 0.625) {
    let y = 1.0 - 2.0 / (fn_exp(2.0 * a) + 1.0);
    return select(y, -y, x < 0.0);
  }
  let z = x * x;
  return ${horner('z', [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1])} * z * x + x;
}`,
  fn_sigmoid: `fn fn_sigmoid(x: f32) -> f32 {
  let e = fn_exp(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}`,
  // x P(x²) / Q(x²), the rational approximation of Eigen and XLA.
  fn_erf: `fn fn_erf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let c = clamp(x, -3.8325, 3.8325);
  let t = c * c;
  let p = ${horner('t', [2.290506586135065e-4, 3.408291010710951e-3, 5.095569506238086e-2, 1.852083223997615e-1, 1.128379143519084])};
  let q = ${horner('t', [-1.17916029543617e-7, 2.354796647131319e-5, 1.017962527891489e-3, 1.407047017116767e-2, 1.109850517828536e-1, 4.974692511006754e-1, 1])};
  return c * p / q;
}`,
  // Giles, "Approximating the erfinv function" (GPU Computing Gems, 2012), single precision.
  fn_erfInv: `fn fn_erfInv(x: f32) -> f32 {
  let a = abs(x);
  if (isNan(x) || a > 1.0) { return nan(); }
  if (a == 1.0) { return x * infinity(); }
  let w = -fn_log((1.0 - x) * (1.0 + x));
  if (w < 5.0) {
    let t = w - 2.5;
    return x * ${horner('t', [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941])};
  }
  let t = sqrt(w) - 3.0;
  return x * ${horner('t', [-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682])};
}`,
  mulHigh: `fn mulHigh(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}`,
  // x = (π/2) (quadrant + rest) from an exact product with the binary digits of 2/π, of which only those
  // count that are not multiples of four quadrants (Payne and Hanek, 1983).
  reduceFar: `fn reduceFar(x: f32) -> vec2<f32> {
  var digits = array<u32, 10>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au);
  let word = bitcast<u32>(x);
  let mantissa = (word & 0x007fffffu) | 0x00800000u;
  let start = ((word >> 23u) & 0xffu) - 120u;
  let i = start >> 5u;
  let s = start & 31u;
  var q = vec3<u32>(digits[i], digits[i + 1u], digits[i + 2u]);
  if (s > 0u) {
    let next = vec3<u32>(digits[i + 1u], digits[i + 2u], digits[i + 3u]);
    q = vec3<u32>((q.x << s) | (next.x >> (32u - s)), (q.y << s) | (next.y >> (32u - s)), (q.z << s) | (next.z >> (32u - s)));
  }
  let middle = mantissa * q.y + mulHigh(mantissa, q.z);
  let carry = select(0u, 1u, middle < mantissa * q.y);
  let high = mantissa * q.x + mulHigh(mantissa, q.y) + carry;
  let part = (high << 2u) | (middle >> 30u);
  let up = part >> 31u;
  let turn = vec2<f32>(f32(((high >> 30u) + up) & 3u), f32(bitcast<i32>(part)) * 2.3283064365386963e-10);
  return select(turn, -turn, x < 0.0);
}`,
  // The quadrant and the angle within it. π/2 in three parts where that is enough.
  reduceAngle: `fn reduceAngle(x: f32) -> vec2<f32> {
  if (abs(x) > 16384.0) {
    let turn = reduceFar(x);
    return vec2<f32>(turn.x, turn.y * 1.5707963267948966);
  }
  let k = round(x * 0.6366197723675814);
  return vec2<f32>(k, ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789954891882e-8);
}`,
  turned: `fn turned(quadrant: i32, r: f32) -> f32 {
  let z = r * r;
  let s = ${horner('z', [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1])} * z * r + r;
  let c = ${horner('z', [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])} * z * z - 0.5 * z + 1.0;
  let y = select(s, c, (quadrant & 1) == 1);
  return select(y, -y, (quadrant & 2) == 2);
}`,
  fn_sin: `fn fn_sin(x: f32) -> f32 {
  if (!isFinite(x)) { return nan(); }
  let turn = reduceAngle(x);
  return turned(i32(turn.x), turn.y);
}`,
  fn_cos: `fn fn_cos(x: f32) -> f32 {
  if (!isFinite(x)) { return nan(); }
  let turn = reduceAngle(x);
  return turned(i32(turn.x) + 1, turn.y);
}`,
  fn_atan2: `fn fn_atan2(y: f32, x: f32) -> f32 {
  if (isNan(x) || isNan(y)) { return nan(); }
  let a = abs(y);
  let b = abs(x);
  var t = select(min(a, b) / max(a, b), select(0.0, 1.0, a > 0.0), a == b);
  var centre = 0.0;
  if (t > 0.41421356) {
    t = (t - 1.0) / (t + 1.0);
    centre = 0.7853981633974483;
  }
  let z = t * t;
  var r = centre + (${horner('z', [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1])} * z * t + t);
  if (a > b) { r = 1.5707963267948966 - r; }
  if (bitcast<i32>(x) < 0) { r = 3.141592653589793 - r; }
  return select(r, -r, bitcast<i32>(y) < 0);
}`,
  // The error of y log |x|, up to 88, is one of e to that power: more precision than float32 has would need
  // sums that drivers simplify away.
  fn_pow: `fn fn_pow(x: f32, y: f32) -> f32 {
  if (x == 1.0 || y == 0.0) { return 1.0; }
  if (isNan(x) || isNan(y)) { return nan(); }
  let far = bitcast<u32>(abs(y)) == 0x7f800000u;
  if (abs(x) == 1.0 && far) { return 1.0; }
  let r = fn_exp(y * fn_log(abs(x)));
  if (bitcast<i32>(x) >= 0) { return r; }
  if (!far && y != floor(y)) { return select(nan(), r, x == 0.0 || !isFinite(x)); }
  let half = 0.5 * y;
  return select(r, -r, !far && half != floor(half));
}`,
  // Long division of the mantissas: exact, as JavaScript's remainder is.
  fn_rem: `fn fn_rem(x: f32, y: f32) -> f32 {
  if (isNan(y) || !isFinite(x) || y == 0.0) { return nan(); }
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  if (a < b) { return x; }
  let ea = max(a >> 23u, 1u);
  let eb = max(b >> 23u, 1u);
  let divisor = (b & 0x007fffffu) | select(0u, 0x00800000u, b >= 0x00800000u);
  var r = (a & 0x007fffffu) | select(0u, 0x00800000u, a >= 0x00800000u);
  r = r % divisor;
  for (var n = ea - eb; n > 0u; n--) {
    r = r << 1u;
    if (r >= divisor) { r -= divisor; }
  }
  let h = (i32(eb) - 150) >> 1u;
  let z = f32(r) * fromBits(u32(h + 127) << 23u) * fromBits(u32(i32(eb) - 150 - h + 127) << 23u);
  return select(z, -z, x < 0.0);
}`,
}
