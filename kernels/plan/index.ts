export { flopsOf, overLaunches, programPlan } from './cost.ts'
export type { MemoryPlan, Placement } from './memory.ts'
export { isIdle, planMemory } from './memory.ts'
