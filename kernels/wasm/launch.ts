/** Which kernel does what a launch says. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Launch } from '../program/index.ts'
import { attentionKernel } from './attention/kernel.ts'
import type { Kernel } from './kernel.ts'
import { mapKernel } from './map.ts'
import { matmulKernel } from './matmul.ts'
import { reduceKernel } from './reduce/kernel.ts'
import { scanKernel } from './scan.ts'
import { scatterKernel } from './scatter.ts'
import { sortKernel } from './sort.ts'

/** The kernel of a launch; `undefined` where JavaScript has to run it. `threads` share it. */
export const kernelOf = (
  launch: Launch,
  dtypeOf: (id: BufferId) => Dtype,
  threads: number,
): Kernel | undefined => {
  switch (launch.kind) {
    case 'map':
      return mapKernel(launch, dtypeOf)
    case 'reduce':
      return reduceKernel(launch, dtypeOf)
    case 'matmul':
      return matmulKernel(launch, dtypeOf)
    case 'scatter':
      return scatterKernel(launch, dtypeOf)
    case 'sort':
      return sortKernel(launch, dtypeOf)
    case 'scan':
      return scanKernel(launch, dtypeOf)
    case 'attention':
    case 'attentionGradient':
      return attentionKernel(launch, dtypeOf, threads)
    default:
      return undefined
  }
}
