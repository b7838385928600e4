/** A WebAssembly module put together from functions (core specification 2.0, chapter 5, binary format). */
import type { Code, ValueType } from './code/index.ts'
import { flatten, typeByte, unsigned } from './code/index.ts'

export interface Signature {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface WasmFunction extends Signature {
  readonly locals: readonly ValueType[]
  readonly body: Code
}

export interface HostFunction extends Signature {
  readonly name: string
}

export interface WasmModule {
  /** The imports `env.<name>`; function indices begin with them. */
  readonly imports: readonly HostFunction[]
  /** Exported as `f0`, `f1`, … */
  readonly functions: readonly WasmFunction[]
  readonly sharedMemory: boolean
  readonly maximumPages: number
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items]

const text = (value: string): Code => vector([...new TextEncoder().encode(value)].map((byte) => [byte]))

const section = (id: number, content: Code): Code => {
  const bytes = flatten(content)
  return [id, ...unsigned(bytes.length), bytes]
}

const functionType = ({ params, results }: Signature): Code => [
  0x60,
  vector(params.map((type) => [typeByte[type]])),
  vector(results.map((type) => [typeByte[type]])),
]

/** Runs of equal types, as the binary format lists locals. */
const localRuns = (locals: readonly ValueType[]): Code[] => {
  const runs: { type: ValueType; count: number }[] = []
  for (const type of locals) {
    const last = runs.at(-1)
    if (last?.type === type) last.count++
    else runs.push({ type, count: 1 })
  }
  return runs.map(({ type, count }) => [...unsigned(count), typeByte[type]])
}

const functionBody = ({ locals, body }: WasmFunction): Code => {
  const bytes = flatten([vector(localRuns(locals)), body, 0x0b])
  return [...unsigned(bytes.length), bytes]
}

/**
 * The module's bytes. Every module imports the memory `env.memory` and the address `env.scratch` (global 0)
 * of memory that belongs to the thread alone.
 */
export const encode = ({
  imports,
  functions,
  sharedMemory,
  maximumPages,
}: WasmModule): Uint8Array<ArrayBuffer> => {
  const types = [...imports, ...functions].map(functionType)
  const memory: Code = [
    text('env'),
    text('memory'),
    0x02,
    sharedMemory ? 0x03 : 0x01,
    ...unsigned(1),
    ...unsigned(maximumPages),
  ]
  const scratch: Code = [text('env'), text('scratch'), 0x03, typeByte.i32, 0x00]
  const bytes = flatten([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector(types)),
    section(
      2,
      vector([
        memory,
        scratch,
        ...imports.map(({ name }, index): Code => [text('env'), text(name), 0x00, ...unsigned(index)]),
      ]),
    ),
    section(3, vector(functions.map((_, index) => unsigned(imports.length + index)))),
    section(
      7,
      vector(
        functions.map((_, index): Code => [text(`f${index}`), 0x00, ...unsigned(imports.length + index)]),
      ),
    ),
    section(10, vector(functions.map(functionBody))),
  ])
  return Uint8Array.from(bytes)
}
