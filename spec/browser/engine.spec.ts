/** The engines in Chromium: the same laws and losses as in Node, in pages that may and may not share memory. */
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bundle, chromiumPath, launchChromium, moduleOf, noChromium, openPage } from '../support/browser.ts'
import { skip } from '../support/skip.ts'
import type { Page } from './page/main.ts'

const test = suite('engines in a browser')

declare const pullbackPage: Page

const kinds = ['map', 'reduce', 'matmul', 'scatter', 'sort', 'scan', 'custom'] as const

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
  const module = await moduleOf('spec/browser/page/main.ts')

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
      assert.match(detail, isolated ? /2 threads$/ : '1 thread (memory cannot be shared here)')
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

    test('gpujs ends kernels that nobody keeps, and no others; what runs is not ended', async () => {
      for (const mode of ['webgl2', 'webgpu'])
        assert.equal(
          await page.evaluate((name) => pullbackPage.endedKernels(name), `gpujs:${mode}`),
          [
            [2, 3],
            [4, 5],
            [50, 60],
          ],
          mode,
        )
    })

    test('a program is listed as the shaders that gpu.js makes of it, each of which compiles', async () => {
      const shaders = await page.evaluate(() => pullbackPage.shaders())
      assert.ok(shaders.length > 3)
      for (const { label, code, log } of shaders) {
        assert.match(label, /^(map|reduce) /)
        assert.is(log, 'compiled', `${label}: ${code}`)
        assert.match(code, /^#version 300 es\n/)
        assert.match(code, 'void kernel()')
        assert.match(code, 'precision highp float')
      }
    })

    test('1, 2 and 3 threads that share memory give the same bits', async () => {
      const details = await page.evaluate(() => pullbackPage.sameBits(60))
      assert.equal(
        details.map((detail) => /\d threads?$/.exec(detail)?.[0]),
        ['1 thread', '2 threads', '3 threads'],
      )
    })

    test('nothing was complained about', async () => {
      assert.equal(complaints, [])
      await opened.close()
    })
  }

  test('workers that fail are told of, and the calling thread computes alone', async () => {
    const { page, close } = await openPage(browser, module, true)
    const { detail, sum } = await page.evaluate(() => pullbackPage.withBrokenWorkers())
    assert.match(detail, /1 thread \(a worker thread was lost: .*broken on purpose\)$/)
    assert.is(sum, 28500)
    await close()
  })

  test('a policy without blob: leaves one thread, and says what would have to be allowed', async () => {
    const policy = "default-src 'self' data:; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
    const { page, close } = await openPage(browser, module, true, policy)
    await page.waitForFunction(async () => (await pullbackPage.detail('wasm')).includes('1 thread'))
    assert.match(
      await page.evaluate(() => pullbackPage.detail('wasm')),
      /1 thread \(a worker thread was lost: .*worker-src has to allow blob:\)$/,
    )
    await page.evaluate(() => pullbackPage.train('wasm', 3))
    await close()
  })

  test('a policy without WebAssembly refuses the engine, in a sentence', async () => {
    const { page, close } = await openPage(browser, module, true, "default-src 'self' data:")
    const { wasm = '' } = await page.evaluate(() => pullbackPage.available())
    assert.match(wasm, /^no: .*(Content Security Policy|unsafe-eval)/)
    await close()
  })

  test('threads share work also where the bundler keeps the names of functions, and minifies', async () => {
    for (const options of [{ keepNames: true }, { minify: true }]) {
      const { page, close } = await openPage(
        browser,
        await moduleOf('spec/browser/page/main.ts', options),
        true,
      )
      const details = await page.evaluate(() => pullbackPage.sameBits(5))
      assert.match(details.at(-1) ?? '', /3 threads$/, JSON.stringify(options))
      await close()
    }
  })

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
