/**
 * Computing a body's values where they are needed: each operation once in the outermost loop that it does not
 * change in.
 */
import { isFloating } from '../dtype.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { argsOf, reachable } from '../scalar.ts'
import type { Code } from './code/index.ts'
import { f32x4, f64x2 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import type { Site } from './memory.ts'
import { load } from './memory.ts'
import { operate, shiftBy } from './operation.ts'

/** How often a value changes: never, from row to row, or within a row. */
export type Level = 0 | 1 | 2

/** What is known in one loop; inner scopes see what outer ones know. */
export interface Scope {
  readonly level: Level
  readonly parent: Scope | undefined
  readonly site: Site
  readonly known: Map<number, Code>
}

export const scope = (level: Level, site: Site, parent?: Scope): Scope => ({
  level,
  parent,
  site,
  known: new Map<number, Code>(),
})

export interface Values {
  readonly level: (index: number) => Level
  /** Says what a fold's result is, from here on in `scope`. */
  readonly setFold: (fold: number, value: Code, scope: Scope) => void
  /** The value of an operation in this scope; statements that compute it are written if need be. */
  readonly value: (index: number, scope: Scope) => Code
  /** Computes in `scope` whatever `roots` need that does not change within it. */
  readonly hoist: (roots: readonly number[], scope: Scope) => void
  /** Writes `acc + value`, fused with the product that the value is, where allowed. */
  readonly addTo: (accumulator: Code, index: number, scope: Scope) => Code
}

export const values = (
  e: Emitter,
  body: Body,
  /** The access of each operand. */
  operands: readonly number[],
  readLevel: (operand: number) => Level,
  foldLevel: Level,
  roots: readonly number[],
): Values => {
  const levels: Level[] = []
  for (const op of body) {
    if (op.op === 'read') levels.push(readLevel(op.index))
    else if (op.op === 'fold') levels.push(foldLevel)
    else levels.push(argsOf(op).reduce<Level>((top, arg) => Math.max(top, levels[arg] ?? 0) as Level, 0))
  }
  const level = (index: number): Level => levels[index] as Level
  const uses = body.map(() => 0)
  for (const root of roots) uses[root] = (uses[root] as number) + 1
  for (const index of reachable(body, roots))
    for (const arg of argsOf(body[index] as ScalarOp)) uses[arg] = (uses[arg] as number) + 1

  const lookUp = (index: number, from: Scope): Code | undefined => {
    for (let at: Scope | undefined = from; at !== undefined; at = at.parent) {
      const found = at.known.get(index)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Whether nobody else needs a floating value, which is computed here. */
  const isOwn = (index: number, from: Scope): boolean =>
    isFloating((body[index] as ScalarOp).dtype) &&
    uses[index] === 1 &&
    level(index) === from.level &&
    lookUp(index, from) === undefined

  /** Whether it is a sum of products, each of which can be added by itself in one rounding. */
  const isSumOfProducts = (index: number, from: Scope): boolean => {
    const op = body[index] as ScalarOp
    return op.op === 'add' && isOwn(index, from)
      ? op.args.every((arg) => isSumOfProducts(arg, from))
      : product(index, from) !== undefined
  }

  /** The factors of a product that nobody else needs and that is computed here. */
  const product = (index: number, from: Scope): readonly [number, number] | undefined => {
    const op = body[index] as ScalarOp
    return e.target.fused && op.op === 'mul' && isOwn(index, from) ? op.args : undefined
  }
  const isProduct = (index: number): boolean => (body[index] as ScalarOp).op === 'mul'

  /** a · b ± c in one rounding. Differences of two products stay symmetric: x·y - x·y must be 0. */
  const fusedOp = (op: ScalarOp, from: Scope): Code | undefined => {
    if ((op.op !== 'add' && op.op !== 'sub') || !isFloating(op.dtype)) return undefined
    const [x, y] = op.args
    if (isProduct(x) && isProduct(y)) return undefined
    const v = op.dtype === 'float64' ? f64x2 : f32x4
    const right = product(y, from)
    if (right !== undefined) {
      const [a, b] = right.map((arg) => value(arg, from)) as [Code, Code]
      const c = value(x, from)
      return op.op === 'add' ? v.relaxedMadd(a, b, c) : v.relaxedNmadd(a, b, c)
    }
    const left = product(x, from)
    if (left === undefined) return undefined
    const [a, b] = left.map((arg) => value(arg, from)) as [Code, Code]
    const c = value(y, from)
    return v.relaxedMadd(a, b, op.op === 'add' ? c : v.neg(c))
  }

  const compute = (index: number, from: Scope): Code => {
    const op = body[index] as ScalarOp
    if (op.op === 'read') return load(e, from.site, operands[op.index] as number)
    if (op.op === 'fold') throw new Error(`wasm: fold ${op.index} is not there yet`)
    const fused = fusedOp(op, from)
    if (fused !== undefined) return fused
    const args = argsOf(op)
    if (op.op === 'shiftLeft' || op.op === 'shiftRight') {
      const amount = body[op.args[1]] as ScalarOp
      const known =
        amount.op === 'constant' ? shiftBy(op.op, value(op.args[0], from), amount.value, op.dtype) : undefined
      if (known !== undefined) return known
    }
    return operate(
      e,
      op,
      args.map((arg) => value(arg, from)),
      args.map((arg) => (body[arg] as ScalarOp).dtype),
    )
  }

  const value = (index: number, from: Scope): Code => {
    const known = lookUp(index, from)
    if (known !== undefined) return known
    const op = body[index] as ScalarOp
    const code = compute(index, from)
    if (op.op === 'constant') return code
    const kept = e.keep(code)
    from.known.set(index, kept)
    return kept
  }

  const addTo = (accumulator: Code, index: number, from: Scope): Code => {
    const op = body[index] as ScalarOp
    const v = op.dtype === 'float64' ? f64x2 : f32x4
    if (op.op === 'add' && isSumOfProducts(index, from)) {
      const [x, y] = op.args
      return addTo(e.keep(addTo(accumulator, x, from)), y, from)
    }
    const factors = product(index, from)
    if (factors === undefined) return v.add(accumulator, value(index, from))
    const [a, b] = factors.map((arg) => value(arg, from)) as [Code, Code]
    return v.relaxedMadd(a, b, accumulator)
  }

  return {
    level,
    value,
    setFold: (fold, code, at) =>
      body.forEach((op, index) => {
        if (op.op === 'fold' && op.index === fold) at.known.set(index, code)
      }),
    hoist: (needed, at) => {
      const tops = reachable(body, needed, (op, index) => (level(index) <= at.level ? [] : argsOf(op)))
      for (const index of [...tops].sort((a, b) => a - b))
        if (level(index) <= at.level && (body[index] as ScalarOp).op !== 'constant') value(index, at)
    },
    addTo,
  }
}
