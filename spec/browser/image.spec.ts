/** Images in Chromium, which decodes them itself, beside what Pillow sees in them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSafetensors } from '../../core/safetensors.ts'
import { chromiumPath, launchChromium, moduleOf, noChromium, openPage } from '../support/browser.ts'
import { skip } from '../support/skip.ts'
import type { ImagePage } from './page/image.ts'

const test = suite('images in a browser')

declare const imagePage: ImagePage

const folder = fileURLToPath(new URL('../fixtures/images', import.meta.url))

/** How far a byte may be off: nothing where files keep them, some where the browser blends halved colours its own way. */
const tolerances: Readonly<Record<string, number>> = {
  'colour.png': 0,
  'grey.png': 0,
  'palette.png': 0,
  'grey.jpg': 2,
  'whole.jpg': 3,
  'turned.jpg': 3,
}

const inBrowser = async (): Promise<void> => {
  const browser = await launchChromium()
  const { page, complaints, close } = await openPage(
    browser,
    await moduleOf('spec/browser/page/image.ts'),
    false,
  )
  const found = decodeSafetensors(new Uint8Array(readFileSync(`${folder}/files.safetensors`)))
  if (E.isLeft(found)) throw new Error(found.left)
  const decode = (bytes: Uint8Array): Promise<readonly number[] | string> =>
    page.evaluate((numbers) => imagePage.decode(numbers), [...bytes])

  for (const [name, most] of Object.entries(tolerances))
    test(`${name} is what Pillow sees, but for ${most} of 255`, async () => {
      const seen = await decode(readFileSync(`${folder}/files/${name}`))
      if (typeof seen === 'string') throw new Error(seen)
      const wanted = found.right.tensors.get(name)
      assert.equal([seen[1], seen[0], 3], wanted?.shape)
      const colours = seen.slice(2).filter((_, i) => i % 4 !== 3)
      const worst = colours.reduce((a, x, i) => Math.max(a, Math.abs(x - (wanted?.data[i] as number))), 0)
      assert.ok(worst <= most, `${worst} off`)
    })

  test('files that are cut, and names of the Hub, are refused', async () => {
    const cut = readFileSync(`${folder}/files/colour.png`).subarray(0, 500)
    assert.is(await decode(cut), 'it is cut off')
    assert.match(await page.evaluate(() => imagePage.fetch('mill/heron')), 'only Node has a cache')
    assert.equal(complaints, [])
  })

  test.after(async () => {
    await close()
    await browser.close()
  })
}

if (chromiumPath() === undefined) skip(test, 'images in Chromium', noChromium)
else await inBrowser()

test.run()
