/** What an image's file says of itself, before anybody decodes it: what it is, how large, and whether it is all there. */
import { either as E } from 'fp-ts'
import { orientationOf } from './orientation.ts'

export type Format = 'png' | 'jpeg' | 'webp'

export interface Header {
  readonly format: Format
  readonly width: number
  readonly height: number
  /** How it lies in the file; 1 for JPEGs, which their codec turns. */
  readonly orientation: number
}

const text = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length))

const truncated: E.Either<string, never> = E.left('it is cut off')

/** Chunks from IHDR to IEND. */
const png = (bytes: Uint8Array): E.Either<string, Header> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 33) return truncated
  if (text(bytes, 12, 4) !== 'IHDR') return E.left('it has no IHDR')
  let orientation = 1
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at)
    if (end > bytes.length) return truncated
    const name = text(bytes, at + 4, 4)
    if (name === 'IEND')
      return E.right({ format: 'png', width: view.getUint32(16), height: view.getUint32(20), orientation })
    if (name === 'eXIf') orientation = orientationOf(bytes.subarray(at + 8, end - 4))
    at = end
  }
  return truncated
}

/** Markers that stand alone: restarts, the image's beginning, and a fill. */
const isAlone = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01

/** Frames: how the image is coded, except for tables (C4, C8, CC). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** Segments from the beginning to the end of the image (FFD9); between scans stands coded data, in which FF is FF00. */
const jpeg = (bytes: Uint8Array): E.Either<string, Header> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let header: Header | undefined
  let at = 2
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) {
      const next = bytes.indexOf(0xff, at)
      if (next < 0) return truncated
      at = next
      continue
    }
    const marker = bytes[at + 1] as number
    if (marker === 0xd9) return header === undefined ? E.left('it holds no image') : E.right(header)
    if (marker === 0xff) at += 1
    else if (marker === 0 || isAlone(marker)) at += 2
    else {
      if (at + 4 > bytes.length) return truncated
      const end = at + 2 + view.getUint16(at + 2)
      if (end > bytes.length) return truncated
      if (isFrame(marker) && header === undefined) {
        if (end < at + 10) return E.left('its frame is too short')
        if ((bytes[at + 9] as number) === 4) return E.left('it has four inks, only grey and colours are read')
        header = {
          format: 'jpeg',
          height: view.getUint16(at + 5),
          width: view.getUint16(at + 7),
          orientation: 1,
        }
      }
      at = end
    }
  }
  return truncated
}

/** What a RIFF has in its chunk of Exif; nothing where there is none. */
const webpExif = (bytes: Uint8Array, view: DataView): Uint8Array => {
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true)
    if (text(bytes, at, 4) === 'EXIF') return bytes.subarray(at + 8, at + 8 + size)
    at += 8 + size + (size % 2)
  }
  return new Uint8Array(0)
}

/** A RIFF of one image: lossy, lossless, or with more about it. */
const webp = (bytes: Uint8Array): E.Either<string, Header> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 30 || view.getUint32(4, true) + 8 > bytes.length) return truncated
  const of = (width: number, height: number, orientation = 1): E.Either<string, Header> =>
    E.right({ format: 'webp', width, height, orientation })
  switch (text(bytes, 12, 4)) {
    case 'VP8 ':
      return of(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff)
    case 'VP8L': {
      const packed = view.getUint32(21, true)
      return of((packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1)
    }
    case 'VP8X':
      if (((bytes[20] as number) & 2) !== 0) return E.left('it is animated')
      return of(
        (view.getUint32(24, true) & 0xffffff) + 1,
        (view.getUint32(26, true) >>> 8) + 1,
        orientationOf(webpExif(bytes, view)),
      )
    default:
      return E.left('it is no WebP that is known')
  }
}

/** Larger images than photographs are a mistake, or a trap. */
const mostPoints = 2 ** 27

/** Left: why the bytes are no image that is read. */
export const headerOf = (bytes: Uint8Array): E.Either<string, Header> => {
  const read =
    text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n'
      ? png(bytes)
      : bytes[0] === 0xff && bytes[1] === 0xd8
        ? jpeg(bytes)
        : text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 4) === 'WEBP'
          ? webp(bytes)
          : E.left(bytes.length === 0 ? 'it is empty' : 'it is no PNG, JPEG or WebP')
  return E.filterOrElse<Header, string>(
    ({ width, height }) => width > 0 && height > 0 && width * height <= mostPoints,
    ({ width, height }) =>
      width === 0 || height === 0
        ? `it is ${width} by ${height}`
        : `it is ${width} by ${height}, at most ${mostPoints} points are read`,
  )(read)
}
