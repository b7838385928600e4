/** What only devices with float16 do, on one of Dawn's that computes nothing and has every feature. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rememberTiles, tiles, tuneTiles, webGpuEngine } from '../../../kernels/webgpu/index.ts'
import { skip } from '../../support/skip.ts'

const test = suite('webgpu idle')
const folder = mkdtempSync(join(tmpdir(), 'pullback-tiles-'))
process.env['XDG_CACHE_HOME'] = folder

const name = 'webgpu'
const dawn = (await import(name).catch(() => undefined)) as
  { readonly create: (options: readonly string[]) => GPU } | undefined

if (dawn === undefined) skip(test, 'tiles of float16', "npm's package webgpu does not load on this system")
else {
  // Where the engine looks first, as in a browser.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: dawn.create(['backend=null']) } })
  const engine = await webGpuEngine({ software: true, matmulPrecision: 'float16' })

  test('tiles are measured and remembered for each precision, and taken by engines that come later', async () => {
    const shapes = [{ batch: 3, rows: 1000, inner: 256, columns: 512 }] as const
    const key = `${engine.adapter.name}|4|1024|256|512`
    const [half, whole] = [
      await tuneTiles(shapes, { matmulPrecision: 'float16' }),
      await tuneTiles(shapes),
    ] as const
    assert.equal([Object.keys(half), Object.keys(whole)], [[`${key}|f16`], [key]])
    for (const tile of [...Object.values(half), ...Object.values(whole)]) assert.ok(tiles.includes(tile))
    assert.not.match(engine.detail, 'tiles measured')
    assert.ok(
      E.isRight(
        rememberTiles({ ...half, ...whole, 'another device|1|2|3|4': tiles[0] as (typeof tiles)[number] }),
      ),
    )
    const later = await webGpuEngine({ software: true })
    assert.match(later.detail, 'tiles measured for products of 2 sizes')
    const without = await webGpuEngine({ software: true, tiles: {} })
    assert.not.match(without.detail, 'tiles measured')
    await Promise.all([later.close(), without.close()])
  })

  test.after(() => engine.close())
}

test.after(() => rmSync(folder, { recursive: true }))

test.run()
