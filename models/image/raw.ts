/** Images as numbers. */
import { argumentError } from '../../core/error.ts'

/**
 * An image of red, green, blue and opacity, a byte each, row by row: what a canvas calls `ImageData`. Opacity is left
 * out of account.
 */
export interface RawImage {
  /** [height, width, 4] */
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** An image as models take it in steps: planes of red, green and blue, [3, height, width]. */
export interface Planes {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

const isSide = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) > 0

/** @throws PullbackError when an image has no size, or other bytes than its size asks for. */
export const checkImage = (operation: string, { data, width, height }: RawImage): void => {
  if (!isSide(width) || !isSide(height))
    throw argumentError(operation, `the image is ${width} by ${height}, it must have a width and a height`)
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray))
    throw argumentError(operation, 'the image must be bytes: red, green, blue and opacity of each point')
  const points = width * height
  if (data.length === 4 * points) return
  const channels = data.length / points
  throw argumentError(
    operation,
    Number.isInteger(channels)
      ? `the image has ${channels} numbers a point, it must have 4: red, green, blue and opacity`
      : `the image is ${width} by ${height}, which takes ${4 * points} bytes, but has ${data.length}`,
  )
}

/** The colours of an image, plane by plane. */
export const planesOf = ({ data, width, height }: RawImage): Planes => {
  const points = width * height
  const planes = new Uint8Array(3 * points)
  for (let i = 0; i < points; i++) {
    planes[i] = data[4 * i] as number
    planes[points + i] = data[4 * i + 1] as number
    planes[2 * points + i] = data[4 * i + 2] as number
  }
  return { data: planes, width, height }
}
