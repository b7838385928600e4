/** Which pullback this is. */
import { existsSync, readFileSync } from 'node:fs'

const manifest = ['../package.json', '../../package.json']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url))

/** The version of this package. */
export const version: string =
  manifest === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version
