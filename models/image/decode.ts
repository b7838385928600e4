/**
 * Images from files: PNG, JPEG and WebP, turned as they are to be seen. In Node by the codecs of @jsquash, which are
 * libjpeg's, libwebp's and Rust's png as WebAssembly, and give the bytes that Pillow gives; in browsers by the browser.
 */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { readFailure } from '../../core/file.ts'
import { headerOf } from './header.ts'
import type { Format } from './header.ts'
import { upright } from './orientation.ts'
import type { RawImage } from './raw.ts'

type Decode = (bytes: Uint8Array<ArrayBuffer>) => RawImage | null

/** The class that pages have, and Node has not: the codec of PNGs asks for it, those of JPEG and WebP bring theirs. */
class Image implements RawImage {
  readonly data: Uint8ClampedArray
  readonly width: number
  readonly height: number

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data
    this.width = width
    this.height = height
  }
}

/** Runs what asks for `ImageData`; nobody else sees it, as nothing else runs in between. */
const withImageData = <A>(run: () => A): A => {
  if ('ImageData' in globalThis) return run()
  Object.assign(globalThis, { ImageData: Image })
  try {
    return run()
  } finally {
    Reflect.deleteProperty(globalThis, 'ImageData')
  }
}

const wasmOf = async (path: string): Promise<WebAssembly.Module> => {
  const { readFile } = await import('node:fs/promises')
  const { fileURLToPath } = await import('node:url')
  return WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve(path))))
}

/** What a factory of Emscripten is told so that it takes the module that was read. */
const given = (module: WebAssembly.Module): object => ({
  noInitialRun: true,
  // What a codec complains of is not for the console.
  print: () => undefined,
  printErr: () => undefined,
  instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
    const instance = new WebAssembly.Instance(module, imports)
    done(instance)
    return instance.exports
  },
})

type Factory<M> = (options: object) => Promise<M>

const opening: Readonly<Record<Format, () => Promise<Decode>>> = {
  png: async () => {
    const { decode, initSync } = await import('@jsquash/png/codec/pkg/squoosh_png.js')
    initSync(await wasmOf('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'))
    return (bytes) => withImageData(() => decode(bytes))
  },
  jpeg: async () => {
    const { default: factory } = await import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js')
    type Codec = { readonly decode: (bytes: Uint8Array, upright: boolean) => RawImage | null }
    const codec = await (factory as unknown as Factory<Codec>)(
      given(await wasmOf('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')),
    )
    return (bytes) => codec.decode(bytes, true)
  },
  webp: async () => {
    const { default: factory } = await import('@jsquash/webp/codec/dec/webp_dec.js')
    type Codec = { readonly decode: (bytes: Uint8Array) => RawImage | null }
    const codec = await (factory as unknown as Factory<Codec>)(
      given(await wasmOf('@jsquash/webp/codec/dec/webp_dec.wasm')),
    )
    return (bytes) => codec.decode(bytes)
  },
}

const opened = new Map<Format, Promise<Decode>>()

const decoderOf = (format: Format): Promise<Decode> => {
  const known = opened.get(format) ?? opening[format]()
  opened.set(format, known)
  return known
}

const inBrowser = async (bytes: Uint8Array<ArrayBuffer>): Promise<RawImage> => {
  const bitmap = await createImageBitmap(new Blob([bytes]), {
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  })
  const { width, height } = bitmap
  const canvas = new OffscreenCanvas(width, height).getContext('2d')
  if (canvas === null) throw new Error('there is no canvas')
  canvas.drawImage(bitmap, 0, 0)
  return canvas.getImageData(0, 0, width, height)
}

/**
 * The image that a file's bytes are.
 *
 * @returns Left: why they are none, in words.
 * @example
 * ```ts
 * console.log(await decodeImage(new Uint8Array([0xff, 0xd8]))()) // => { _tag: 'Left', left: 'it is cut off' }
 * ```
 */
export const decodeImage = (bytes: Uint8Array): TE.TaskEither<string, RawImage> =>
  F.pipe(
    TE.fromEither(headerOf(bytes)),
    TE.flatMap(({ format, width, height, orientation }) =>
      TE.tryCatch(
        async () => {
          const own = new Uint8Array(bytes)
          const isPage = typeof createImageBitmap === 'function'
          const found = isPage ? await inBrowser(own) : (await decoderOf(format))(own)
          if (found === null || found.width * found.height !== width * height) throw new Error('no image')
          return isPage ? found : upright(found, orientation)
        },
        () => {
          // A codec that has come to grief is not asked again.
          opened.delete(format)
          return `it is no ${format.toUpperCase()} that can be decoded`
        },
      ),
    ),
  )

/** A photograph has fewer bytes. */
const largestFile = 2 ** 28

/**
 * The image in a file: PNG, JPEG or WebP.
 *
 * @returns Left: why there is none, in one sentence.
 * @example
 * ```ts
 * console.log(await readImage('nowhere.png')()) // => { _tag: 'Left', left: 'nowhere.png does not exist' }
 * ```
 */
export const readImage = (path: string): TE.TaskEither<string, RawImage> =>
  F.pipe(
    TE.tryCatch(
      async () => {
        const { readFile, stat } = await import('node:fs/promises')
        const { size } = await stat(path)
        return size > largestFile ? size : await readFile(path)
      },
      (error) => `${path} ${readFailure(error)}`,
    ),
    TE.flatMapEither((found): E.Either<string, Uint8Array> =>
      typeof found === 'number'
        ? E.left(`${path} has ${found} bytes, at most ${largestFile} are read`)
        : E.right(found),
    ),
    TE.flatMap((bytes) => TE.mapLeft((why: string) => `${path} cannot be seen: ${why}`)(decodeImage(bytes))),
  )
