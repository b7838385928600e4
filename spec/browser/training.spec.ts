/** Training in Chromium: losses beside those of the reference engine, and what a run holds of the GPU. */
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
    const expected = await page.evaluate(() => pullbackPage.train('reference', 15))
    assert.ok((expected.at(-1) ?? 9) < 0.8 * (expected[0] ?? 0), `it learns: ${expected.join(' ')}`)
    for (const name of ['wasm', 'webgpu:software', 'gpujs:webgl2'])
      follows(name, await page.evaluate((one) => pullbackPage.train(one, 15), name), expected)
  })

  // gpu.js reads every result back, which in software takes a third of a second a step
  for (const [name, steps] of [
    ['webgpu:software', 500],
    ['gpujs:webgl2', 40],
  ] as const)
    test(`${steps} steps on ${name} hold no more memory of the GPU than a fifth of them`, async () => {
      const { held, live } = await page.evaluate(([one, n]) => pullbackPage.growth(one, n), [
        name,
        steps,
      ] as const)
      const [early, late] = [held[1], held.at(-1)]
      console.log(name, JSON.stringify(late), `${live.at(-1)} bytes live`)
      assert.ok(early !== undefined && late !== undefined)
      for (const what of ['buffers', 'bytes', 'textures'] as const)
        assert.ok(late[what] <= early[what], `${what}: ${held.map((one) => one[what]).join(' ')}`)
      assert.ok(name.startsWith('webgpu') ? late.bytes > 0 : late.textures > 0, 'something was counted')
      assert.is(live.at(-1), live[1], live.join(' '))
    })

  test('nothing was complained about', () => assert.equal(complaints, []))

  test.after(() => browser.close())
}

if (chromiumPath() === undefined) skip(test, 'training in Chromium', noChromium)
else await inBrowser()

test.run()
