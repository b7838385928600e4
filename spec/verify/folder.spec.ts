/** What is verified fails where it should. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeSafetensors, encodeSafetensors } from '../../core/safetensors.ts'
import type { SafetensorsEntry } from '../../core/safetensors.ts'
import { checkFolder } from './folder.ts'

const verify = suite('verification of folders')

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const scratch = mkdtempSync(`${tmpdir()}/pullback-verify-`)
verify.after(() => rmSync(scratch, { recursive: true }))

/** A copy of a fixture, one of whose files has other tensors. */
const changed = (
  name: string,
  file: string,
  change: (entry: SafetensorsEntry) => SafetensorsEntry,
): string => {
  const folder = `${scratch}/${name}-${Math.random().toString(36).slice(2)}`
  cpSync(`${fixtures}/models/${name}`, folder, { recursive: true })
  const decoded = decodeSafetensors(readFileSync(`${folder}/${file}`))
  if (E.isLeft(decoded)) throw new Error(decoded.left)
  const entries = [...decoded.right.tensors].map(([name, one]) => change({ ...one, name }))
  writeFileSync(`${folder}/${file}`, encodeSafetensors(entries))
  return folder
}

const failing = async (folder: string): Promise<readonly string[]> =>
  (await checkFolder(folder)).flatMap(({ group, passed }) => (passed ? [] : [group]))

verify('a folder as it should be passes', async () => {
  assert.equal(await failing(`${fixtures}/models/bart`), [])
  assert.equal(await failing(`${fixtures}/processors`), [])
})

verify('a weight that is a little off is found in outputs and gradients', async () => {
  const folder = changed('llama-scaled', 'model.safetensors', (entry) =>
    entry.name === 'model.norm.weight' && entry.dtype === 'F32'
      ? { ...entry, data: entry.data.map((x) => x * 1.001) }
      : entry,
  )
  const groups = await failing(folder)
  for (const group of ['logits', 'loss', 'gradients', 'beam3: scores'])
    assert.ok(groups.includes(group), group)
  assert.not.ok(groups.includes('attentions'))
})

verify('an id that is another, and an output that nobody knows, are found', async () => {
  const folder = changed('bart', 'reference.safetensors', (entry) => {
    if (entry.name === 'greedy.out.sequences' && entry.dtype === 'I64')
      return { ...entry, data: entry.data.map((id, i) => (i === 4 ? (id + 1n) % 29n : id)) }
    return entry.name === 'out.logits' ? { ...entry, name: 'out.wishes' } : entry
  })
  assert.equal(await failing(folder), ['wishes', 'greedy: ids'])
})

verify('what is not known does not pass', async () => {
  const folder = changed('bart', 'reference.safetensors', (entry) => entry)
  const file = JSON.parse(readFileSync(`${folder}/reference.json`, 'utf8')) as Record<string, unknown>
  writeFileSync(`${folder}/reference.json`, JSON.stringify({ ...file, class: 'BartForWishes' }))
  assert.equal(await failing(folder), ['BartForWishes'])
  writeFileSync(`${folder}/reference.json`, '{}')
  assert.equal(await failing(folder), ['folder'])
  assert.equal(await failing(scratch), ['folder'])
})

verify.run()
