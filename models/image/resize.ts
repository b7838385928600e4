/**
 * Resizing as Pillow does it (libImaging/Resample.c), to the same bytes: each new point is a weighted average of those
 * that it covers, so that nothing is skipped when an image gets smaller; first along rows, then along columns, in whole
 * numbers.
 */
import type { Planes } from './raw.ts'

/** Ways to weigh, by the numbers that files have for them. */
export const resamplings = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const

export type Resampling = (typeof resamplings)[number]

interface Filter {
  /** How far it reaches, in points of the smaller image. */
  readonly support: number
  readonly weight: (x: number) => number
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI))

const filters: Readonly<Record<Exclude<Resampling, 'nearest'>, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  // Keys (1981), with a = -1/2
  bicubic: {
    support: 2,
    weight: (x) => {
      const [a, at] = [-0.5, Math.abs(x)]
      if (at < 1) return ((a + 2) * at - (a + 3)) * at * at + 1
      return at < 2 ? (((at - 5) * at + 8) * at - 4) * a : 0
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

/** Weights are whole multiples of one in so many. */
const unit = 2 ** 22

interface Weights {
  /** Where each new point's weights begin. */
  readonly first: Int32Array
  readonly count: Int32Array
  /** As many for each new point as the most have. */
  readonly weights: Int32Array
  readonly most: number
}

const weightsOf = ({ support, weight }: Filter, from: number, to: number): Weights => {
  const scale = from / to
  const stretch = Math.max(scale, 1)
  const reach = support * stretch
  const most = Math.ceil(reach) * 2 + 1
  const [first, count] = [new Int32Array(to), new Int32Array(to)]
  const weights = new Int32Array(to * most)
  for (let at = 0; at < to; at++) {
    const centre = (at + 0.5) * scale
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5))
    const end = Math.min(from, Math.trunc(centre + reach + 0.5))
    const own = Array.from({ length: end - begin }, (_, i) =>
      weight((i + begin - centre + 0.5) * (1 / stretch)),
    )
    const sum = own.reduce((a, b) => a + b, 0)
    first[at] = begin
    count[at] = own.length
    for (const [i, x] of own.entries()) {
      const share = sum === 0 ? x : x / sum
      weights[at * most + i] = Math.trunc(share * unit + (share < 0 ? -0.5 : 0.5))
    }
  }
  return { first, count, weights, most }
}

/** Halves are rounded up. Sums are below 2³¹, as those of Pillow are. */
const half = unit / 2
const shift = Math.log2(unit)

/** Averages along rows. */
const widened = ({ data, width, height }: Planes, to: number, filter: Filter): Planes => {
  const { first, count, weights, most } = weightsOf(filter, width, to)
  const target = new Uint8ClampedArray(3 * to * height)
  for (let row = 0; row < 3 * height; row++)
    for (let at = 0; at < to; at++) {
      let sum = half
      const place = row * width + (first[at] as number)
      const [own, length] = [at * most, count[at] as number]
      for (let i = 0; i < length; i++)
        sum = (sum + Math.imul(data[place + i] as number, weights[own + i] as number)) | 0
      target[row * to + at] = sum >> shift
    }
  return { data: new Uint8Array(target.buffer), width: to, height }
}

/** Averages of rows: all that a new row covers are added up, one after the other. */
const heightened = ({ data, width, height }: Planes, to: number, filter: Filter): Planes => {
  const { first, count, weights, most } = weightsOf(filter, height, to)
  const target = new Uint8ClampedArray(3 * width * to)
  const sums = new Int32Array(width)
  for (let channel = 0; channel < 3; channel++)
    for (let at = 0; at < to; at++) {
      sums.fill(half)
      for (let i = 0; i < (count[at] as number); i++) {
        const weight = weights[at * most + i] as number
        const row = (channel * height + (first[at] as number) + i) * width
        for (let x = 0; x < width; x++)
          sums[x] = (sums[x] as number) + Math.imul(data[row + x] as number, weight)
      }
      const row = (channel * to + at) * width
      for (let x = 0; x < width; x++) target[row + x] = (sums[x] as number) >> shift
    }
  return { data: new Uint8Array(target.buffer), width, height: to }
}

/** Each new point is the one beneath its middle. */
const nearest = ({ data, width, height }: Planes, toWidth: number, toHeight: number): Planes => {
  const target = new Uint8Array(3 * toWidth * toHeight)
  const place = (at: number, from: number, to: number): number => Math.floor(((at + 0.5) * from) / to)
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < toHeight; y++) {
      const row = (channel * height + place(y, height, toHeight)) * width
      for (let x = 0; x < toWidth; x++)
        target[(channel * toHeight + y) * toWidth + x] = data[row + place(x, width, toWidth)] as number
    }
  return { data: target, width: toWidth, height: toHeight }
}

/** An image of another size; [3, height, width] → [3, toHeight, toWidth]. */
export const resize = (image: Planes, toWidth: number, toHeight: number, resampling: Resampling): Planes => {
  if (image.width === toWidth && image.height === toHeight) return image
  if (resampling === 'nearest') return nearest(image, toWidth, toHeight)
  const filter = filters[resampling]
  const wide = image.width === toWidth ? image : widened(image, toWidth, filter)
  return wide.height === toHeight ? wide : heightened(wide, toHeight, filter)
}

/** The middle of an image; where the image is smaller, black is around it. */
export const centreCrop = ({ data, width, height }: Planes, toWidth: number, toHeight: number): Planes => {
  const target = new Uint8Array(3 * toWidth * toHeight)
  const [left, top] = [Math.floor((width - toWidth) / 2), Math.floor((height - toHeight) / 2)]
  const [begin, end] = [Math.max(0, -left), Math.min(toWidth, width - left)]
  for (let channel = 0; channel < 3; channel++)
    for (let y = Math.max(0, -top); y < Math.min(toHeight, height - top); y++) {
      const row = (channel * height + y + top) * width + left
      target.set(data.subarray(row + begin, row + end), (channel * toHeight + y) * toWidth + begin)
    }
  return { data: target, width: toWidth, height: toHeight }
}
