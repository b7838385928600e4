/** The playground, opened for specs that use it as a person would. */
import { mkdirSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { buildPage } from '../../web/bundle.ts'
import { launchChromium, serve } from './browser.ts'

/** Where pictures of the page are left for whoever wants to look at them. */
export const pictures: string = new URL('../../.cache/', import.meta.url).pathname

/** Milliseconds that a step of a test may take. */
export const patience = 60_000

export interface Playground {
  readonly browser: Browser
  readonly page: Page
  readonly url: string
  /** What the page complained about. */
  readonly complaints: readonly string[]
  readonly textOf: (id: string) => Promise<string>
  readonly close: () => Promise<void>
}

/** The page in a tab, once it knows what can compute here. */
export const waitUntilReady = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => !(document.getElementById('start') as HTMLButtonElement).disabled, null, {
    timeout: patience,
  })
}

export const openPlayground = async (): Promise<Playground> => {
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
  await waitUntilReady(page)
  return {
    browser,
    page,
    url,
    complaints,
    textOf: async (id) => (await page.textContent(`#${id}`)) ?? '',
    close: async () => {
      await browser.close()
      close()
    },
  }
}
