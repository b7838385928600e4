/** The playground, opened for specs that use it as a person would. */
import { mkdirSync } from 'node:fs'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { buildPage } from '../../web/bundle.ts'
import { launchChromium, patience, serve } from './browser.ts'

/** Where pictures of the page are left for whoever wants to look at them. */
export const pictures: string = new URL('../../.cache/', import.meta.url).pathname

export interface Playground {
  readonly browser: Browser
  readonly page: Page
  /** Opens the playground once more, in a tab of its own. */
  readonly openTab: (options: BrowserContextOptions) => Promise<Page>
  /** What the page complained about. */
  readonly complaints: readonly string[]
  readonly textOf: (id: string) => Promise<string>
  readonly close: () => Promise<void>
}

export const openPlayground = async (): Promise<Playground> => {
  const browser = await launchChromium()
  const { url, close } = await serve(await buildPage(), true)
  const complaints: string[] = []
  const openTab = async (options: BrowserContextOptions): Promise<Page> => {
    const page = await browser.newPage(options)
    page.setDefaultTimeout(patience)
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(url)
    // once it knows what can compute here
    await page.waitForSelector('#start:not([disabled])')
    return page
  }
  mkdirSync(pictures, { recursive: true })
  const page = await openTab({ viewport: { width: 1280, height: 1000 } })
  return {
    browser,
    page,
    openTab,
    complaints,
    textOf: async (id) => (await page.textContent(`#${id}`)) ?? '',
    close: async () => {
      await browser.close()
      close()
    },
  }
}
