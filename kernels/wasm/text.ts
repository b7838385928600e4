/**
 * Compiled functions as WebAssembly text (core specification 2.0, chapter 6), for people to read: the bytes are
 * decoded instruction by instruction, whatever wrote them.
 */
import { flatten } from './code/index.ts'
import type { Code, ValueType } from './code/index.ts'
import type { HostFunction, WasmFunction, WasmModule } from './module.ts'
import { memory, plain, vectorLaneMemory, vectorLanes, vectorMemory, vectors } from './opcode.ts'

/** The bytes of a body, read from the front. */
const reader = (bytes: readonly number[]) => {
  let at = 0
  const byte = (): number => {
    const next = bytes[at++]
    if (next === undefined) throw new Error('wasm: the code ends within an instruction')
    return next
  }
  const unsigned = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const next = byte()
      value += (next & 0x7f) * scale
      if (next < 0x80) return value
      scale *= 128
    }
  }
  const signed = (): number => {
    let [value, shift] = [0, 0]
    for (;;) {
      const next = byte()
      value |= (next & 0x7f) << shift
      shift += 7
      if (next >= 0x80) continue
      return shift < 32 && (next & 0x40) !== 0 ? value | (-1 << shift) : value
    }
  }
  const take = (count: number): number[] => Array.from({ length: count }, byte)
  return { byte, unsigned, signed, take, ended: (): boolean => at >= bytes.length }
}

type Reader = ReturnType<typeof reader>

const place = (bytes: Reader): string => {
  const align = 2 ** bytes.unsigned()
  const offset = bytes.unsigned()
  return `${offset === 0 ? '' : ` offset=${offset}`} align=${align}`
}

/** A vector's bits, as four words. */
const lanes = (bytes: readonly number[]): string => {
  const data = new DataView(Uint8Array.from(bytes).buffer)
  const words = [0, 4, 8, 12].map((at) => data.getUint32(at, true))
  const hex = words.map((word) => `0x${word.toString(16).padStart(8, '0')}`)
  return `i32x4 ${hex.join(' ')}`
}

const vector = (bytes: Reader): string => {
  const op = bytes.unsigned()
  const inMemory = vectorMemory.get(op)
  if (inMemory !== undefined) return inMemory + place(bytes)
  const inLane = vectorLaneMemory.get(op)
  if (inLane !== undefined) return `${inLane}${place(bytes)} ${bytes.byte()}`
  const ofLane = vectorLanes.get(op)
  if (ofLane !== undefined) return `${ofLane} ${bytes.byte()}`
  if (op === 0x0c) return `v128.const ${lanes(bytes.take(16))}`
  if (op === 0x0d) return `i8x16.shuffle ${bytes.take(16).join(' ')}`
  const name = vectors.get(op)
  if (name === undefined) throw new Error(`wasm: there is no vector instruction 0x${op.toString(16)}`)
  return name
}

interface Names {
  readonly local: (index: number) => string
  readonly called: (index: number) => string
}

const opens: ReadonlyMap<number, string> = new Map([
  [0x02, 'block'],
  [0x03, 'loop'],
  [0x04, 'if'],
])

const withIndex = ({ local, called }: Names): ReadonlyMap<number, (index: number) => string> =>
  new Map([
    [0x0c, (depth: number) => `br ${depth}`],
    [0x0d, (depth: number) => `br_if ${depth}`],
    [0x10, (index: number) => `call ${called(index)}`],
    [0x20, (index: number) => `local.get ${local(index)}`],
    [0x21, (index: number) => `local.set ${local(index)}`],
    [0x22, (index: number) => `local.tee ${local(index)}`],
    [0x23, (index: number) => `global.get ${index === 0 ? '$scratch' : index}`],
  ])

/** The instructions of a body, a line each, indented by blocks. */
const instructions = (body: Code, names: Names): readonly string[] => {
  const bytes = reader(flatten(body))
  const indexed = withIndex(names)
  const lines: string[] = []
  let depth = 0
  const line = (text: string, at = depth): void => void lines.push('  '.repeat(at) + text)
  while (!bytes.ended()) {
    const op = bytes.byte()
    const open = opens.get(op)
    if (open !== undefined) {
      if (bytes.byte() !== 0x40) throw new Error('wasm: a block with a result, which is not printed')
      line(open)
      depth++
    } else if (op === 0x05) line('else', depth - 1)
    else if (op === 0x0b) line('end', --depth)
    else if (op === 0x41) line(`i32.const ${bytes.signed()}`)
    else if (op === 0xfd) line(vector(bytes))
    else {
      const inMemory = memory.get(op)
      const index = indexed.get(op)
      const name = plain.get(op)
      if (inMemory !== undefined) line(inMemory + place(bytes))
      else if (index !== undefined) line(index(bytes.unsigned()))
      else if (name !== undefined) line(name)
      else throw new Error(`wasm: there is no instruction 0x${op.toString(16)}`)
    }
  }
  return lines
}

const letter: Readonly<Record<ValueType, string>> = { i32: 'i', f32: 'f', f64: 'd', v128: 'v' }

const parts = (word: string, types: readonly ValueType[], name?: (index: number) => string): string =>
  types.map((type, index) => ` (${word}${name === undefined ? '' : ` ${name(index)}`} ${type})`).join('')

/** A function as text; `called` names the functions that it may call, by index. Parameters are named where given. */
export const functionText = (
  { params, results, locals, body }: WasmFunction,
  called: (index: number) => string = String,
  parameters: readonly string[] = [],
  heading = '',
): string => {
  const types = [...params, ...locals]
  const local = (index: number): string =>
    `$${parameters[index] ?? `${letter[types[index] as ValueType]}${index}`}`
  const head = `(func${heading}${parts('param', params, local)}${parts('result', results)}`
  const declared = locals.map((type, index) => `(local ${local(params.length + index)} ${type})`)
  const rows = Array.from({ length: Math.ceil(declared.length / 5) }, (_, row) =>
    declared.slice(5 * row, 5 * row + 5).join(' '),
  )
  return (
    [head, ...[...rows, ...instructions(body, { local, called })].map((line) => `  ${line}`)].join('\n') + ')'
  )
}

const importText = ({ name, params, results }: HostFunction): string =>
  `(import "env" "${name}" (func $${name}${parts('param', params)}${parts('result', results)}))`

/** A whole module as text, as `encode` gives it in bytes. */
export const moduleText = ({ imports, functions, sharedMemory, maximumPages }: WasmModule): string => {
  const called = (index: number): string => `$${imports[index]?.name ?? `f${index - imports.length}`}`
  const lines = [
    `(import "env" "memory" (memory 1 ${maximumPages}${sharedMemory ? ' shared' : ''}))`,
    '(import "env" "scratch" (global $scratch i32))',
    ...imports.map(importText),
    ...functions.map((code, index) => functionText(code, called, [], ` $f${index} (export "f${index}")`)),
  ]
  return `(module\n${lines.join('\n').replace(/^/gm, '  ')})\n`
}
