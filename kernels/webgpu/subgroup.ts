/**
 * Subgroups: threads of a group that run in step and read each other's registers, without memory or a barrier between.
 * How many there are is known only while a kernel runs, and it may be another number in the next kernel.
 */
import type { Ticker } from './tick.ts'

/** The smallest and the largest subgroup of a device, powers of two. */
export interface Subgroups {
  readonly least: number
  readonly most: number
}

/** Variables of every thread, as the type and the name of each. */
export type Variables = readonly (readonly [type: string, name: string])[]

/** The parameter of an entry point whose code joins by subgroups. */
export const subgroupParameter = '@builtin(subgroup_size) subgroup: u32'

/** Whether `lanes` neighbours may lie in several subgroups, whose results then meet in the group's memory. */
export const isDivided = (lanes: number, { least }: Subgroups): boolean => lanes > least

/**
 * Statements that leave in the variables of each of `lanes` neighbours (a power of two, and `local` the number of a
 * thread) what all of them together make, joined by pairs at distances of 1, 2, 4 …, and then one subgroup after the
 * other: the order depends on nothing but the size of a subgroup, and operations that commute give all lanes the same
 * bits. `take` joins the variables with others, `place` is where in the group's memory a subgroup's stand.
 */
export const joinedBySubgroups = (
  subgroups: Subgroups,
  lanes: number,
  variables: Variables,
  take: (others: readonly string[]) => string,
  place: (variable: number, subgroup: string) => string,
): readonly string[] => {
  const others = variables.map((_, index) => `other${index}`)
  const taken = (from: (name: string, index: number) => string): string =>
    [
      '{',
      ...variables.map(([, name], index) => `let ${others[index]} = ${from(name, index)};`),
      take(others),
      '}',
    ].join(' ')
  const code: string[] = []
  for (let distance = 1; distance < Math.min(lanes, subgroups.most); distance *= 2) {
    const pair = taken((name) => `subgroupShuffleXor(${name}, ${distance}u)`)
    code.push(distance < subgroups.least ? pair : `if (subgroup > ${distance}u) ${pair}`)
  }
  if (!isDivided(lanes, subgroups)) return code
  return [
    ...code,
    '{',
    `let width = min(subgroup, ${lanes}u);`,
    `if (local % width == 0u) { ${variables.map(([, name], index) => `${place(index, 'local / width')} = ${name};`).join(' ')} }`,
    'workgroupBarrier();',
    `let first = local / ${lanes}u * (${lanes}u / width);`,
    ...variables.map(([, name], index) => `${name} = ${place(index, 'first')};`),
    `for (var next = first + 1u; next < first + ${lanes}u / width; next++) ${taken((_, index) => place(index, 'next'))}`,
    '}',
    'workgroupBarrier();',
  ]
}

const threads = 256

/** Each thread writes its place in its subgroup, and how many there are. */
const question = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> found: array<vec2<u32>>;
@compute @workgroup_size(${threads})
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) place: u32,
  @builtin(subgroup_size) size: u32,
) {
  found[local] = vec2<u32>(place, size);
}`

const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const

/**
 * Whether neighbouring threads are neighbours in their subgroups. WGSL does not promise it, and what is joined here
 * relies on it; so the device is asked.
 */
export const areNeighbours = async (gpu: GPUDevice, ticker: Ticker): Promise<boolean> => {
  const size = 8 * threads
  const found = gpu.createBuffer({ size, usage: usage.storage | usage.copySource })
  const copy = gpu.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
  const pipeline = gpu.createComputePipeline({
    label: 'subgroups',
    layout: 'auto',
    compute: { module: gpu.createShaderModule({ code: question }), entryPoint: 'main' },
  })
  const encoder = gpu.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(
    0,
    gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: found } }],
    }),
  )
  pass.dispatchWorkgroups(1)
  pass.end()
  encoder.copyBufferToBuffer(found, 0, copy, 0, size)
  gpu.queue.submit([encoder.finish()])
  await ticker.awaited(() => copy.mapAsync(1))
  const words = new Uint32Array(copy.getMappedRange())
  const answer = Array.from({ length: threads }, (_, local) => {
    const [place, count] = [words[2 * local] as number, words[2 * local + 1] as number]
    return count > 0 && Number.isInteger(Math.log2(count)) && place === local % count
  }).every((good) => good)
  copy.destroy()
  found.destroy()
  return answer
}
