/** The declarations that users get have no `any` in what is public, written or inferred. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import ts from 'typescript'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = new URL('../..', import.meta.url).pathname
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Readonly<Record<string, string>>
}
const entries = Object.values(exports).filter((path) => path.endsWith('.ts'))

/** Where `any` stands in the types of what files export, as paths: `grad → result`. */
const anyIn = (files: readonly string[], own: string): readonly string[] => {
  const program = ts.createProgram([...files], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
  })
  const checker = program.getTypeChecker()
  const found = new Set<string>()
  const seen = new Set<ts.Type>()
  const isOwn = (symbol: ts.Symbol | undefined): boolean =>
    symbol?.declarations?.some((each) => each.getSourceFile().fileName.startsWith(own)) === true
  const walk = (type: ts.Type, path: string): void => {
    if ((type.flags & ts.TypeFlags.Any) !== 0) return void found.add(path)
    if (seen.has(type)) return
    seen.add(type)
    for (const [i, each] of (type.aliasTypeArguments ?? []).entries()) walk(each, `${path} <${i}>`)
    if (type.isUnionOrIntersection()) for (const each of type.types) walk(each, path)
    if ((type.flags & ts.TypeFlags.Object) === 0) return
    // Of Iterable<T> the language itself says what else it is: any.
    const given = checker.getTypeArguments(type as ts.TypeReference)
    const meant = /Itera(ble|tor)$/.test(type.symbol?.name ?? '') ? given.slice(0, 1) : given
    for (const [i, each] of meant.entries()) walk(each, `${path} <${i}>`)
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      if (signature.declaration?.getSourceFile().fileName.startsWith(own) === false) continue
      for (const each of signature.getTypeParameters() ?? []) {
        const constraint = each.getConstraint()
        if (constraint !== undefined) walk(constraint, `${path} extends`)
      }
      for (const each of signature.getParameters())
        walk(checker.getTypeOfSymbol(each), `${path}(${each.name})`)
      walk(signature.getReturnType(), `${path} → result`)
    }
    for (const each of type.getProperties()) {
      if (isOwn(each)) walk(checker.getTypeOfSymbol(each), `${path}.${each.name}`)
    }
  }
  for (const file of files) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file} is no module`)
    for (const symbol of checker.getExportsOfModule(module)) {
      const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      const name = `${file.slice(own.length + 1).split('/')[0]}: ${symbol.name}`
      if ((real.flags & ts.SymbolFlags.Value) !== 0) walk(checker.getTypeOfSymbol(real), name)
      if ((real.flags & ts.SymbolFlags.Type) !== 0) walk(checker.getDeclaredTypeOfSymbol(real), name)
    }
  }
  return [...found]
}

const test = suite('no any')
test('in what is public', () => {
  mkdirSync(`${root}.cache`, { recursive: true })
  const folder = mkdtempSync(`${root}.cache/declaration-`)
  try {
    const tsc = `${root}node_modules/@typescript/compiler/bin/tsc`
    const options = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--noCheck', '--outDir', folder]
    execFileSync(process.execPath, [tsc, ...options], { cwd: root })
    const files = entries.map((path) => `${folder}/${path.replace('./', '').replace(/\.ts$/, '.d.ts')}`)
    const planted = `${folder}/planted.d.ts`
    writeFileSync(
      planted,
      `export declare const f: <T extends any[]>(x: { y: Map<string, any> }) => Promise<any>
export interface G { readonly h?: (z: any) => string }
`,
    )
    assert.equal(
      [...anyIn([planted], folder)].sort(),
      ['f extends <0>', 'f → result <0>', 'f(x).y <1>', 'G.h(z)']
        .map((path) => `planted.d.ts: ${path}`)
        .sort(),
    )
    assert.equal(anyIn(files, folder), [])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
test.run()
