/** The engines in Chromium: the same laws and losses as in Node, in pages that may and may not share memory. */
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bundle, chromiumPath, launchChromium, noChromium, openPage } from '../support/browser.ts'
import { skip } from '../support/skip.ts'
import type { Page } from './page/main.ts'

const test = suite('engines in a browser')

declare const pullbackPage: Page

const kinds = ['map', 'reduce', 'matmul', 'scatter', 'sort', 'scan', 'custom'] as const

const code = async (entry: string): Promise<Uint8Array> => {
  const { outputFiles, warnings } = await bundle(entry)
  assert.equal(
    warnings.map(({ text }) => text),
    [],
  )
  return (outputFiles[0] as (typeof outputFiles)[number]).contents
}

/** The size of a program that imports everything from a door of the package, in kilobytes, as it is and packed. */
const sizeOf = async (door: string): Promise<readonly [whole: number, packed: number]> => {
  const { outputFiles } = await bundle('', {
    entryPoints: [],
    stdin: { contents: `export * from '${door}'`, resolveDir: new URL('../..', import.meta.url).pathname },
    minify: true,
    external: ['node:*', 'gpu.js'],
  })
  const { contents } = outputFiles[0] as (typeof outputFiles)[number]
  return [contents.length / 1000, gzipSync(contents).length / 1000]
}

const inBrowser = async (): Promise<void> => {
  const browser = await launchChromium()
  const module = await code('spec/browser/page/main.ts')

  for (const isolated of [true, false]) {
    const where = isolated ? 'isolated' : 'not isolated'
    const opened = await openPage(browser, module, isolated)
    const { page, complaints } = opened

    test(`${where}: one module, loaded by a script tag, without complaint`, async () => {
      assert.is(await page.evaluate(() => pullbackPage.isolated()), isolated)
      assert.match(await page.evaluate(() => pullbackPage.runtime()), 'Mozilla')
      assert.equal(complaints, [])
    })

    test(`${where}: wasm runs with as many threads as may share memory`, async () => {
      const detail = await page.evaluate(() => pullbackPage.detail('wasm'))
      assert.match(detail, isolated ? /\d+ threads?$/ : '1 thread (memory cannot be shared here)')
    })

    test(`${where}: wasm agrees with the reference`, async () => {
      await page.evaluate(() => pullbackPage.agree('wasm', 60))
      await page.evaluate(() => pullbackPage.operations('wasm', false))
    })

    if (!isolated) {
      test.after(opened.close)
      continue
    }

    test('webgpu names the adapter, and agrees with the reference', async () => {
      assert.match(
        await page.evaluate(() => pullbackPage.detail('webgpu:software')),
        /\d+ buffers of up to \d+ MiB a kernel/,
      )
      await page.evaluate((all) => pullbackPage.agree('webgpu:software', 40, { kinds: all }), kinds)
      await page.evaluate(() => pullbackPage.operations('webgpu:software', true))
    })

    test('gpujs agrees with the reference in mode webgl2, and in mode webgpu', async () => {
      for (const mode of ['webgl2', 'webgpu']) {
        assert.match(
          await page.evaluate((name) => pullbackPage.detail(name), `gpujs:${mode}`),
          `gpu.js in mode ${mode}`,
        )
        await page.evaluate(([name, all]) => pullbackPage.agree(name, 40, { kinds: all }), [
          `gpujs:${mode}`,
          kinds,
        ] as const)
      }
    })

    test('the losses of a training run are the same on every engine', async () => {
      const expected = await page.evaluate(() => pullbackPage.train('reference', 20))
      assert.ok((expected.at(-1) ?? 1) < 0.5 * (expected[0] ?? 0), 'it learns')
      for (const name of ['wasm', 'webgpu:software', 'gpujs:webgl2']) {
        const losses = await page.evaluate((one) => pullbackPage.train(one, 20), name)
        losses.forEach((loss, step) => {
          const right = expected[step] as number
          assert.ok(Math.abs(loss - right) <= 1e-4 * right, `${name}, step ${step}: ${loss}, not ${right}`)
        })
      }
    })

    test('nothing was complained about', async () => {
      assert.equal(complaints, [])
      await opened.close()
    })
  }

  test('what a page has to load', async () => {
    for (const door of [
      'pullback',
      'pullback/kernels',
      'pullback/nn',
      'pullback/models',
      'pullback/training',
    ]) {
      const [whole, packed] = await sizeOf(door)
      console.log(`${door}: ${whole.toFixed(0)} kB, ${packed.toFixed(0)} kB with gzip`)
      assert.ok(packed < 400, `${door} has grown to ${packed} kB`)
    }
  })

  test.after(() => browser.close())
}

if (chromiumPath() === undefined) skip(test, 'engines in Chromium', noChromium)
else await inBrowser()

test.run()
