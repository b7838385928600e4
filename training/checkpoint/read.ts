/** Reading the file of tensors of a checkpoint. */
import { either as E } from 'fp-ts'
import { readRange } from '../../core/file.ts'
import {
  decodeSafetensorsHeader,
  decodeSafetensorsTensor,
  safetensorsHeaderSize,
} from '../../core/safetensors.ts'
import type { SafetensorsTensor } from '../../core/safetensors.ts'
import { checkForms } from './tree.ts'

/**
 * Reads a file of tensors one by one; the forms are checked before any numbers are read. `see` is shown all bytes, in
 * order.
 */
export const readTensors = async (
  path: string,
  like: unknown,
  see: (bytes: Uint8Array) => void = () => {},
): Promise<E.Either<string, ReadonlyMap<string, SafetensorsTensor>>> => {
  const damaged = (reason: string): E.Either<string, never> => E.left(`is damaged (${reason})`)
  const { open } = await import('node:fs/promises')
  const handle = await open(path, 'r')
  try {
    const { size: fileSize } = await handle.stat()
    const headerSize = safetensorsHeaderSize(await readRange(handle, 0, 8), fileSize)
    if (E.isLeft(headerSize)) return damaged(headerSize.left)
    const start = await readRange(handle, 0, headerSize.right)
    see(start)
    const header = decodeSafetensorsHeader(start, fileSize)
    if (E.isLeft(header)) return damaged(header.left)
    const forms = checkForms(header.right.tensors, like)
    if (E.isLeft(forms)) return forms
    const tensors = new Map<string, SafetensorsTensor>()
    for (const [name, info] of header.right.tensors) {
      const bytes = await readRange(handle, info.begin, info.end)
      see(bytes)
      const one = decodeSafetensorsTensor(info, bytes)
      if (E.isLeft(one)) return damaged(`${one.left}, in ${name}`)
      tensors.set(name, one.right)
    }
    return E.right(tensors)
  } finally {
    await handle.close()
  }
}
