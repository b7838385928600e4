/** Tables in pages, which tests hold to. */
import { readFileSync } from 'node:fs'

/** A page of `docs/`. */
export const readPage = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

/** What stands between backticks. */
export const codeIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string)

/** The cells of the rows below a heading (`What is refused`, or with its own `###`) that begin with code. */
export const rowsUnder = (page: string, heading: string): readonly (readonly string[])[] => {
  const [, behind = ''] = page.split(new RegExp(`\\n#+ ${heading}\\n`))
  return (behind.split(/\n#+ /)[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()))
}
