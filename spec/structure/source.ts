/** What a source file imports, read from its syntax tree. */
import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

export type Import = {
  readonly line: number
  readonly specifier: string
  /** `static` import or re-export, `dynamic` import(), or `type`: erased before the file runs. */
  readonly kind: 'static' | 'dynamic' | 'type'
}

export type Source = { readonly path: string; readonly text: string; readonly imports: readonly Import[] }

export const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)

const specifierOf = (node: ts.Node): ts.Node | undefined => {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments[0]
  return undefined
}

const kindOf = (node: ts.Node): Import['kind'] => {
  if (ts.isCallExpression(node)) return 'dynamic'
  if (ts.isImportTypeNode(node)) return 'type'
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? 'type' : 'static'
  return ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    ? 'type'
    : 'static'
}

/** Every import of a file, in order: `import`, `export … from`, `import()` and `import('…').T`. */
export const importsOf = (path: string, text: string): Import[] => {
  const file = parse(path, text)
  const visit = (node: ts.Node): Import[] => {
    const specifier = specifierOf(node)
    const here =
      specifier !== undefined && ts.isStringLiteralLike(specifier)
        ? [
            {
              line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
              specifier: specifier.text,
              kind: kindOf(node),
            },
          ]
        : []
    const below: Import[] = []
    ts.forEachChild(node, (child) => void below.push(...visit(child)))
    return [...here, ...below]
  }
  return visit(file)
}

/** The TypeScript files of some top folders, paths relative to the root, with `/` between. */
export const readSources = (root: string, folders: readonly string[]): Source[] =>
  globSync(`{${folders.join(',')}}/**/*.ts`, { cwd: root, exclude: ['**/node_modules', '**/dist'] })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => {
      const text = readFileSync(`${root}/${path}`, 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
