/**
 * What documentation says that its code gives: `// => text` behind a statement or on the next line, going on
 * over lines that begin with `//` and four spaces.
 *
 *     console.log(1 + 2) // => 3
 *     [1, 2].map(String) // => ['1', '2']
 *     const six = 2 * 3 // => 6
 *
 * Behind `console.log` stands what it prints, behind any other expression or a `const` the value as Node shows it.
 */
import ts from 'typescript'
import { format, inspect } from 'node:util'
import { parse } from './source.ts'

export type Promised = { readonly line: number; readonly text: string }

type Edit = { readonly at: number; readonly insert: string; readonly drop: number }

const isLog = (node: ts.Expression): node is ts.CallExpression =>
  ts.isCallExpression(node) && node.expression.getText() === 'console.log'

const commentAfter = /^[ \t]*\n?[ \t]*\/\/ => ?(.*(?:\n[ \t]*\/\/ {4}.*)*)/

// how a statement shows its value: the edits that make it call `show__(number, kind, value)`
const edits = (statement: ts.Statement, number: number): Edit[] => {
  if (ts.isVariableStatement(statement)) {
    const [declaration] = statement.declarationList.declarations
    const name = declaration?.name.getText() ?? 'undefined'
    return [{ at: statement.end, insert: `; show__(${number}, 'value', ${name})`, drop: 0 }]
  }
  if (!ts.isExpressionStatement(statement)) return []
  const { expression } = statement
  if (isLog(expression)) {
    const callee = expression.expression
    const open = expression.getText().indexOf('(', callee.getText().length) + expression.getStart() + 1
    return [{ at: callee.getStart(), insert: `show__(${number}, 'log', `, drop: open - callee.getStart() }]
  }
  return [
    { at: expression.getStart(), insert: `show__(${number}, 'value', (`, drop: 0 },
    { at: expression.end, insert: '))', drop: 0 },
  ]
}

/** The promises of a program, and the program changed, line by line in place, to report how it kept them. */
export const instrument = (code: string): { code: string; promises: Promised[] } => {
  const file = parse('block.ts', code)
  const promises: Promised[] = []
  const all: Edit[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isVariableStatement(node) || ts.isExpressionStatement(node)) {
      const comment = commentAfter.exec(code.slice(node.end))
      if (comment !== null) {
        all.push(...edits(node, promises.length))
        const text = (comment[1] ?? '').replace(/\n[ \t]*\/\/ {4}/g, '\n')
        promises.push({ line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1, text })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  const changed = all
    .toSorted((a, b) => b.at - a.at)
    .reduce((text, { at, insert, drop }) => text.slice(0, at) + insert + text.slice(at + drop), code)
  return { code: changed, promises }
}

export type Shown = { readonly number: number; readonly text: string }

/** The function that an instrumented program calls, as it finds it: `globalThis.show__`. */
export const shower =
  (shown: Shown[]) =>
  (number: number, kind: 'log' | 'value', ...values: readonly unknown[]): void => {
    const text = kind === 'log' ? format(...values) : inspect(values[0], { depth: 6, breakLength: Infinity })
    shown.push({ number, text })
  }

// people write [1, 2] and "a" where Node shows [ 1, 2 ] and 'a'
const plain = (text: string): string => text.replace(/\s+/g, '').replaceAll('"', "'")

/** What was promised and not kept, in words. */
export const broken = (promises: readonly Promised[], shown: readonly Shown[]): string[] =>
  promises.flatMap(({ line, text }, number) => {
    const mine = shown.filter((each) => each.number === number)
    if (mine.length === 0) return [`line ${line} was not reached, and promises ${text}`]
    const wrong = mine.find((each) => plain(each.text) !== plain(text))
    return wrong === undefined ? [] : [`line ${line} promises ${text}\nand gives ${wrong.text}`]
  })
