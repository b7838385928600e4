/** Files: pieces of any size, which Node takes in steps below 2 GiB. */
import type { FileHandle } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRange, writeAll } from '../../core/file.ts'

const files = suite('files')

/** What Node reads or writes in one step. */
const longest = 2 ** 31 - 1

/** The pages of it that nobody touches take no memory. */
const size = 2 ** 31 + 2 ** 30 + 5

files(
  'what is larger than Node reads at once is read in several steps, each where the last has ended',
  async () => {
    const steps: (readonly [at: number, length: number, position: number])[] = []
    const read = ((buffer: Uint8Array, at: number, length: number, position: number) => {
      assert.ok(length <= longest)
      steps.push([at, length, position])
      return Promise.resolve({ bytesRead: length, buffer })
    }) as FileHandle['read']
    assert.is((await readRange({ read }, 7, 7 + size)).length, size)
    let end = 0
    for (const [at, length, position] of steps) {
      assert.equal([at, position], [end, end + 7])
      end += length
    }
    assert.is(end, size)
  },
)

files('a file that ends early gives what it has', async () => {
  const read = ((buffer: Uint8Array, at: number) =>
    Promise.resolve({ bytesRead: at < 6 ? 3 : 0, buffer })) as FileHandle['read']
  assert.is((await readRange({ read }, 0, 10)).length, 6)
})

files('what is larger than Node writes at once is written in several steps', async () => {
  let end = 0
  const write = ((buffer: Uint8Array, at: number, length: number) => {
    assert.ok(length <= longest)
    assert.is(at, end)
    end += length
    return Promise.resolve({ bytesWritten: length, buffer })
  }) as FileHandle['write']
  await writeAll({ write }, new Uint8Array(size))
  assert.is(end, size)
})

files.run()
