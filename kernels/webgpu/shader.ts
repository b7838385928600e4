/** What every kernel has: buffers bound as they are used, and elements read and written through views. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Indexed, Operand, Strided, View } from '../program/index.ts'
import { address } from './axis.ts'
import { libraryFor } from './library.ts'
import type { Subgroups } from './subgroup.ts'
import { subgroupParameter } from './subgroup.ts'

export type WgslType = 'f32' | 'i32' | 'u32'

/** The type in memory; a truth value is a whole word there. */
export const storedType = (dtype: Dtype): WgslType => {
  if (dtype === 'float32') return 'f32'
  if (dtype === 'float64') throw new Error('webgpu: float64 is not supported')
  return dtype === 'int32' ? 'i32' : 'u32'
}

/** The type of a value in an expression. */
export const valueType = (dtype: Dtype): WgslType | 'bool' => (dtype === 'bool' ? 'bool' : storedType(dtype))

export interface Binding {
  readonly id: BufferId
  readonly access: 'read' | 'write'
}

/** One kernel as it is dispatched. Bindings are in group 0 in order, after the uniform words if there are any. */
export interface Dispatch {
  readonly label: string
  readonly code: string
  readonly bindings: readonly Binding[]
  readonly groups: readonly [x: number, y: number, z: number]
  readonly uniform?: Uint32Array<ArrayBuffer>
}

/** What a launch is compiled against. */
export interface Context {
  readonly dtype: (id: BufferId) => Dtype
  readonly sizeOf: (id: BufferId) => number
  /** The buffer in whose memory it stands: itself, or a donated argument. */
  readonly home: (id: BufferId) => BufferId
  /** A buffer for this launch alone. */
  readonly scratch: (dtype: Dtype, size: number) => BufferId
  readonly threadsPerGroup: number
  readonly bytesPerGroup: number
  readonly buffersPerKernel: number
  /** As what tiles hold the factors of float32 products, whose sums are float32 in any case. */
  readonly factors: 'f32' | 'f16'
  /** Subgroups to join what threads found, where the device has them and they are wanted. */
  readonly subgroups: Subgroups | undefined
  /**
   * Threads work for themselves alone. In software there is no memory of a group and its threads run one after the
   * other: what they share takes longer to compile and to run than what each does anew.
   */
  readonly plain: boolean
}

/**
 * Collects what a kernel binds. Buffers in one memory are one binding, as WebGPU demands. Names follow the order in
 * which the kernel first uses them, and not the program's numbers: the same kernel on other buffers is the same text,
 * and is compiled once.
 */
export interface Binder {
  readonly element: (view: View, axes: readonly string[], more?: string) => string
  /** The element as a value, truth being `bool`. */
  readonly read: (operand: Operand, axes: readonly string[]) => string
  readonly store: (view: View, axes: readonly string[], value: string, more?: string) => string
  /** The clamped data-dependent part of an address, to be added to it. */
  readonly gathered: (at: readonly Indexed[], axes: readonly string[]) => string
  readonly name: (id: BufferId, access: 'read' | 'write') => string
  /**
   * The same memory as an array of vectors of four. A kernel that writes a buffer through one binding may not have it
   * in another: whoever asks has looked.
   */
  readonly quads: (id: BufferId, access: 'read' | 'write') => string
  readonly declarations: () => string
  readonly bindings: () => readonly Binding[]
}

export const binder = ({ dtype, home }: Pick<Context, 'dtype' | 'home'>): Binder => {
  const used = new Map<
    string,
    { readonly id: BufferId; readonly name: string; readonly type: string; access: 'read' | 'write' }
  >()
  const bound = (
    prefix: 'b' | 'q',
    id: BufferId,
    access: 'read' | 'write',
    typeOf: (type: WgslType) => string,
  ): string => {
    const at = home(id)
    const key = `${prefix}${at}`
    const known = used.get(key)
    if (known !== undefined) {
      if (access === 'write') known.access = 'write'
      return known.name
    }
    const own = `${prefix}${used.size}`
    used.set(key, { id: at, name: own, type: typeOf(storedType(dtype(id))), access })
    return own
  }
  const name = (id: BufferId, access: 'read' | 'write'): string => bound('b', id, access, (type) => type)
  const quads = (id: BufferId, access: 'read' | 'write'): string =>
    bound('q', id, access, (type) => `vec4<${type}>`)
  const element = (view: View, axes: readonly string[], more = ''): string =>
    `${name(view.buffer, 'read')}[${address(view, axes)}${more}]`
  const gathered = (at: readonly Indexed[], axes: readonly string[]): string =>
    at
      .map(({ index, stride, size }) => ` + clamp(${element(index, axes)}, 0, ${size - 1}) * ${stride}`)
      .join('')
  return {
    element,
    gathered,
    name,
    quads,
    read: (operand, axes) => {
      if (operand.kind === 'iota') return address(operand as Strided, axes)
      const raw = element(operand, axes, gathered(operand.at ?? [], axes))
      return dtype(operand.buffer) === 'bool' ? `${raw} != 0u` : raw
    },
    store: (view, axes, value, more = '') => {
      const target = `${name(view.buffer, 'write')}[${address(view, axes)}${more}]`
      return `${target} = ${dtype(view.buffer) === 'bool' ? `u32(${value})` : value};`
    },
    declarations: () =>
      [...used.values()]
        .map(
          ({ name: own, type, access }, index) =>
            `@group(0) @binding(${index}) var<storage, ${access === 'write' ? 'read_write' : 'read'}> ${own}: array<${type}>;`,
        )
        .join('\n'),
    bindings: () => [...used.values()].map(({ id, access }) => ({ id, access })),
  }
}

/** A whole module: bindings, more declarations, the functions that the code calls, and the entry point. */
export const moduleOf = (
  declarations: string,
  main: { readonly parameters: string; readonly code: readonly string[]; readonly size: number },
  more: readonly string[] = [],
): string => {
  const code = main.code.join('\n')
  const meets = /\bsubgroup/.test(code)
  const entry = `@compute @workgroup_size(${main.size})
fn main(${main.parameters}${meets ? `, ${subgroupParameter}` : ''}) {
${code}
}`
  const rest = [...more, entry].join('\n')
  const enabled = [
    ...(meets ? ['enable subgroups;'] : []),
    ...(/\bf16\b/.test(rest) ? ['enable f16;'] : []),
  ].join('\n')
  return [enabled, declarations, libraryFor(rest), rest].filter((part) => part !== '').join('\n')
}
