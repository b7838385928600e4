/** A function that somebody typed: what it is as a program, its gradient, and the kernels that the gradient becomes. */
import * as pullback from 'pullback'
import { flatLaunches, printLaunch, wgslKernels } from 'pullback/kernels'
import type { Program } from 'pullback/kernels'
import type { Derivative, Source } from './message.ts'

const { grad, inspect, jit, random, toNested } = pullback

type TypedFunction = (...args: pullback.Tensor[]) => pullback.Tensor

/** The function, with every operation of the library in scope. */
const compiled = (source: string): TypedFunction => {
  const names = Object.keys(pullback).filter((name) => /^[a-z]\w*$/i.test(name))
  const make = new Function(...names, `'use strict'\nreturn (${source.trim().replace(/;$/, '')})`)
  const f: unknown = make(...names.map((name) => pullback[name as keyof typeof pullback]))
  if (typeof f !== 'function') throw new Error('this is no function; write one like (x) => sum(mul(x, x))')
  return f as TypedFunction
}

/** `[2, 3], [3]` as shapes; one for each argument. */
const shapesOf = (text: string): readonly (readonly number[])[] => {
  const shapes: unknown = JSON.parse(`[${text}]`)
  const ok =
    Array.isArray(shapes) &&
    shapes.every((shape) => Array.isArray(shape) && shape.every((n) => Number.isInteger(n) && Number(n) > 0))
  if (!ok) throw new Error('shapes are lists of sizes, like [2, 3], [3]; [] is a single number')
  return shapes as readonly (readonly number[])[]
}

const rounded = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(rounded) : typeof value === 'number' ? Number(value.toPrecision(5)) : value

const shown = async (x: pullback.Tensor): Promise<string> => {
  const text = JSON.stringify(rounded(await toNested(x)))
  return text.length > 600 ? `${text.slice(0, 600)} …` : text
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

const described = ({ launches, buffers }: Program): string =>
  [
    ...buffers.map(({ dtype, size }, id) => `b${id}: ${dtype}[${size}]`),
    '',
    ...flatLaunches(launches).map((launch, index) => `${index + 1} ${JSON.stringify(launch)}`),
  ].join('\n')

export const differentiate = async (source: string, shapes: string): Promise<Derivative> => {
  const f = compiled(source)
  const args = shapesOf(shapes).map((shape, index) => random.normal(random.key(index), shape))
  if (args.length === 0) throw new Error('the function needs at least one argument')
  const value = f(...args)
  if (value.shape.length > 0)
    throw new Error(`a gradient is that of one number, but this gives ${value.toString()}; sum it up`)
  const by = grad(f as (x: pullback.Tensor) => pullback.Tensor) as TypedFunction
  const program = jit(by).program(...(args as [pullback.Tensor]))
  const sources: readonly Source[] = [
    {
      title: 'WGSL, for WebGPU',
      code: wgslKernels(program)
        .map(({ label, code }) => `// ${label}\n${indented(code)}`)
        .join('\n\n'),
    },
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
