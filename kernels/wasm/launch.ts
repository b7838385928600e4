/** Which kernel does what a launch says. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Launch } from '../program/index.ts'
import { byKind } from '../program/index.ts'
import { attentionKernel } from './attention/kernel.ts'
import type { Kernel } from './kernel.ts'
import { mapKernel } from './map.ts'
import { matmulKernel } from './matmul.ts'
import { reduceKernel } from './reduce/kernel.ts'
import { scanKernel } from './scan.ts'
import { scatterKernel } from './scatter.ts'
import { sortKernel } from './sort.ts'

/** The kernel of a launch; `undefined` where JavaScript has to run it. `threads` share it. */
export const kernelOf: (
  launch: Launch,
  dtypeOf: (id: BufferId) => Dtype,
  threads: number,
) => Kernel | undefined = byKind({
  map: mapKernel,
  reduce: reduceKernel,
  matmul: matmulKernel,
  scatter: scatterKernel,
  sort: sortKernel,
  scan: scanKernel,
  attention: attentionKernel,
  attentionGradient: attentionKernel,
  custom: () => undefined,
})
