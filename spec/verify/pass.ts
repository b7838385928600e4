/** Folders of references as tests. */
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { checkFolder } from './folder.ts'

/** Fails with every complaint unless all of a folder in spec/fixtures passes, with so many comparisons. */
export const assertPasses = async (folder: string, comparisons: number): Promise<void> => {
  const checks = await checkFolder(fileURLToPath(new URL(`../fixtures/${folder}`, import.meta.url)))
  const complaints = checks.flatMap(({ group, complaint, skipped }) =>
    complaint === undefined && skipped === undefined ? [] : [`${group}: ${complaint ?? skipped}`],
  )
  assert.equal(complaints, [])
  assert.is(checks.length, comparisons)
}
