/** Models by their names on the Hub. */
export { fetchModel, modelFolder } from './fetch.ts'
export type { HubName } from './name.ts'
export { hubName } from './name.ts'
export type { HubOptions, Progress } from './setting.ts'
