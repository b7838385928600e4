/** What a long run of training in Chromium holds of the GPU: as much at its end as near its beginning. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chromiumPath, launchChromium, moduleOf, noChromium, openPage } from '../support/browser.ts'
import { skip } from '../support/skip.ts'
import type { Page } from './page/main.ts'

const test = suite('memory of the GPU in a browser')

declare const pullbackPage: Page

const inBrowser = async (): Promise<void> => {
  const browser = await launchChromium()
  const { page, complaints } = await openPage(browser, await moduleOf('spec/browser/page/main.ts'), true)

  // What is asked is 500 steps on WebGPU. gpu.js reads every result back, which in software takes a third of a second
  // a step: on WebGL2 there are as many as take a part of a minute.
  for (const [name, steps] of [
    ['webgpu:software', 500],
    ['gpujs:webgl2', 60],
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

if (chromiumPath() === undefined) skip(test, 'memory of the GPU in Chromium', noChromium)
else await inBrowser()

test.run()
