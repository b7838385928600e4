import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cleanParagraphs, plainText, withoutMarkup } from '../../../training/data/clean.ts'
import { kindOf, kinds } from '../../../training/data/kind.ts'

const clean = suite('clean')

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        'word',
        'Two words. ',
        '\n',
        '\n\n',
        '# ',
        '- ',
        '```',
        '/** ',
        ' * ',
        ' */',
        '// ',
        '[a](b)',
        '![a](b)',
        '<!--',
        '-->',
        '<b>',
        '| a | b |',
        '@param x ',
        '{@link y}',
        '> ',
        '`c`',
        '\t',
        '\r',
        '\u200b',
        '\x1b[31m',
        '{ x: 1 }',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
)

clean('paragraphs are single lines without control characters, and not empty', () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(...kinds), (text, kind) => {
      for (const paragraph of cleanParagraphs(text, kind)) {
        assert.is(paragraph, paragraph.trim())
        assert.is.not(paragraph, '')
        assert.not.match(paragraph, /[\p{Cc}\p{Zl}\p{Zp}]| {2}/u)
      }
    }),
    { numRuns: 500 },
  )
})

clean('plain text stays as it is when it is made plain again', () => {
  fc.assert(fc.property(anyText, (text) => plainText(plainText(text)) === plainText(text)))
  assert.is(plainText('a\r\nb\rc\u2028d\u00a0e\tf\u200b\x00\x1b[1mg\u00ad'), 'a\nb\nc\nd e fg')
  assert.is(plainText('e\u0301'), '\u00e9', 'composed')
})

clean('words without markup survive in every kind', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcdefghij'), minLength: 2, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.constantFrom(...kinds), (words, kind) => {
      assert.equal(cleanParagraphs(words.join(' '), kind), [words.join(' ')])
      assert.equal(cleanParagraphs(words.join('\n\n'), kind), words)
    }),
  )
})

const readme = `---
title: x
---
# The *great* package

[![build](https://ci.example/badge.svg)](https://ci.example) ![npm](n.svg)
<!-- a comment
over lines -->
- [Install](#install)
- [Usage](#usage)

Install with \`npm\`, then
see [the docs](https://example.org/a_(b)) or https://example.org.

\`\`\`js
const hidden = true
\`\`\`

* **bold** item
  goes on
* <kbd>Ctrl</kbd> &amp; more :tada:

| name | what it does |
|------|--------------|
| \`a\`  | adds numbers |

Setext
------
[docs]: https://example.org
Returns a Promise<string>.
`

clean('markdown: the text it shows, without badges, contents, code and frames', () => {
  assert.equal(cleanParagraphs(readme, 'documentation'), [
    'The great package',
    'Install with npm, then see the docs or',
    'bold item goes on',
    'Ctrl & more',
    'name what it does',
    'a adds numbers',
    'Setext',
    'Returns a Promise<string>.',
  ])
})

const program = `#!/usr/bin/env node
"use strict";
/* eslint-disable no-console */
/**
 * Adds two numbers.
 * See {@link subtract} for \`a - b\`.
 *
 * @param a the first
 * @returns their sum
 */
export function add(a: number, b: number): number {
  // a comment
  // of two lines
  return a + b // and at the end
}

/* one */ const glob = '/**/*.js'
//# sourceMappingURL=x.map
`

clean('programs: comments as prose, code in groups', () => {
  assert.equal(cleanParagraphs(program, 'source'), [
    'Adds two numbers. See subtract for a - b.',
    '@param a the first',
    '@returns their sum',
    'export function add(a: number, b: number): number {',
    'a comment of two lines',
    'return a + b // and at the end }',
    'one',
    "const glob = '/**/*.js'",
  ])
})

clean('licences and plain text: lines joined, rules and quotation marks gone', () => {
  const licence = 'MIT\n=====\n\n> Permission is hereby\n> granted\n\n 1. Do\n    this\n 2. and that'
  assert.equal(cleanParagraphs(licence, 'licence'), [
    'MIT',
    'Permission is hereby granted',
    '1. Do this',
    '2. and that',
  ])
})

clean('encoded data goes, long words and paths stay', () => {
  const path = 'node_modules/package/dist/folder'
  const text = `see ${path} and ${'QUJD'.repeat(30)} or d41d8cd98f00b204e9800998ecf8427e`
  assert.equal(cleanParagraphs(text, 'text'), [`see ${path} and or`])
})

clean('markup that is never closed takes no more time than text', () => {
  // Long enough that time that grows with the square would be many minutes.
  const before = process.cpuUsage()
  for (const part of ['[', '![', '[a](((', '<!--', '<a ', '`', '**a', '{@link ', '/**', '. A', '.', ' '])
    for (const kind of kinds) cleanParagraphs(part.repeat(300_000), kind)
  const seconds = process.cpuUsage(before).user / 1e6
  assert.ok(seconds < 60, `${seconds} s`)
})

clean('the kind of a file by its name', () => {
  const expected = {
    'README.md': 'documentation',
    'index.d.ts': 'declarations',
    'a.d.mts': 'declarations',
    'index.js': 'source',
    LICENSE: 'licence',
    'license.md': 'licence',
    'LICENSE-MIT.txt': 'licence',
    COPYING: 'licence',
    'ThirdPartyNoticeText.txt': 'licence',
    'license.js': 'source',
    'package.json': 'data',
    'notes.txt': 'text',
    'jquery.min.js': undefined,
    'index.js.map': undefined,
    'package-lock.json': undefined,
    'yarn.lock': undefined,
    '.npmrc': undefined,
    'logo.png': undefined,
    'books.txt.gz': undefined,
  } as const
  for (const [name, kind] of Object.entries(expected)) assert.is(kindOf(name), kind, name)
})

clean('inline markup', () => {
  assert.is(withoutMarkup('**a** _b_ *c* `d` [e](f) [g][h] ![i](j)'), 'a b c d e g ')
  assert.is(
    withoutMarkup('2 * 3 * 4, snake_case_name, Array<T>, a[0]'),
    '2 * 3 * 4, snake_case_name, Array<T>, a[0]',
  )
})

clean.run()
