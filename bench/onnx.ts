/**
 * A GPT-2 with a cache as an ONNX graph, with the inputs and outputs that transformers.js expects of a decoder: ids,
 * mask, positions and past keys and values in, scores and present keys and values out. The operators are those that
 * onnxruntime has fast kernels for.
 */
import type { Bytes } from './protobuf.ts'
import { float, int, message, text } from './protobuf.ts'
import type { Writer } from './size.ts'

/** A parameter by its name in the checkpoint. */
export type Weights = (name: string) => { readonly shape: readonly number[]; readonly data: Float32Array }

type Attribute = number | string | readonly number[] | { readonly float: number }

const [float32, int64] = [1, 7]

const attribute = (name: string, value: Attribute): Bytes =>
  typeof value === 'number'
    ? message(5, text(1, name), int(3, value), int(20, 2))
    : typeof value === 'string'
      ? message(5, text(1, name), text(4, value), int(20, 3))
      : 'float' in value
        ? message(5, text(1, name), float(2, value.float), int(20, 1))
        : message(5, text(1, name), ...value.map((n) => int(8, n)), int(20, 7))

const declared = (field: number, name: string, type: number, shape: readonly (number | string)[]): Bytes => {
  const dims = shape.map((size) => message(1, typeof size === 'number' ? int(1, size) : text(2, size)))
  return message(field, text(1, name), message(2, message(1, int(1, type), message(2, ...dims))))
}

/** The pieces of the file. */
export const onnxPieces = ({ layers, heads, width, vocabulary }: Writer, weights: Weights): Bytes => {
  const nodes: Bytes[] = []
  const constants: Bytes[] = []
  const each = width / heads
  let count = 0
  const node = (
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [`v${count++}`],
  ): string => {
    const fields = Object.entries(attributes).map(([name, value]) => attribute(name, value))
    nodes.push(
      message(
        1,
        ...inputs.map((name) => text(1, name)),
        ...outputs.map((name) => text(2, name)),
        text(4, op),
        ...fields,
      ),
    )
    return outputs[0] as string
  }
  const constant = (name: string, type: number, shape: readonly number[], data: ArrayBufferView): string => {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    constants.push(message(5, ...shape.map((n) => int(1, n)), int(2, type), text(8, name), message(9, [raw])))
    return name
  }
  const weight = (name: string): string => {
    const { shape, data } = weights(name)
    return constant(name, float32, shape, data)
  }
  const ints = (...values: readonly number[]): string =>
    constant(`c${count++}`, int64, [values.length], BigInt64Array.from(values, BigInt))
  const scalar = (value: number): string => constant(`c${count++}`, float32, [], Float32Array.of(value))
  const whole = (value: number): string => constant(`c${count++}`, int64, [], BigInt64Array.of(BigInt(value)))
  const dense = (x: string, name: string): string =>
    node('Add', [node('MatMul', [x, weight(`${name}.weight`)]), weight(`${name}.bias`)])
  const norm = (x: string, name: string): string =>
    node('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: 1e-5 },
    })

  const words = weight('transformer.wte.weight')
  let x = node('Add', [
    node('Gather', [words, 'input_ids']),
    node('Gather', [weight('transformer.wpe.weight'), 'position_ids']),
  ])
  // What may be looked at: no later token, no padding.
  const [time, total] = ['input_ids', 'attention_mask'].map((name) =>
    node('Gather', [node('Shape', [name]), whole(1)]),
  ) as [string, string]
  const range = (length: string): string => node('Range', [whole(0), length, whole(1)])
  const places = node('Add', [range(time), node('Sub', [total, time])])
  const seen = node('And', [
    node('LessOrEqual', [node('Unsqueeze', [range(total), ints(0)]), node('Unsqueeze', [places, ints(1)])]),
    node('Unsqueeze', [node('Cast', ['attention_mask'], { to: 9 }), ints(1, 2)]),
  ])
  const mask = node('Where', [seen, scalar(0), scalar(-1e30)])
  const split = ints(0, 0, heads, each)
  const joined = ints(0, 0, width)
  const [thirds, scale] = [ints(width, width, width), scalar(1 / Math.sqrt(each))]
  for (let i = 0; i < layers; i++) {
    const at = `transformer.h.${i}`
    const parts = [0, 1, 2].map((part) => `h${i}.${part}`)
    node('Split', [dense(norm(x, `${at}.ln_1`), `${at}.attn.c_attn`), thirds], { axis: 2 }, parts)
    const [query, key, value] = parts.map((part) =>
      node('Transpose', [node('Reshape', [part, split])], { perm: [0, 2, 1, 3] }),
    ) as [string, string, string]
    const [keys, values] = [
      ['key', key],
      ['value', value],
    ].map(([name, own]) =>
      node('Concat', [`past_key_values.${i}.${name}`, own as string], { axis: 2 }, [`present.${i}.${name}`]),
    ) as [string, string]
    const scores = node('MatMul', [query, node('Transpose', [keys], { perm: [0, 1, 3, 2] })])
    const weighed = node('Softmax', [node('Add', [node('Mul', [scores, scale]), mask])], { axis: -1 })
    const rows = node('Transpose', [node('MatMul', [weighed, values])], { perm: [0, 2, 1, 3] })
    x = node('Add', [x, dense(node('Reshape', [rows, joined]), `${at}.attn.c_proj`)])
    const inner = node('Gelu', [dense(norm(x, `${at}.ln_2`), `${at}.mlp.c_fc`)], { approximate: 'tanh' })
    x = node('Add', [x, dense(inner, `${at}.mlp.c_proj`)])
  }
  const last = node('Slice', [
    norm(x, 'transformer.ln_f'),
    node('Unsqueeze', [node('Neg', ['num_logits_to_keep']), ints(0)]),
    ints(2 ** 31 - 1),
    ints(1),
  ])
  node('MatMul', [last, node('Transpose', [words], { perm: [1, 0] })], {}, ['logits'])

  const kept = (prefix: string, length: string): [string, (number | string)[]][] =>
    Array.from({ length: layers }, (_, i) => ['key', 'value'].map((name) => `${prefix}.${i}.${name}`))
      .flat()
      .map((name) => [name, ['batch_size', heads, length, each]])
  return [
    int(1, 9),
    message(
      7,
      nodes.flat(),
      text(2, 'gpt2'),
      constants.flat(),
      declared(11, 'input_ids', int64, ['batch_size', 'sequence_length']),
      declared(11, 'attention_mask', int64, ['batch_size', 'total_sequence_length']),
      declared(11, 'position_ids', int64, ['batch_size', 'sequence_length']),
      declared(11, 'num_logits_to_keep', int64, []),
      ...kept('past_key_values', 'past_sequence_length').map(([name, shape]) =>
        declared(11, name, float32, shape),
      ),
      declared(12, 'logits', float32, ['batch_size', 'kept_length', vocabulary]),
      ...kept('present', 'total_sequence_length').map(([name, shape]) => declared(12, name, float32, shape)),
    ),
    message(8, text(1, ''), int(2, 20)),
  ].flat()
}
