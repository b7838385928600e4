/**
 * Code in the documentation: the `ts` blocks of Markdown pages and the `@example`s of docstrings, as programs.
 *
 * A block is a module of its own and imports what it uses, as a reader would: `import { grad } from 'pullback'`;
 * in a docstring the exports of the same file are in scope already. Words after `ts` say more: `continue` carries
 * on with the block before it, `no-run` is only type-checked (code that needs a browser, say).
 */
import ts from 'typescript'
import { parse } from './source.ts'

export type Block = {
  /** The page or source file, and the line where the code begins. */
  readonly path: string
  readonly line: number
  /** The code, its first line at `line`: as many empty lines stand before it. */
  readonly code: string
  readonly run: boolean
}

type Fence = {
  readonly language: string
  readonly words: readonly string[]
  readonly line: number
  readonly body: readonly string[]
}

/** The fenced blocks of a Markdown text, indented ones too, lines counted from `first`. */
const fencesOf = (text: string, first = 1): Fence[] => {
  const lines = text.split('\n')
  const fences: Fence[] = []
  for (let at = 0; at < lines.length; at++) {
    const open = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(lines[at] ?? '')
    if (open === null) continue
    const [, indent = '', mark = '', info = ''] = open
    const length = lines.slice(at + 1).findIndex((line) => line.trim().startsWith(mark))
    const end = length < 0 ? lines.length : at + 1 + length
    const [language = '', ...words] = info.trim().split(/\s+/)
    const body = lines
      .slice(at + 1, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
    fences.push({ language, words, line: first + at + 1, body })
    at = end
  }
  return fences
}

const pad = (lines: number): string => '\n'.repeat(Math.max(0, lines))

/** The TypeScript blocks of a Markdown text, those that continue another joined to it. */
export const blocksOfPage = (path: string, text: string): Block[] => {
  const blocks: Block[] = []
  for (const { language, words, line, body } of fencesOf(text)) {
    if (language !== 'ts' && language !== 'typescript') continue
    const code = body.join('\n')
    const last = blocks.at(-1)
    if (words.includes('continue') && last !== undefined) {
      const gap = line - last.code.split('\n').length
      blocks[blocks.length - 1] = { ...last, code: last.code + pad(gap) + code }
    } else {
      blocks.push({ path, line, code: pad(line - 1) + code, run: !words.includes('no-run') })
    }
  }
  return blocks
}

const docstringsOf = (path: string, text: string): { line: number; lines: string[] }[] => {
  const file = parse(path, text)
  const seen = new Map<number, { line: number; lines: string[] }>()
  const visit = (node: ts.Node): void => {
    for (const doc of ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)) {
      const line = file.getLineAndCharacterOfPosition(doc.getStart()).line + 1
      const lines = doc
        .getText()
        .split('\n')
        .map((each, at) =>
          at === 0
            ? each.replace(/^\/\*\* ?/, '')
            : each.replace(/^\s*\* ?(?!\/)/, '').replace(/^\s*\*\/$/, ''),
        )
        .map((each) => each.replace(/\s*\*\/$/, ''))
      seen.set(doc.getStart(), { line, lines })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return [...seen.values()]
}

// what a file exports by declaring it
const exportsOf = (path: string, text: string): { values: string[]; types: string[] } => {
  const values: string[] = []
  const types: string[] = []
  for (const statement of parse(path, text).statements) {
    const { modifiers } = statement as { modifiers?: readonly ts.ModifierLike[] }
    if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
    if (ts.isVariableStatement(statement)) {
      values.push(...statement.declarationList.declarations.map(({ name }) => name.getText()))
    } else if (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
      types.push(statement.name.text)
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      values.push(statement.name?.text ?? '')
    }
  }
  // an overloaded function is declared several times
  return { values: [...new Set(values)], types }
}

// one line that imports the names of `path` that the code uses and does not define, for a file two folders below
const ownImport = (path: string, exported: ReturnType<typeof exportsOf>, code: string): string => {
  const missing = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(code) &&
    !new RegExp(`\\b(const|let|function|type) ${name}\\b|import [^'"]*\\b${name}\\b[^'"]*['"]`).test(code)
  return [
    ['import', exported.values.filter(missing)] as const,
    ['import type', exported.types.filter(missing)] as const,
  ]
    .filter(([, names]) => names.length > 0)
    .map(([keyword, names]) => `${keyword} { ${names.join(', ')} } from '../../${path}';`)
    .join(' ')
}

/** The `@example`s of a source file's docstrings: fenced, or plain code up to the next tag. */
export const blocksOfSource = (path: string, text: string): Block[] => {
  const exported = exportsOf(path, text)
  const plain = docstringsOf(path, text).flatMap(({ line, lines }) =>
    lines.flatMap((start, at) => {
      if (!start.trimStart().startsWith('@example')) return []
      const length = lines.slice(at + 1).findIndex((each) => /^\s*@[a-z]/.test(each))
      const body = lines.slice(at + 1, length < 0 ? lines.length : at + 1 + length)
      const whole = pad(line + at) + body.join('\n')
      return body.some((each) => each.trimStart().startsWith('```'))
        ? blocksOfPage(path, whole)
        : [{ path, line: line + at + 1, code: whole, run: true }]
    }),
  )
  return plain.map((block) => ({ ...block, code: ownImport(path, exported, block.code) + block.code }))
}

/** The commands in `sh` blocks that name something of ours: `npm run x`, `npm start`, `npx pullback x`. */
export const commandsOf = (text: string): { line: number; kind: 'npm' | 'pullback'; name: string }[] =>
  fencesOf(text)
    .filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language))
    .flatMap(({ line, body }) =>
      body.flatMap((each, at) => [
        ...[
          ...each.matchAll(
            /\bnpm (?:run )?(?!ci\b|i\b|install\b|exec\b|pack\b|publish\b|create\b|run\b)([a-z][\w:-]*)/g,
          ),
        ].map(([, name = '']) => ({ line: line + at, kind: 'npm' as const, name })),
        ...[...each.matchAll(/\bnpx pullback ([a-z][\w-]*)/g)].map(([, name = '']) => ({
          line: line + at,
          kind: 'pullback' as const,
          name,
        })),
      ]),
    )

/** The links of a page to files beside it. */
export const linksOf = (text: string): string[] =>
  [...text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
