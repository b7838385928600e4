/** PyTorch's layers as references: files of spec/fixtures/torch, and its parameters under our names. */
import { readFileSync } from 'node:fs'
import { either as E } from 'fp-ts'
import * as assert from 'uvu/assert'
import { fromArray, reshape, splitAxis, swapAxes, toArray, tree, vjp } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsTensor } from '../../core/safetensors.ts'
import type { AttentionParams, LinearParams, NormParams } from '../../nn/index.ts'

/** The tensors of one case by name, without the case's name. */
export interface Case {
  readonly name: string
  readonly get: (name: string) => Tensor
  readonly has: (name: string) => boolean
}

const tensorOf = ({ dtype, shape, data }: SafetensorsTensor): Tensor => {
  switch (dtype) {
    case 'F32':
      return fromArray(data, shape)
    case 'I64':
      return fromArray(Int32Array.from(data, Number), shape)
    case 'BOOL':
      return fromArray(data, shape)
    default:
      throw new Error(`no tensor of ${dtype} was expected in a reference`)
  }
}

/** The cases of a file. */
export const reference = (file: string): ((name: string) => Case) => {
  const bytes = readFileSync(new URL(`../fixtures/torch/${file}.safetensors`, import.meta.url))
  const decoded = decodeSafetensors(bytes)
  if (E.isLeft(decoded)) throw new Error(decoded.left)
  const { tensors } = decoded.right
  return (name) => ({
    name,
    has: (part) => tensors.has(`${name}.${part}`),
    get: (part) => {
      const found = tensors.get(`${name}.${part}`)
      if (found === undefined) throw new Error(`there is no ${name}.${part} in ${file}`)
      return tensorOf(found)
    },
  })
}

/** The case's tensors below a prefix, such as `param.` or `grad.`. */
export const below = ({ name, get, has }: Case, prefix: string): Case => ({
  name,
  get: (part) => get(prefix + part),
  has: (part) => has(prefix + part),
})

/** PyTorch's weight is [out, in]. */
export const linearFrom = (read: Case): LinearParams => ({
  weight: swapAxes(read.get('weight'), 0, 1),
  ...(read.has('bias') ? { bias: read.get('bias') } : {}),
})

export const normFrom = (read: Case): NormParams => ({
  weight: read.get('weight'),
  ...(read.has('bias') ? { bias: read.get('bias') } : {}),
})

/** The three projections are one matrix where their inputs have one width. */
export const attentionFrom = (read: Case): AttentionParams => {
  const together = read.has('in_proj_weight')
  const weights = together
    ? splitAxis(read.get('in_proj_weight'), 3, 0)
    : ['q', 'k', 'v'].map((name) => read.get(`${name}_proj_weight`))
  const biases = read.has('in_proj_bias') ? splitAxis(read.get('in_proj_bias'), 3, 0) : []
  const [query, key, value] = weights.map((weight, i) => ({
    weight: swapAxes(weight, 0, 1),
    ...(biases[i] === undefined ? {} : { bias: biases[i] }),
  })) as [LinearParams, LinearParams, LinearParams]
  const sinks = read.has('bias_k')
    ? { sinkKey: flat(read.get('bias_k')), sinkValue: flat(read.get('bias_v')) }
    : {}
  return { query, key, value, output: linearFrom(below(read, 'out_proj.')), ...sinks }
}

const flat = (x: Tensor): Tensor => reshape(x, [-1])

/**
 * How far float32 results may be from PyTorch's, relative to 1 or the largest element: a few times the
 * rounding of both.
 */
export const tolerance = 3e-6

/** Trees of one structure and shapes, whose numbers are the same to rounding. */
export const assertSame = async (actual: unknown, expected: unknown, what: string): Promise<void> => {
  const [got, wanted] = [tree.entries(actual), tree.entries(expected)]
  assert.equal(got.map(String), wanted.map(String), `${what}: paths and shapes`)
  for (const [i, [path, x]] of got.entries()) {
    const [a, b] = [await toArray(x), await toArray((wanted[i] as (typeof wanted)[number])[1])]
    let scale = 1
    for (const value of b) scale = Math.max(scale, Math.abs(value))
    a.forEach((value, j) => {
      if (!(Math.abs(value - (b[j] as number)) <= tolerance * scale))
        assert.unreachable(`${what} ${path}[${j}]: expected ${b[j]}, got ${value}`)
    })
  }
}

/**
 * Runs `f` of parameters and inputs, and its pullback of the case's cotangent, against the case: `params` reads
 * both the parameters and their gradients; `inputs` are names of arguments, in order.
 */
export const assertCase = async <P>(
  it: Case,
  params: (read: Case) => P,
  inputs: readonly string[],
  f: (params: P, ...inputs: Tensor[]) => Tensor,
): Promise<void> => {
  const given = inputs.map((name) => it.get(`in.${name}`))
  const { value, pullback } = vjp(f, params(below(it, 'param.')), ...given)
  await assertSame(value, it.get('out.output'), `${it.name} output`)
  const [gradient, ...inner] = pullback(it.get('cotangent'))
  await assertSame(gradient, params(below(it, 'grad.')), `${it.name} gradient of`)
  for (const [i, name] of inputs.entries())
    if (it.has(`grad_in.${name}`))
      await assertSame(inner[i], it.get(`grad_in.${name}`), `${it.name} gradient of ${name}`)
}
