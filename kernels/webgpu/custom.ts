/** A user's own kernel, compiled whole by gpu.js. Its language has float32 numbers alone. */
import { wgslOf } from '../gpujs/index.ts'
import type { BufferId, CustomLaunch, MapLaunch } from '../program/index.ts'
import { mapDispatches } from './map.ts'
import type { Context, Dispatch } from './shader.ts'

/** Copies a whole buffer into one of another dtype. */
const converted = (from: BufferId, to: BufferId, size: number, context: Context): readonly Dispatch[] => {
  const [source, target] = [context.dtype(from), context.dtype(to)]
  const launch: MapLaunch = {
    kind: 'map',
    shape: [size],
    operands: [{ kind: 'buffer', buffer: from, strides: [1], offset: 0 }],
    body: [
      { op: 'read', index: 0, dtype: source },
      { op: 'cast', args: [0], dtype: target },
    ],
    outputs: [{ target: { buffer: to, strides: [1], offset: 0 }, value: 1 }],
  }
  return mapDispatches(launch, context)
}

export const customDispatches = (
  { source, inputs, target, size }: CustomLaunch,
  context: Context,
): readonly Dispatch[] => {
  if (size === 0) return []
  const floating = (id: BufferId): boolean => context.dtype(id) === 'float32'
  const before: Dispatch[] = []
  const arrays = inputs.map((id) => {
    if (floating(id)) return id
    const copy = context.scratch('float32', context.sizeOf(id))
    before.push(...converted(id, copy, context.sizeOf(id), context))
    return copy
  })
  const result = floating(target) ? target : context.scratch('float32', context.sizeOf(target))
  const { code, workgroup, parameterBytes, sizesAt } = wgslOf(source, [size], inputs.length)
  const [wide = 64] = workgroup
  const groups = Math.ceil(size / wide)
  const y = Math.ceil(groups / 65535)
  const x = Math.ceil(groups / y)
  const uniform = new Uint32Array(parameterBytes / 4)
  uniform.set([size, 1, 1, x * wide])
  arrays.forEach((id, index) => {
    const length = context.sizeOf(id)
    uniform.set([length, 1, 1, length], (sizesAt[index] as number) / 4)
  })
  return [
    ...before,
    {
      label: `custom ${size}`,
      code,
      bindings: [...arrays.map((id) => ({ id, access: 'read' as const })), { id: result, access: 'write' }],
      groups: [x, y, 1],
      uniform,
    },
    ...(result === target ? [] : converted(result, target, size, context)),
  ]
}
