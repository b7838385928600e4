/** Tables of labelled texts: CSV, TSV and JSON lines to rows of a text and a label. */
// the form of it that brings its own Buffer, which browsers do not have; the other one throws there when imported
import { CsvError, parse } from 'csv-parse/browser/esm/sync'
import { either as E } from 'fp-ts'

export type Format = 'tsv' | 'csv' | 'jsonl'

export interface Row {
  readonly text: string
  readonly label: string
  /** Where it stands in the file, from 1; the last line of a row of several. */
  readonly line: number
}

// The names that public data sets give their columns, the most telling first.
const textNames =
  'text sentence review utterance content message comment passage document body tweet question query premise title input'.split(
    ' ',
  )
const labelNames =
  'label category class intent sentiment target topic tag emotion rating stars type output y'.split(' ')

interface Cells {
  readonly cells: readonly string[]
  readonly line: number
}

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ')

const position = (header: readonly string[], names: readonly string[]): number => {
  const lower = header.map((name) => name.trim().toLowerCase())
  const found = names.find((name) => lower.includes(name))
  return found === undefined ? -1 : lower.indexOf(found)
}

const distinct = (rows: readonly Cells[], column: number): number =>
  new Set(rows.map(({ cells }) => cells[column])).size

/** Of two columns without names, the labels are those that repeat; a first row that fits neither is a header. */
const unnamed = (rows: readonly Cells[]): readonly Row[] => {
  const label = distinct(rows, 0) < distinct(rows, 1) ? 0 : 1
  const counts = new Map<string | undefined, number>()
  for (const { cells } of rows) counts.set(cells[label], (counts.get(cells[label]) ?? 0) + 1)
  const first = rows[0]?.cells[label]
  const isHeader = rows.length > 4 && [...counts].every(([value, n]) => (value === first ? n === 1 : n > 1))
  return rows
    .slice(isHeader ? 1 : 0)
    .map(({ cells, line }) => ({ text: cells[1 - label] ?? '', label: cells[label] ?? '', line }))
}

const withColumns = (rows: readonly Cells[]): E.Either<string, readonly Row[]> => {
  const header = rows[0]?.cells
  if (header === undefined) return E.right([])
  const uneven = rows.find(({ cells }) => cells.length !== header.length)
  if (uneven !== undefined)
    return E.left(`line ${uneven.line} has ${uneven.cells.length} columns, the first has ${header.length}`)
  let text = position(header, textNames)
  let label = position(header, labelNames)
  if (header.length === 2 && text < 0 && label < 0) return E.right(unnamed(rows))
  if (header.length === 2 && text < 0) text = 1 - label
  if (header.length === 2 && label < 0) label = 1 - text
  if (text < 0 || label < 0) {
    const [what, names] = text < 0 ? ['text', textNames] : ['label', labelNames]
    return E.left(
      `no column for the ${what} among ${list(header.slice(0, 12))}, expected one of ${list(names)}`,
    )
  }
  return E.right(
    rows.slice(1).map(({ cells, line }) => ({ text: cells[text] ?? '', label: cells[label] ?? '', line })),
  )
}

/** What stands most often in the first line outside of quotation marks divides the columns of a .csv. */
const delimiterOf = (text: string): string => {
  const first = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replace(/"[^"]*"/g, '')
  const count = (mark: string): number => first.split(mark).length - 1
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best))
}

const readCsv = (text: string): E.Either<string, readonly Row[]> => {
  try {
    const records = parse(text, {
      delimiter: delimiterOf(text),
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly {
      readonly record: readonly string[]
      readonly info: { readonly lines: number }
    }[]
    return withColumns(records.map(({ record, info }) => ({ cells: record, line: info.lines })))
  } catch (error) {
    if (error instanceof CsvError) return E.left(`not a valid table: ${error.message}`)
    throw error
  }
}

/** A cell of a .tsv is what it is; but spreadsheets put quotation marks around some. */
const unquoted = (cell: string): string =>
  /^".*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell

const lines = (text: string): readonly Cells[] =>
  text
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .map((line, i) => ({ cells: [line], line: i + 1 }))
    .filter(({ cells: [line] }) => line?.trim() !== '')

const readTsv = (text: string): E.Either<string, readonly Row[]> =>
  withColumns(
    lines(text).map(({ cells: [row = ''], line }) => ({ cells: row.split('\t').map(unquoted), line })),
  )

const scalar = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined

const readJsonLines = (text: string): E.Either<string, readonly Row[]> => {
  const rows: Row[] = []
  for (const {
    cells: [json = ''],
    line,
  } of lines(text)) {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      return E.left(`line ${line} is not valid JSON`)
    }
    if (typeof value !== 'object' || value === null) return E.left(`line ${line} is not an object`)
    const pairs = Object.entries(value).filter(([, field]) => scalar(field) !== undefined)
    const names = pairs.map(([name]) => name)
    let text = position(names, textNames)
    let label = position(names, labelNames)
    if (pairs.length === 2 && text >= 0 !== label >= 0) {
      if (text < 0) text = 1 - label
      else label = 1 - text
    }
    if (Array.isArray(value) && pairs.length === 2) [text, label] = [0, 1]
    if (text < 0 || label < 0)
      return E.left(
        `line ${line} has no field for the ${text < 0 ? 'text' : 'label'} among ${list(names.slice(0, 12))}, ` +
          `expected one of ${list(text < 0 ? textNames : labelNames)}`,
      )
    rows.push({ text: scalar(pairs[text]?.[1]) ?? '', label: scalar(pairs[label]?.[1]) ?? '', line })
  }
  return E.right(rows)
}

/** The rows of a table. Left: why it is none, with the line. */
export const readTable = (text: string, format: Format): E.Either<string, readonly Row[]> => {
  switch (format) {
    case 'csv':
      return readCsv(text)
    case 'tsv':
      return readTsv(text)
    case 'jsonl':
      return readJsonLines(text)
  }
}
