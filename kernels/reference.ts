import { bytesOf, hostArray } from './dtype.ts'
import type { Dtype, HostArray } from './dtype.ts'
import type { Engine, Executable, Memory, Profiled } from './engine.ts'
import type { Span } from './profile/index.ts'
import { compileLaunch } from './javascript/launch.ts'
import { ledger } from './ledger.ts'
import type { BufferSpec, Program } from './program/index.ts'
import { programPlan } from './plan/index.ts'

interface HostMemory extends Memory {
  readonly data: HostArray
}

/**
 * The oracle that every other engine is tested against: plain loops, every buffer in memory of its own, no
 * reuse, no reordering. Never fast.
 *
 * @example
 * ```ts
 * import { referenceEngine } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * const engine = referenceEngine()
 * const executable = engine.compile(program)
 * const [y] = executable.run([engine.upload(Float32Array.of(1, 2, 3))])
 * console.log(y && engine.readSync?.(y)) // => Float32Array(3) [2, 3, 4]
 * ```
 */
export const referenceEngine = (): Engine => {
  const memories = ledger<HostMemory>()
  const hold = (dtype: Dtype, data: HostArray): HostMemory =>
    memories.add({ dtype, size: data.length, data }, data.byteLength)
  const compile = (program: Program): Executable => {
    const dtype = (id: number): Dtype => (program.buffers[id] as BufferSpec).dtype
    const launches = program.launches.map((launch) => compileLaunch(launch, dtype, program.buffers.length))
    const own = new Set([...program.inputs, ...program.outputs])
    const temporaries = program.buffers.map((spec, id) =>
      own.has(id) ? undefined : hostArray(spec.dtype, spec.size),
    )
    const around = (
      inputs: readonly Memory[],
      go: (buffers: readonly HostArray[]) => void,
    ): readonly Memory[] => {
      const held: (HostMemory | undefined)[] = program.buffers.map(() => undefined)
      program.inputs.forEach((id, position) => (held[id] = inputs[position] as HostMemory))
      for (const id of program.outputs) {
        const spec = program.buffers[id] as BufferSpec
        held[id] ??= hold(spec.dtype, hostArray(spec.dtype, spec.size))
      }
      const buffers = program.buffers.map((_, id) => (held[id]?.data ?? temporaries[id]) as HostArray)
      go(buffers)
      for (const position of program.donated) {
        const memory = inputs[position] as HostMemory
        if (!program.outputs.includes(program.inputs[position] as number)) memories.remove(memory)
      }
      return program.outputs.map((id) => held[id] as HostMemory)
    }
    const run = (inputs: readonly Memory[]): readonly Memory[] =>
      around(inputs, (buffers) => launches.forEach((launch) => launch(...buffers)))
    const profile = (inputs: readonly Memory[]): Profiled => {
      const spans: Span[] = []
      const begin = performance.now()
      const outputs = around(inputs, (buffers) =>
        launches.forEach((launch, index) => {
          const start = performance.now()
          launch(...buffers)
          spans.push({ launch: index, start: start - begin, milliseconds: performance.now() - start })
        }),
      )
      return { outputs, spans: Promise.resolve(spans) }
    }
    const plan = programPlan(program, sum(program.buffers.filter((_, id) => !own.has(id))))
    return { plan, run, profile }
  }
  return {
    name: 'reference',
    detail: 'plain JavaScript loops on the host, one thread',
    supports: () => true,
    fuses: ['attention', 'attentionGradient'],
    buffersPerLaunch: 16,
    compile,
    upload: (data) => hold(dtypeOfArray(data), data.slice()),
    read: (memory) => Promise.resolve((memory as HostMemory).data.slice()),
    readSync: (memory) => (memory as HostMemory).data.slice(),
    release: (memory) => memories.remove(memory as HostMemory),
    live: memories.live,
    close: () => Promise.resolve(),
  }
}

const sum = (specs: readonly BufferSpec[]): number =>
  specs.reduce((bytes, { dtype, size }) => bytes + bytesOf(dtype) * size, 0)

const dtypeOfArray = (data: HostArray): Dtype => {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  return data instanceof Uint32Array ? 'uint32' : 'bool'
}
