/** What the package gives its users: the values that an entry exports, with their docstrings. */
import { posix } from 'node:path'
import ts from 'typescript'
import { parse } from './source.ts'

export type Value = {
  /** As users write it: `add`, `random.normal`. */
  readonly name: string
  readonly path: string
  readonly docstring: string
}

/** Reads the text of a file by its path within the project. */
export type ReadText = (path: string) => string

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

const docstringOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map((doc) => doc.getText())
    .join('\n')

/** What a file declares and exports itself; overloads of a function are one value. */
const declaredIn = (path: string, file: ts.SourceFile): readonly Value[] => {
  const found = new Map<string, string>()
  const note = (name: string, node: ts.Node): void => {
    found.set(name, `${found.get(name) ?? ''}${docstringOf(node)}`)
  }
  for (const statement of file.statements.filter(isExported)) {
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations) note(name.getText(), statement)
    else if (ts.isFunctionDeclaration(statement) && statement.name !== undefined)
      note(statement.name.text, statement)
  }
  return [...found].map(([name, docstring]) => ({ name, path, docstring }))
}

/** The values that a file exports, its own and those that it passes on; classes and types are left out. */
export const publicValues = (path: string, read: ReadText): readonly Value[] => {
  const file = parse(path, read(path))
  const passedOn = file.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return []
    const { moduleSpecifier, exportClause } = statement
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
    const from = publicValues(posix.join(posix.dirname(path), moduleSpecifier.text), read)
    if (exportClause === undefined) return from
    if (ts.isNamespaceExport(exportClause))
      return from.map((value) => ({ ...value, name: `${exportClause.name.text}.${value.name}` }))
    return exportClause.elements.flatMap((element) => {
      const own = (element.propertyName ?? element.name).text
      const value = from.find(({ name }) => name === own)
      return value === undefined ? [] : [{ ...value, name: element.name.text }]
    })
  })
  return [...declaredIn(path, file), ...passedOn]
}
