/** How an image lies in its file, as Exif says it: numbers from 1, upright, to 8. */
import type { RawImage } from './raw.ts'

const tag = 0x0112

/** The orientation that Exif's bytes (a TIFF) tell, where they tell one. */
export const orientationOf = (exif: Uint8Array): number => {
  const begin = String.fromCharCode(...exif.subarray(0, 6)) === 'Exif\0\0' ? 6 : 0
  const view = new DataView(exif.buffer, exif.byteOffset + begin, exif.byteLength - begin)
  if (view.byteLength < 8) return 1
  const little = view.getUint16(0) === 0x4949
  const directory = view.getUint32(4, little)
  if (directory + 2 > view.byteLength) return 1
  const entries = view.getUint16(directory, little)
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i
    if (at + 12 > view.byteLength) return 1
    if (view.getUint16(at, little) !== tag) continue
    const found = view.getUint16(at + 8, little)
    return found >= 1 && found <= 8 ? found : 1
  }
  return 1
}

/** Which point of an image of w by h stands at (x, y) of the upright one, for each orientation from 2 on. */
const sources: readonly ((x: number, y: number, w: number, h: number) => readonly [number, number])[] = [
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
]

/** An image as it is to be seen. */
export const upright = (image: RawImage, orientation: number): RawImage => {
  const source = sources[orientation - 2]
  if (source === undefined) return image
  const { data, width: w, height: h } = image
  const [width, height] = orientation >= 5 ? [h, w] : [w, h]
  const turned = new Uint8Array(data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = source(x, y, w, h)
      const from = 4 * (row * w + column)
      turned.set(data.subarray(from, from + 4), 4 * (y * width + x))
    }
  return { data: turned, width, height }
}
