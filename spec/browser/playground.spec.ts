/** The playground, used as a person would: typing, clicking, and from the keyboard. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Page as BrowserPage } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chromiumPath, noChromium } from '../support/browser.ts'
import { openPlayground, pictures } from '../support/playground.ts'
import { skip } from '../support/skip.ts'

const test = suite('playground')

/** Waits until a fact of the page is a number of at least that. */
const until = async (page: BrowserPage, id: string, least: number): Promise<void> => {
  await page.waitForFunction(
    ([name, n]) => Number(document.getElementById(name)?.textContent.replaceAll(',', '')) >= n,
    [id, least] as const,
  )
}

/** The number that the page writes with commas. */
const number = (text: string): number => Number(/[\d,]+/.exec(text)?.[0].replaceAll(',', ''))

const inBrowser = async (): Promise<void> => {
  const { browser, page, openTab, complaints, textOf, close } = await openPlayground()

  const small = async (model: 'gpt' | 'bert', engine: string): Promise<void> => {
    await page.selectOption('#engine', engine)
    await page.selectOption('#model', model)
    for (const [name, value] of Object.entries({ layers: 1, width: 16, heads: 2, length: 16, batch: 8 }))
      await page.fill(`#${name}`, String(value))
  }

  /** Starts, or starts anew, and waits until it runs. */
  const begin = async (): Promise<void> => {
    await page.click('#start')
    await page.waitForSelector('body[data-activity="running"]')
  }

  const stopped = async (): Promise<void> => {
    await page.waitForSelector('body[data-activity="stopped"]')
    assert.not(await page.$('#training-message.bad'), await textOf('training-message'))
  }

  const session = await page.context().newCDPSession(page)
  // as much as was computed, not as much as passed: whatever else the machine does is left out
  await session.send('Performance.setTimeDomain', { timeDomain: 'threadTicks' })
  await session.send('Performance.enable')

  /** The seconds that the page's own thread has computed. */
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
  }

  test('offers the engines that run here, and says what they are', async () => {
    const names = await page.$$eval('#engine option', (options) =>
      options.map((option) => [(option as HTMLOptionElement).value, (option as HTMLOptionElement).disabled]),
    )
    assert.ok(names.some(([name, disabled]) => name === 'wasm' && disabled === false))
    assert.match(await textOf('engine-detail'), 'WebAssembly')
  })

  test('trains a GPT on the text, from the keyboard, and the loss falls', async () => {
    await small('gpt', 'wasm')
    await page.focus('#start')
    await page.keyboard.press('Enter')
    await until(page, 'fact-step', 100)
    // Guessing among 28 characters costs 3.3.
    await page.waitForFunction(() => Number(document.getElementById('fact-loss')?.textContent) < 2.6)
    assert.ok(number(await textOf('fact-speed')) > 100)
  })

  test('the page leaves its thread alone while it trains', async () => {
    const before = await busy()
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
    console.log(
      `the longest task of the page while it trained: ${longest.toFixed(0)} ms (below 50 are not counted)`,
    )
    assert.ok((await busy()) - before < 1, 'the page computed for half of the time or more')
  })

  test('shows what it looks at, also while it trains, to the arrow keys', async () => {
    await page.click('#attend-button')
    await page.waitForSelector('#attention button[aria-pressed="true"]')
    const before = await textOf('attention-note')
    await page.focus('#attention button[aria-pressed="true"]')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    assert.is.not(await textOf('attention-note'), before)
    assert.match(await textOf('attention-note'), /looks most at .*%/)
    const weights = await page.$$eval('#attention button', (cells) =>
      cells.map((cell) => Number((cell as HTMLElement).style.getPropertyValue('--weight'))),
    )
    assert.is(weights.length, 16)
    assert.ok(Math.max(...weights) === 1)
    assert.is(weights.at(-1), 0, 'a GPT does not look ahead')
  })

  test('the map answers to the pointer, and to the arrow keys', async () => {
    await page.locator('#map').scrollIntoViewIfNeeded()
    const box = await page.locator('#map').boundingBox()
    if (box === null) throw new Error('there is no map')
    const cell = (place: number): number => (place + 0.5) / 16
    await page.hover('#map', { position: { x: box.width * cell(4), y: box.height * cell(9) } })
    const pressed = (): Promise<number> =>
      page.$$eval('#attention button', (cells) =>
        cells.findIndex((one) => one.getAttribute('aria-pressed') === 'true'),
      )
    assert.is(await pressed(), 9)
    assert.match(await textOf('attention-note'), /^layer 1, all heads: “.” looks at “r” with \d+ %/)
    await page.focus('#map')
    await page.keyboard.press('ArrowDown')
    assert.is(await pressed(), 10)
    await page.focus('#head-maps button[aria-pressed="true"]')
    await page.keyboard.press('ArrowRight')
    assert.match(await textOf('attention-note'), /^layer 1, head 1: /)
  })

  let saved: Buffer | undefined

  test('stops at Escape with a sample, saves, and goes on', async () => {
    await page.keyboard.press('Escape')
    await stopped()
    assert.ok((await page.$$('#samples li')).length > 0)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    assert.match(download.suggestedFilename(), /^gpt-step-\d+\.safetensors$/)
    saved = readFileSync(await download.path())
    const at = number(await textOf('fact-step'))
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
    await page.waitForSelector('body[data-activity="running"]')
    await page.waitForFunction(() => Number(document.getElementById('fact-loss')?.textContent) < 2.6)
    await page.click('#stop')
    await stopped()
  })

  test('refuses a file that is no checkpoint, or a part of one, in a sentence, and keeps what it had', async () => {
    const whole = saved as Buffer
    const wrong = Buffer.from(whole)
    wrong.write('}', 20)
    const steps = await textOf('fact-step')
    for (const [buffer, why] of [
      [Buffer.from('nothing of the kind'), /^this file is no checkpoint of this page/],
      [Buffer.alloc(0), /^this file is no checkpoint of this page/],
      [whole.subarray(0, 300), /the file is cut off/],
      [wrong, /^this file is no checkpoint of this page/],
      [whole.subarray(0, whole.length - 100), /\w+ \w+ \w+/],
    ] as const) {
      await page.setInputFiles('#file', {
        name: 'a.safetensors',
        mimeType: 'application/octet-stream',
        buffer,
      })
      await page.waitForSelector('#training-message.bad')
      const message = await textOf('training-message')
      assert.match(message, why)
      assert.not.match(message, /JSON|undefined|NaN|RangeError|TypeError/)
      assert.is(await textOf('fact-step'), steps)
      await page.evaluate(() => document.getElementById('training-message')?.classList.remove('bad'))
    }
    await page.click('#resume')
    await page.waitForSelector('body[data-activity="running"]')
    await page.click('#stop')
    await stopped()
  })

  test('texts that are too short are refused, in a sentence', async () => {
    const before = await page.inputValue('#text')
    for (const [text, why] of [
      ['', 'the text has 0 characters, and a context of 16 needs'],
      ['x', 'the text has 1 character, and a context of 16 needs'],
    ] as const) {
      await page.fill('#text', text)
      await page.click('#start')
      await page.waitForSelector('#training-message.bad')
      assert.match(await textOf('training-message'), why)
    }
    await page.fill('#text', before)
  })

  test('learns emoji, and what is written from right to left', async () => {
    await small('gpt', 'wasm')
    for (const text of ['👩‍🚀🌍🚀 '.repeat(40), 'שלום עולם، مرحبا بالعالم. '.repeat(20)]) {
      await page.fill('#text', text)
      await begin()
      await until(page, 'fact-step', 60)
      await page.click('#stop')
      await stopped()
      const sample = await textOf('samples')
      assert.not.match(sample, /[\ud800-\udbff](?![\udc00-\udfff])/)
      assert.ok([...text].some((character) => character !== ' ' && sample.includes(character)))
    }
    assert.is(await page.$eval('#text', (field) => getComputedStyle(field).direction), 'rtl')
  })

  test('learns from a file of ten megabytes, which the page itself hardly touches', async () => {
    const line = 'all work and no play makes a long book, and a long book takes a while to read.\n'
    const book = `${pictures}book.txt`
    writeFileSync(book, line.repeat(Math.ceil(1e7 / line.length)))
    const before = await busy()
    await page.setInputFiles('#text-file', book)
    await page.waitForFunction(() =>
      /book.txt: 10,\d+,\d+ char/.test(document.getElementById('text-note')?.textContent ?? ''),
    )
    await begin()
    await until(page, 'fact-step', 20)
    const computed = (await busy()) - before
    console.log(`the page's thread computed for ${computed.toFixed(2)} s with ten megabytes`)
    assert.ok(computed < 2, `the page computed for ${computed} s`)
    await page.click('#stop')
    await stopped()
    await page.click('#type')
    await page.fill('#text', line.repeat(20))
  })

  test('trains on WebGL2 too, and says so', async () => {
    await small('gpt', 'gpujs:webgl2')
    await begin()
    await until(page, 'fact-step', 3)
    assert.match(await textOf('training-message'), 'gpu.js in mode webgl2')
    await page.click('#stop')
    await stopped()
  })

  test('trains a BERT on WebGPU, which fills gaps', async () => {
    await small('bert', 'webgpu:software')
    await begin()
    await until(page, 'fact-step', 10)
    await page.click('#stop')
    await stopped()
    assert.ok((await page.$$('#samples .right, #samples .wrong')).length > 0)
    assert.match(await textOf('training-message'), 'Stopped after step')
  })

  test('a lost GPU is told, and training goes on from what was kept', async () => {
    const whole = await browser.newBrowserCDPSession()
    await small('gpt', 'webgpu:software')
    await begin()
    await page.waitForSelector('#samples li')
    const sampled = number(await textOf('samples'))
    await until(page, 'fact-step', sampled + 5)
    await whole.send('Browser.crashGpuProcess').catch(() => undefined)
    await page.waitForSelector('body[data-activity="stopped"]')
    const message = await textOf('training-message')
    const [, kept = ''] =
      /^The GPU was lost, and with it what was on it. Resume goes on from step ([\d,]+)\.$/.exec(message) ??
      []
    assert.ok(number(kept) >= sampled, message)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    assert.is(download.suggestedFilename(), `gpt-step-${number(kept)}.safetensors`)
    // in one task of the page, so that the worker has both before an engine can have been opened
    await page.evaluate(() => {
      for (const id of ['resume', 'stop']) document.getElementById(id)?.click()
    })
    await stopped()
    assert.match(await textOf('training-message'), `Stopped after step ${kept}.`)
    await page.click('#resume')
    await until(page, 'fact-step', number(kept) + 3)
    await page.click('#stop')
    await stopped()
    await whole.detach()
  })

  test('everything is reached by the tab key, seen when it is, and has a name', async () => {
    await page.click('#tab-train')
    await page.focus('#tab-train')
    const reached: string[] = []
    for (let count = 0; count < 60; count++) {
      await page.keyboard.press('Tab')
      const found = await page.evaluate(() => {
        const { activeElement: at } = document
        if (at === null || at === document.body) return undefined
        const { outlineStyle, outlineWidth } = getComputedStyle(at)
        const name =
          at.ariaLabel ?? ((at as HTMLInputElement).labels?.[0]?.textContent || at.textContent || '')
        return { id: at.id, name: name.trim(), ring: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 }
      })
      if (found === undefined) break
      assert.ok(found.name !== '', `${found.id} has no name`)
      assert.ok(found.ring, `${found.id || found.name} shows no ring`)
      reached.push(found.id)
    }
    for (const id of [
      'open',
      'text',
      'engine',
      'model',
      'layers',
      'rate',
      'start',
      'resume',
      'save',
      'load',
      'samples',
      'attend-text',
      'attend-button',
      'map',
    ])
      assert.ok(reached.includes(id), `${id} is not reached: ${reached.join(' ')}`)
  })

  test('fits a narrow page, light and dark, and with less motion', async () => {
    const narrow = await openTab({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    })
    await narrow.selectOption('#engine', 'wasm')
    await narrow.click('#start')
    await until(narrow, 'fact-step', 20)
    await narrow.keyboard.press('Escape')
    await narrow.waitForSelector('body[data-activity="stopped"]')
    await narrow.screenshot({ path: `${pictures}playground-narrow.png`, fullPage: true })
    for (const tab of ['train', 'function']) {
      await narrow.click(`#tab-${tab}`)
      if (tab === 'function') await narrow.waitForSelector('#derivative:not([hidden])')
      assert.is(await narrow.evaluate(() => document.documentElement.scrollWidth), 390, tab)
    }
    await narrow.close()
  })

  test('nothing was complained about', () => {
    assert.equal(complaints, [])
  })

  test.after(close)
}

if (chromiumPath() === undefined) skip(test, 'the playground in Chromium', noChromium)
else await inBrowser()

test.run()
