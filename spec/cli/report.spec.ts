/** Reports: one page with everything in it, whatever texts it shows. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { page } from '../../cli/report/page.ts'
import type { Report } from '../../cli/report/report.ts'

const test = suite('report')
const hostile = '</script><img src=x onerror=alert(1)>&"\'\u2028'

const report = (text: string): Report => ({
  title: text,
  lead: text,
  facts: [[text, text]],
  charts: [
    {
      title: text,
      note: text,
      curves: [{ label: text, points: [[1, 2]] }],
      levels: [{ label: text, value: 3 }],
    },
  ],
  tables: [{ title: text, note: text, head: [text], rows: [[text]] }],
  filled: [{ text: `${text} [MASK] ${text}`, answer: text, guesses: [{ token: text, probability: 0.5 }] }],
  confusion: { title: text, labels: [text], matrix: [[3]] },
  attention: { title: text, tokens: [text], weights: [[[[1]]]] },
})

/** The data in the page's own script, as a browser would read it. */
const dataOf = (html: string): unknown => {
  const script = /<script>\((?:async )?\([^]*?\)\((\{"charts".*\}), uPlot, document, window\)<\/script>/.exec(
    html,
  )
  return JSON.parse(script?.[1] ?? 'null')
}

test('nothing comes from a network', () => {
  const html = page(report('a run'))
  assert.not.match(html, /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i)
  assert.not.match(html, /@import|url\(\s*["']?http/i)
})

test('texts are shown, not run', () => {
  const html = page(report(hostile))
  assert.not.match(html, /<img/)
  assert.is(html.match(/<\/script>/g)?.length, 2)
  assert.ok(html.includes('&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;'))
})

test('numbers and texts come through to the script unchanged', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const { charts, attention } = report(text)
      assert.equal(dataOf(page(report(text))), { charts, attention })
    }),
    { numRuns: 50 },
  ))

test('parts that there are not leave no trace', () => {
  const html = page({
    ...report('x'),
    charts: [],
    tables: [],
    filled: [],
    confusion: undefined,
    attention: undefined,
  })
  assert.not.match(html, /<section>/)
})

test.run()
