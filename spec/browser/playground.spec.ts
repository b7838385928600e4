/** The playground, used as a person would: typing, clicking, and from the keyboard. */
import { mkdirSync, readFileSync } from 'node:fs'
import type { Page as BrowserPage } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildPage } from '../../web/bundle.ts'
import { chromiumPath, launchChromium, noChromium, serve } from '../support/browser.ts'
import { skip } from '../support/skip.ts'

const test = suite('playground')

const pictures = new URL('../../.cache/', import.meta.url).pathname

const patience = 60_000

const textOf = async (page: BrowserPage, id: string): Promise<string> =>
  (await page.textContent(`#${id}`)) ?? ''

/** Waits until a fact of the page, read as a number, satisfies the test. */
const until = async (page: BrowserPage, id: string, least: number): Promise<void> => {
  await page.waitForFunction(
    ([name, n]) => Number((document.getElementById(name)?.textContent ?? '').replaceAll(',', '')) >= n,
    [id, least] as const,
    { timeout: patience },
  )
}

const inBrowser = async (): Promise<void> => {
  const browser = await launchChromium()
  const { url, close } = await serve(await buildPage(), true)
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  mkdirSync(pictures, { recursive: true })
  await page.goto(url)
  await page.waitForFunction(() => !(document.getElementById('start') as HTMLButtonElement).disabled, null, {
    timeout: patience,
  })

  const small = async (model: 'gpt' | 'bert', engine: string): Promise<void> => {
    await page.selectOption('#engine', engine)
    await page.selectOption('#model', model)
    for (const [name, value] of Object.entries({ layers: 1, width: 16, heads: 2, length: 16, batch: 8 }))
      await page.fill(`#${name}`, String(value))
  }

  const stopped = async (): Promise<void> => {
    await page.waitForSelector('body[data-activity="stopped"]', { timeout: patience })
    assert.not(await page.$('#training-message.bad'), await textOf(page, 'training-message'))
  }

  test('offers the engines that run here, and says what they are', async () => {
    const names = await page.$$eval('#engine option', (options) =>
      options.map((option) => [(option as HTMLOptionElement).value, (option as HTMLOptionElement).disabled]),
    )
    assert.ok(names.some(([name, disabled]) => name === 'wasm' && disabled === false))
    assert.match(await textOf(page, 'engine-detail'), 'WebAssembly')
  })

  test('trains a GPT on the text, from the keyboard, and the loss falls', async () => {
    await small('gpt', 'wasm')
    await page.focus('#start')
    await page.keyboard.press('Enter')
    await until(page, 'fact-step', 100)
    // Guessing among 28 characters costs 3.3.
    await page.waitForFunction(() => Number(document.getElementById('fact-loss')?.textContent) < 2.6, null, {
      timeout: patience,
    })
    assert.ok(Number((await textOf(page, 'fact-speed')).replaceAll(',', '')) > 100)
  })

  test('the page answers while it trains', async () => {
    const longest = await page.evaluate(async () => {
      const tasks: number[] = []
      const observer = new PerformanceObserver((list) => {
        tasks.push(...list.getEntries().map(({ duration }) => duration))
      })
      observer.observe({ type: 'longtask' })
      await new Promise((done) => setTimeout(done, 2000))
      observer.disconnect()
      return Math.max(0, ...tasks)
    })
    assert.ok(longest < 500, `the page was busy for ${longest} ms`)
  })

  test('shows what it looks at, also while it trains, to the arrow keys', async () => {
    await page.click('#attend-button')
    await page.waitForSelector('#attention button[aria-pressed="true"]', { timeout: patience })
    const before = await textOf(page, 'attention-note')
    await page.focus('#attention button[aria-pressed="true"]')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    assert.is.not(await textOf(page, 'attention-note'), before)
    assert.match(await textOf(page, 'attention-note'), /looks most at .*%/)
    const weights = await page.$$eval('#attention button', (cells) =>
      cells.map((cell) => Number((cell as HTMLElement).style.getPropertyValue('--weight'))),
    )
    assert.is(weights.length, 16)
    assert.ok(Math.max(...weights) === 1)
    assert.is(weights.at(-1), 0, 'a GPT does not look ahead')
  })

  let saved: Buffer | undefined

  test('stops with a sample, saves, and goes on', async () => {
    await page.click('#stop')
    await stopped()
    assert.ok((await page.$$('#samples li')).length > 0)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    assert.match(download.suggestedFilename(), /^gpt-step-\d+\.safetensors$/)
    saved = readFileSync(await download.path())
    const at = Number((await textOf(page, 'fact-step')).replaceAll(',', ''))
    await page.click('#resume')
    await until(page, 'fact-step', at + 10)
    await page.screenshot({ path: `${pictures}playground-train.png`, fullPage: true })
    await page.click('#stop')
    await stopped()
  })

  test('loads what it saved, and begins where that ended', async () => {
    await page.setInputFiles('#file', {
      name: 'gpt.safetensors',
      mimeType: 'application/octet-stream',
      buffer: saved as Buffer,
    })
    await page.waitForSelector('body[data-activity="running"]', { timeout: patience })
    await page.waitForFunction(() => Number(document.getElementById('fact-loss')?.textContent) < 2.6, null, {
      timeout: patience,
    })
    await page.click('#stop')
    await stopped()
  })

  test('refuses a file that is no checkpoint, in a sentence', async () => {
    await page.setInputFiles('#file', {
      name: 'notes.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('nothing of the kind'),
    })
    await page.waitForSelector('#training-message.bad', { timeout: patience })
    assert.match(await textOf(page, 'training-message'), 'no checkpoint of this page')
  })

  test('trains a BERT on WebGPU, which fills gaps', async () => {
    await small('bert', 'webgpu:software')
    await page.click('#start')
    await until(page, 'fact-step', 10)
    await page.click('#stop')
    await stopped()
    assert.ok((await page.$$('#samples .right, #samples .wrong')).length > 0)
    assert.match(await textOf(page, 'training-message'), 'Stopped after step')
  })

  test('differentiates a typed function, and shows its programs and kernels', async () => {
    await page.focus('#tab-train')
    await page.keyboard.press('ArrowRight')
    assert.ok(await page.isVisible('#panel-function'))
    await page.fill('#source', '(x) => sum(mul(x, sin(x)))')
    await page.fill('#shapes', '[3]')
    await page.press('#shapes', 'Enter')
    await page.waitForSelector('#derivative:not([hidden])', { timeout: patience })
    assert.match(await textOf(page, 'traced'), 'sin')
    assert.match(await textOf(page, 'differentiated'), 'cos')
    assert.match(await textOf(page, 'code'), '@compute @workgroup_size')
    assert.is((JSON.parse(await textOf(page, 'gradient')) as unknown[]).length, 3)
    await page.selectOption('#target', '1')
    assert.match(await textOf(page, 'code'), 'Math.cos')
    await page.selectOption('#target', '0')
    await page.screenshot({ path: `${pictures}playground-function.png`, fullPage: true })
  })

  test('a function that cannot be differentiated is refused, in a sentence', async () => {
    await page.fill('#source', '(x) => mul(x, x)')
    await page.press('#shapes', 'Enter')
    await page.waitForSelector('#function-message.bad', { timeout: patience })
    assert.match(await textOf(page, 'function-message'), 'a gradient is that of one number')
  })

  test('nothing was complained about', () => {
    assert.equal(complaints, [])
  })

  test.after(async () => {
    await browser.close()
    close()
  })
}

if (chromiumPath() === undefined) skip(test, 'the playground in Chromium', noChromium)
else await inBrowser()

test.run()
