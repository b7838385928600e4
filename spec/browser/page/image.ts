/** What the spec of images runs inside the browser's page. */
import { either as E } from 'fp-ts'
import { decodeImage, fetchModel } from 'pullback/models'

const page = {
  /** The size of a file's image and its bytes, or why there is none. */
  decode: async (bytes: readonly number[]): Promise<readonly number[] | string> => {
    const found = await decodeImage(Uint8Array.from(bytes))()
    if (E.isLeft(found)) return found.left
    const { data, width, height } = found.right
    return [width, height, ...data]
  },
  fetch: async (name: string): Promise<string> => E.toUnion(await fetchModel(name)()),
}

export type ImagePage = typeof page

Object.assign(globalThis, { imagePage: page })
