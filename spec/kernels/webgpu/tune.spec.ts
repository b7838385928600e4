/** Tiles that are measured and remembered. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { item, matmul, random, sum, withEngine } from '../../../core/index.ts'
import {
  openWebGpu,
  rememberTiles,
  rememberedTiles,
  tiles,
  tuneTiles,
} from '../../../kernels/webgpu/index.ts'
import { given, skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu tune')
const folder = mkdtempSync(join(tmpdir(), 'pullback-tiles-'))
process.env['XDG_CACHE_HOME'] = folder

test('what is remembered is added to, and what is no tile is left out', () => {
  const [large, small] = [tiles[0], tiles[2]] as const
  assert.equal(rememberedTiles(), {})
  assert.ok(E.isRight(rememberTiles({ one: large as (typeof tiles)[number] })))
  assert.ok(E.isRight(rememberTiles({ two: small as (typeof tiles)[number] })))
  assert.equal(rememberedTiles(), { one: large, two: small })
  const file = join(folder, 'pullback', 'tiles.json')
  writeFileSync(file, JSON.stringify({ one: large, other: { rows: 3 } }))
  assert.equal(rememberedTiles(), { one: large })
  writeFileSync(file, '{"one"')
  assert.equal(rememberedTiles(), {})
})

test('where nothing can be written, a sentence says so', () => {
  process.env['XDG_CACHE_HOME'] = join(folder, 'pullback', 'tiles.json')
  const written = rememberTiles({})
  process.env['XDG_CACHE_HOME'] = folder
  assert.match(E.isLeft(written) ? written.left : '', 'webgpu: tiles cannot be remembered')
})

const opened = await gpuForTests({ plain: false, tiles: {} })
if (E.isLeft(opened)) skip(test, 'measuring on a device', opened.left)
else {
  const engine = opened.right
  test('the fastest of all tiles is found, and changes a product by rounding alone', async () => {
    const table = await tuneTiles([{ rows: 40, inner: 16, columns: 60 }])
    const [[key, tile], ...others] = Object.entries(table) as [[string, (typeof tiles)[number]]]
    assert.is(key, `${engine.adapter.name}|1|64|16|64`)
    assert.ok(tiles.includes(tile))
    assert.equal(others, [])
    const tuned = openWebGpu({ software: true, plain: false, tiles: table })
    if (E.isLeft(tuned)) return assert.unreachable(tuned.left)
    const product = (own: typeof engine): Promise<number> =>
      item(
        withEngine(own, () =>
          sum(matmul(random.normal(random.key(0), [40, 16]), random.normal(random.key(1), [16, 60]))),
        ),
      )
    const [one, two] = [await product(engine), await product(tuned.right)]
    assert.ok(Math.abs(one - two) < 1e-3, `${one}, ${two}`)
    await tuned.right.close()
  })

  const hasHalf = engine.adapter.features.includes('shader-f16')
  given(
    test,
    !hasHalf,
    'this device has float16',
  )('float16 that is not there is refused', async () => {
    try {
      await tuneTiles([{ rows: 40, inner: 16, columns: 60 }], { matmulPrecision: 'float16' })
    } catch (error) {
      return assert.match((error as Error).message, 'has no float16 (shader-f16)')
    }
    assert.unreachable('it was not refused')
  })
  test.after(() => engine.close())
}

test.after(() => rmSync(folder, { recursive: true }))

test.run()
