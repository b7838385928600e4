/** A function that somebody typed: what it is as a program, its gradient, and the kernels that the gradient becomes. */
import * as pullback from 'pullback'
import { either as E } from 'fp-ts'
import { flatLaunches, glslKernels, printLaunch, wasmKernels, wgslKernels } from 'pullback/kernels'
import type { KernelText, Program } from 'pullback/kernels'
import type { Derivative, Source } from './message.ts'
import { named, PlacedError, placeOf, syntaxError } from './place.ts'

const { grad, inspect, jit, random, toNested } = pullback

type TypedFunction = (...args: pullback.Tensor[]) => pullback.Tensor

/** The lines that `new Function` and the words below put before the typed text. */
const linesBefore = 3

/** The function, with every operation of the library in scope. Whatever it throws is told with its place. */
const compiled = async (typed: string): Promise<TypedFunction> => {
  const source = typed.trimEnd().replace(/;$/, '')
  if (source.trim() === '') throw new Error('there is no function yet; write one like (x) => sum(mul(x, x))')
  const wrong = await syntaxError(source)
  if (wrong !== undefined) throw wrong
  const names = Object.keys(pullback).filter((name) => /^[a-z]\w*$/i.test(name))
  const make = new Function(...names, `'use strict'; return (\n${source}\n)${named}`) as (
    ...operations: unknown[]
  ) => unknown
  const placed = <A>(compute: () => A): A => {
    try {
      return compute()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const stranger = /^(\w+) is not defined$/.exec(message)?.[1]
      throw new PlacedError(
        stranger === undefined ? message : `there is no operation or value named ${stranger}`,
        placeOf(error, linesBefore),
      )
    }
  }
  const f = placed(() => make(...names.map((name) => pullback[name as keyof typeof pullback])))
  if (typeof f !== 'function') throw new Error('this is no function; write one like (x) => sum(mul(x, x))')
  return (...args) =>
    placed(() => {
      const value: unknown = (f as TypedFunction)(...args)
      if (!pullback.isTensor(value))
        throw new Error('the function gives no tensor; does it return something?')
      return value
    })
}

/** `[2, 3], [3]` as shapes; one for each argument. */
const shapesOf = (text: string): readonly (readonly number[])[] => {
  const shapes = E.toUnion(
    E.tryCatch(
      (): unknown => JSON.parse(`[${text}]`),
      () => undefined,
    ),
  )
  const ok =
    Array.isArray(shapes) &&
    shapes.every((shape) => Array.isArray(shape) && shape.every((n) => Number.isInteger(n) && Number(n) > 0))
  if (!ok) throw new Error('shapes are lists of sizes, like [2, 3], [3]; [] is a single number')
  return shapes as readonly (readonly number[])[]
}

/** Numbers that the reference engine draws and reads in a moment. */
const most = 1e6

const rounded = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(rounded) : typeof value === 'number' ? Number(value.toPrecision(5)) : value

/** Rows of numbers, a line each. */
const rows = (value: unknown, depth = 0): string =>
  Array.isArray(value) && Array.isArray(value[0])
    ? `[${value.map((one) => rows(one, depth + 1)).join(`,\n${' '.repeat(depth + 1)}`)}]`
    : JSON.stringify(value)?.replaceAll(',', ', ')

const shown = async (x: pullback.Tensor): Promise<string> => {
  const text = rows(rounded(await toNested(x)))
  return text.length > 2000 ? `${text.slice(0, 2000)} …` : text
}

const launchesAsJavaScript = ({ launches, buffers }: Program): string =>
  flatLaunches(launches)
    .map((launch, index) => {
      const code = printLaunch(launch, (id) => buffers[id]?.dtype ?? 'float32')
      return `// ${index + 1}: ${launch.kind}\n${indented(code)}`
    })
    .join('\n\n')

/** Code whose lines tell their depth by braces alone. */
const indented = (code: string): string => {
  let depth = 0
  return code
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const text = line.trim()
      const before = text.startsWith('}') ? depth - 1 : depth
      depth += (text.match(/\{/g) ?? []).length - (text.match(/\}/g) ?? []).length
      return '  '.repeat(Math.max(0, before)) + text
    })
    .join('\n')
}

const listed = (kernels: readonly KernelText[], comment: string, tidy: (code: string) => string): string =>
  kernels.map(({ label, code }) => `${comment} ${label}\n${tidy(code)}`).join('\n\n')

const described = ({ launches, buffers }: Program): string =>
  [
    ...buffers.map(({ dtype, size }, id) => `b${id}: ${dtype}[${size}]`),
    '',
    ...flatLaunches(launches).map((launch, index) => `${index + 1} ${JSON.stringify(launch)}`),
  ].join('\n')

export const differentiate = async (source: string, shapes: string): Promise<Derivative> => {
  const f = await compiled(source)
  const sizes = shapesOf(shapes)
  const count = sizes.flatMap((shape) => shape.reduce((n, m) => n * m, 1)).reduce((n, m) => n + m, 0)
  if (count > most)
    throw new Error(
      `the arguments have ${count} numbers in all; plain loops compute them here, so take at most ${most}`,
    )
  const args = sizes.map((shape, index) => random.normal(random.key(index), shape))
  if (args.length === 0) throw new Error('the function needs at least one argument')
  const value = f(...args)
  if (value.shape.length > 0)
    throw new Error(
      `a gradient is that of one number, but this gives ${value.dtype}[${value.shape.join(', ')}]; sum it up, or take the mean`,
    )
  const by = grad(f as (x: pullback.Tensor) => pullback.Tensor) as TypedFunction
  const program = jit(by).program(...(args as [pullback.Tensor]))
  const shaders = glslKernels(program)
  const sources: readonly Source[] = [
    { title: 'WGSL, for WebGPU', code: listed(wgslKernels(program), '//', indented) },
    {
      title: 'GLSL, for WebGL2',
      code: E.isLeft(shaders) ? `// ${shaders.left}` : listed(shaders.right, '//', indented),
    },
    { title: 'WebAssembly, for the processor', code: listed(wasmKernels(program), ';;', (code) => code) },
    { title: 'JavaScript, for the reference engine', code: launchesAsJavaScript(program) },
    { title: 'The launches, for every engine', code: described(program) },
  ]
  return {
    kind: 'derivative',
    value: await shown(value),
    gradient: await shown(by(...args)),
    traced: inspect(f)(...args),
    differentiated: inspect(by)(...args),
    sources,
  }
}
