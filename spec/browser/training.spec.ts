/** Training in Chromium: losses beside those of the reference engine. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chromiumPath, launchChromium, moduleOf, noChromium, openPage } from '../support/browser.ts'
import { skip } from '../support/skip.ts'
import type { Page } from './page/main.ts'

const test = suite('training in a browser')

declare const pullbackPage: Page

/** Checks losses step by step against those of the reference engine. */
const follows = (name: string, losses: readonly number[], expected: readonly number[]): void => {
  assert.is(losses.length, expected.length)
  losses.forEach((loss, step) => {
    const right = expected[step] as number
    assert.ok(Math.abs(loss - right) <= 1e-3 * right, `${name}, step ${step}: ${loss}, not ${right}`)
  })
}

const inBrowser = async (): Promise<void> => {
  const browser = await launchChromium()
  const { page, complaints } = await openPage(browser, await moduleOf('spec/browser/page/main.ts'), true)

  test('the losses of a GPT follow those of the reference engine on every other', async () => {
    const expected = await page.evaluate(() => pullbackPage.train('reference', 12))
    assert.ok((expected.at(-1) ?? 9) < 0.9 * (expected[0] ?? 0), `it learns: ${expected.join(' ')}`)
    for (const name of ['wasm', 'webgpu:software', 'gpujs:webgl2'])
      follows(name, await page.evaluate((one) => pullbackPage.train(one, 12), name), expected)
  })

  test('nothing was complained about', () => assert.equal(complaints, []))

  test.after(() => browser.close())
}

if (chromiumPath() === undefined) skip(test, 'training in Chromium', noChromium)
else await inBrowser()

test.run()
