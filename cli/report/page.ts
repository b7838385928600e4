/** A report as one HTML page that opens without a network: styles, scripts and numbers are inside. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { htmlEscape as escaped } from 'escape-goat'
import { client } from './client.ts'
import type { ClientData } from './client.ts'
import type { Attention, Chart, Confusion, Filled, Report, Table } from './report.ts'
import { style } from './style.ts'

/** A part of uPlot as it was published. */
const plotFile = (name: string): string => {
  const main = createRequire(import.meta.url).resolve('uplot')
  return readFileSync(join(dirname(main), name), 'utf8')
}

/** Data as JSON that cannot end the script it stands in. */
const inScript = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const section = (title: string, note: string, body: string): string =>
  `${escaped`<section><h2>${title}</h2><p class="note">${note}</p>`}${body}</section>`

const chart = ({ title, note }: Chart, index: number): string =>
  section(
    title,
    note,
    `<div class="chart" id="chart-${index}" role="img" aria-label="${escaped(title)}"></div>`,
  )

const table = ({ title, note, head, rows }: Table): string => {
  const header = head.map((cell) => escaped`<th scope="col">${cell}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((cell) => escaped`<td>${cell}</td>`).join('')}</tr>`).join('')
  return section(
    title,
    note,
    `<div class="scroll"><table><thead><tr>${header}</tr></thead><tbody>${body}</tbody></table></div>`,
  )
}

const confusion = ({ title, labels, matrix }: Confusion): string => {
  const header = labels.map((label) => escaped`<th scope="col">${label}</th>`).join('')
  const rows = labels.map((label, i) => {
    const row = matrix[i] ?? []
    const all = Math.max(
      1,
      row.reduce((sum, n) => sum + n, 0),
    )
    const cells = row.map((n) => `<td style="--share:${(n / all).toFixed(3)}">${n}</td>`).join('')
    return `<tr>${escaped`<th scope="row">${label}</th>`}${cells}</tr>`
  })
  return section(
    title,
    'Rows: what the held-out text is. Columns: what the model took it for.',
    `<div class="scroll"><table class="confusion"><thead><tr><th></th>${header}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
  )
}

const filled = (all: readonly Filled[]): string =>
  section(
    'Masked words, filled in',
    'Held-out sentences with one word taken out, what stood there, and what the model would put there.',
    all
      .map(({ text, answer, guesses }) => {
        const [before = '', after = ''] = text.split('[MASK]')
        const list = guesses
          .map(({ token, probability }) => `${token} ${(100 * probability).toFixed(0)} %`)
          .join(', ')
        return escaped`<blockquote>${before}<mark>${answer}</mark>${after}<small>${list}</small></blockquote>`
      })
      .join(''),
  )

const attentionMap = ({ title, weights }: Attention): string => {
  const layers = weights.map((_, i) => `<option value="${i}">${i + 1}</option>`).join('')
  const heads = (weights[0] ?? []).map((_, i) => `<option value="${i}">${i + 1}</option>`).join('')
  return section(
    title,
    'Point at a token (or move to it with the Tab key): the darker another one is, the more attention it gets.',
    `<div class="attention"><label>layer <select id="attention-layer">${layers}</select></label>` +
      `<label>head <select id="attention-head"><option value="mean">all</option>${heads}</select></label>` +
      '<div id="attention-tokens"></div></div>',
  )
}

/** The page. */
export const page = (report: Report): string => {
  const { title, lead, facts, charts, tables, attention } = report
  const factList = facts
    .map(([name, value]) => escaped`<div><dt>${name}</dt><dd>${value}</dd></div>`)
    .join('')
  const data: ClientData = { charts, attention }
  const script = `(${client.toString()})(${inScript(data)}, uPlot, document, window)`
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    escaped`<title>${title}</title>`,
    `<style>${plotFile('uPlot.min.css')}${style}</style></head><body><main>`,
    escaped`<h1>${title}</h1><p class="lead">${lead}</p>`,
    `<dl class="facts">${factList}</dl>`,
    ...tables.map(table),
    ...charts.map(chart),
    ...(report.filled.length === 0 ? [] : [filled(report.filled)]),
    ...(report.confusion === undefined ? [] : [confusion(report.confusion)]),
    ...(attention === undefined ? [] : [attentionMap(attention)]),
    '<footer>Made by pullback. This page needs no network.</footer></main>',
    `<script>${plotFile('uPlot.iife.min.js')}</script><script>${script}</script></body></html>`,
    '',
  ].join('\n')
}
