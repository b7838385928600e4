import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publicValues } from './public.ts'

const files: Readonly<Record<string, string>> = {
  'a/index.ts': [
    "export { add, hidden as shown } from './sum.ts'",
    "export * as random from './draw.ts'",
    "export type { Shape } from './sum.ts'",
    'export const own = 1',
  ].join('\n'),
  'a/sum.ts': [
    '/** One. @example add() */',
    'export function add(a: number): number',
    'export function add(a: string): string',
    '/** Two. */',
    'export const hidden = 2',
    'export const unused = 3',
    'export type Shape = number',
  ].join('\n'),
  'a/draw.ts': '/** Drawn. */ export const uniform = 0',
}

const values = suite('what an entry exports')

values('its own values and those passed on, under the names that users write, with their docstrings', () => {
  const found = publicValues('a/index.ts', (path) => files[path] ?? '')
  assert.equal(
    found.map(({ name, path }) => `${name} ${path}`),
    ['own a/index.ts', 'add a/sum.ts', 'shown a/sum.ts', 'random.uniform a/draw.ts'],
  )
  assert.equal(
    found.map(({ docstring }) => docstring),
    ['', '/** One. @example add() */', '/** Two. */', '/** Drawn. */'],
  )
})

values.run()

const entries = suite('the entries')

const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly exports: Readonly<Record<string, string>>
}

// A module that exports a function named `then` is a thenable, for which `await import(…)` waits without end.
for (const entry of Object.keys(exports).filter((path) => !path.endsWith('.json')))
  entries(`pullback${entry.slice(1)} can be imported with await import`, async () => {
    const late = new AbortController()
    const module: unknown = await Promise.race([
      import(`pullback${entry.slice(1)}`),
      setTimeout(30_000, 'never', { signal: late.signal }),
    ])
    late.abort()
    assert.type(module, 'object')
  })

entries.run()
