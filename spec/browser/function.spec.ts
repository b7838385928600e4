/** The playground's tab for typed functions, used as a person would. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chromiumPath, noChromium } from '../support/browser.ts'
import { openPlayground, pictures } from '../support/playground.ts'
import { skip } from '../support/skip.ts'

const test = suite('functions in the playground')

const inBrowser = async (): Promise<void> => {
  const { page, complaints, textOf, close } = await openPlayground()

  test('differentiates a typed function, and shows its programs and kernels', async () => {
    await page.focus('#tab-train')
    await page.keyboard.press('ArrowRight')
    assert.ok(await page.isVisible('#panel-function'))
    await page.fill('#source', '(x) => sum(mul(x, sin(x)))')
    await page.fill('#shapes', '[3]')
    await page.press('#shapes', 'Enter')
    await page.waitForFunction(() => document.getElementById('traced')?.textContent.includes('sin'))
    assert.match(await textOf('differentiated'), 'cos')
    assert.match(await textOf('code'), '@compute @workgroup_size')
    assert.is((JSON.parse(await textOf('gradient')) as unknown[]).length, 3)
    const expected = [
      /@compute @workgroup_size/,
      /#version 300 es[^]*void kernel\(\)/,
      /\(func \(param \$block i32\)[^]*f32x4\./,
      /Math\.cos/,
      /"kind":"map"/,
    ]
    for (const [index, what] of expected.entries()) {
      await page.selectOption('#target', String(index))
      assert.match(await textOf('code'), what)
    }
    await page.selectOption('#target', '0')
    await page.screenshot({ path: `${pictures}playground-function.png`, fullPage: true })
  })

  test('a function that cannot be differentiated is refused, in a sentence', async () => {
    await page.fill('#source', '(x) => mul(x, x)')
    await page.press('#shapes', 'Enter')
    await page.waitForSelector('#function-message.bad')
    assert.match(await textOf('function-message'), 'a gradient is that of one number')
  })

  test('a function that never ends, and arguments that are too large, are given up', async () => {
    const asked = async (source: string, shapes: string): Promise<string> => {
      await page.fill('#source', source)
      await page.fill('#shapes', shapes)
      await page.evaluate(() => document.getElementById('function-message')?.classList.remove('bad'))
      await page.press('#shapes', 'Enter')
      await page.waitForSelector('#function-message.bad')
      return textOf('function-message')
    }
    assert.match(await asked('(x) => sum(x)', '[1000, 10000]'), 'the arguments have 10000000 numbers in all')
    assert.match(await asked('(x) => { while (true) {} }', '[3]'), 'was given up')
    await page.fill('#source', '(x) => sum(mul(x, x))')
    await page.press('#shapes', 'Enter')
    await page.waitForFunction(() => document.getElementById('function-message')?.textContent === '')
  })

  test('what is wrong in a typed function is named at its place', async () => {
    for (const [source, message, selected] of [
      [
        '(x) => {\n  const y = wat(x)\n  return sum(y)\n}',
        'Line 2, column 13: there is no operation or value named wat',
        'wat',
      ],
      ['(x) => {\n  return sum(x\n}', 'Line 2, column 14: missing ) after argument list', 'x'],
      ['(x) =>\n  sum(reshape(x, [2]))', 'Line 2, column 7: reshape: ', 'reshape'],
      ['(x) => sum(x', 'Line 1, column 13: a bracket is missing, or there is one too many', ''],
    ] as const) {
      await page.fill('#source', source)
      await page.evaluate(() => document.getElementById('function-message')?.classList.remove('bad'))
      await page.press('#shapes', 'Enter')
      await page.waitForSelector('#function-message.bad')
      assert.is((await textOf('function-message')).slice(0, message.length), message)
      assert.is(await page.getAttribute('#source', 'aria-invalid'), 'true')
      const { start, end } = await page.$eval('#source', (field) => {
        const { selectionStart, selectionEnd } = field as HTMLTextAreaElement
        return { start: selectionStart, end: selectionEnd }
      })
      assert.is(source.slice(start, end), selected)
    }
  })

  test('nothing was complained about', () => {
    assert.equal(complaints, [])
  })

  test.after(close)
}

if (chromiumPath() === undefined) skip(test, 'functions in the playground in Chromium', noChromium)
else await inBrowser()

test.run()
