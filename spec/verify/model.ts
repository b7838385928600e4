/** Checks a model folder: everything its reference has is computed and compared. */
import { either as E } from 'fp-ts'
import { arange, concatenate, cos, expandDims, mul, reshape, sin, toArraySync } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { decodeConfig, llamaCodec, readConfigFile, ropeScaling } from '../../models/index.ts'
import { rotaryFrequencies } from '../../nn/index.ts'
import type { Check } from './check.ts'
import { compare, holds } from './check.ts'
import { runners } from './family.ts'
import { checkWriting } from './write.ts'
import type { Reference } from './reference.ts'
import { below, casesOf } from './reference.ts'
import { need } from './runner.ts'
import type { Named, Runnable } from './runner.ts'

/** Models without a head, of which a case may speak. */
const bases: Readonly<Record<string, string>> = {
  Bert: 'BertModel',
  Roberta: 'RobertaModel',
  DistilBert: 'DistilBertModel',
  ViT: 'ViTModel',
  GPT2: 'GPT2Model',
  Llama: 'LlamaModel',
  Bart: 'BartModel',
}

const without = (named: Named, ...names: readonly string[]): Named =>
  new Map([...named].filter(([name]) => !names.includes(name)))

/** Groups of outputs: `hidden_states.0` and its like are one. */
const groupOf = (name: string): string => name.replace(/\.\d+$/, '')

const grouped = (named: Named): ReadonlyMap<string, Named> => {
  const groups = new Map<string, Map<string, Tensor>>()
  for (const [name, x] of named) {
    const group = groups.get(groupOf(name)) ?? new Map<string, Tensor>()
    groups.set(groupOf(name), group.set(name, x))
  }
  return groups
}

/** Where a mask of tokens is 0, nothing is asked of an output [batch, time, ...]. */
const realPlaces = (mask: Tensor | undefined, expected: Named): ((name: string, i: number) => boolean) => {
  if (mask === undefined) return () => true
  const real = toArraySync(mask)
  return (name, i) => {
    const shape = (expected.get(name) as Tensor).shape
    const row = shape.slice(2).reduce((n, size) => n * size, 1)
    return real[Math.floor(i / row)] !== 0
  }
}

/** One case: its outputs, its loss, the gradients of all parameters. */
const checkCase = async (
  reference: Reference,
  model: Runnable,
  name: string,
  inputs: Named,
  mask?: Tensor,
): Promise<readonly Check[]> => {
  const prefix = name === '' ? '' : `${name}.`
  const label = name === '' ? '' : `${name}: `
  const expected = below(reference, `${prefix}out.`)
  const rounding = reference.roundingOf(name)
  const checks: Check[] = []
  const all = model.run(inputs)
  // A part of the model, such as `text_model`, has outputs of its own.
  const actual = name.endsWith('_model')
    ? new Map([...all].map(([output, x]) => [output.replace(prefix, ''), x]))
    : all
  for (const [group, tensors] of grouped(without(expected, 'loss')))
    checks.push(
      await compare(`${label}${group}`, actual, tensors, rounding.outputs, realPlaces(mask, expected)),
    )
  const gradients = below(reference, `${prefix}grad.`)
  const loss = expected.get('loss')
  if (loss === undefined && gradients.size === 0) return checks
  const own = await model.differentiate(inputs)
  if (loss !== undefined)
    checks.push(
      await compare(
        `${label}loss`,
        new Map([['loss', own.loss]]),
        new Map([['loss', loss]]),
        rounding.outputs,
      ),
    )
  if (gradients.size > 0)
    checks.push(await compare(`${label}gradients`, own.gradients, gradients, rounding.gradients))
  return checks
}

/** Cases that are runs of a model, and not generation. */
const isRun = (name: string): boolean => !/^(greedy|beam|cache|rope)/.test(name)

/** Llama's turning of positions: the radians a place, and cosines and sines of each of both halves. */
const checkRope = async (reference: Reference): Promise<Check> => {
  const file = await readConfigFile(reference.folder)()
  const config = E.isRight(file) ? decodeConfig(llamaCodec, file.right) : E.left([file.left])
  if (E.isLeft(config)) return holds('rope', 0, config.left)
  const { rope, headWidth, width, heads } = config.right
  const expected = below(reference, 'rope.')
  const [, time] = need(expected, 'cos').shape as readonly [number, number]
  const plain = rotaryFrequencies(headWidth ?? width / heads, rope.base)
  const scaled = ropeScaling(rope)(plain, arange(time))
  const frequencies = reshape(scaled, plain.shape)
  const angle = mul(expandDims(expandDims(arange(time), 0), -1), frequencies) // [1, time, width / 2]
  const whole = concatenate([angle, angle], -1)
  const actual = new Map([
    ['inv_freq', frequencies],
    ['cos', cos(whole)],
    ['sin', sin(whole)],
  ])
  return compare('rope', actual, expected, 0)
}

/** Everything in a model folder. */
export const checkModel = async (reference: Reference): Promise<readonly Check[]> => {
  const runner = runners[reference.name]
  if (runner === undefined) return [holds(reference.name, 0, ['no such class is known here'])]
  const model = await runner.load(reference.folder)
  const main = below(reference, 'in.')
  const checks = [...(await checkCase(reference, model, '', main))]
  checks.push(...(await checkWriting(reference, model)))
  if (reference.tensors.has('rope.inv_freq')) checks.push(await checkRope(reference))
  for (const name of casesOf(reference).filter(isRun)) {
    const inputs = new Map([...main, ...below(reference, `${name}.in.`)])
    if (name === 'base') {
      const family = Object.keys(bases).find((prefix) => reference.name.startsWith(prefix)) ?? ''
      const base = await runners[bases[family] ?? '']?.load(reference.folder, true)
      checks.push(
        ...(base === undefined
          ? [holds('base', 0, ['no model without a head is known'])]
          : await checkCase(reference, base, name, inputs)),
      )
    } else if (name === 'nomask')
      checks.push(
        ...(await checkCase(reference, model, name, without(inputs, 'attention_mask', 'token_type_ids'))),
      )
    else {
      const mask = name === 'leftpad' ? inputs.get('attention_mask') : undefined
      checks.push(...(await checkCase(reference, model, name, inputs, mask)))
    }
  }
  return checks
}
