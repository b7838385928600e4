/** npm run verify -- FOLDER…: checks folders with references, and prints what came of it, group by group. */
import type { Check } from './check.ts'
import { checkFolder } from './folder.ts'

const shown = (x: number): string => (x === 0 ? '0' : x.toExponential(1))

const line = (check: Check): string => {
  const { group, count, deviation, tolerance, passed, complaint, skipped } = check
  const figures =
    skipped !== undefined ? '' : tolerance === 0 ? 'exact' : `${shown(deviation)} of ${shown(tolerance)}`
  const words = skipped ?? complaint ?? ''
  const short = words.length > 300 ? `${words.slice(0, 299)}…` : words
  const verdict = skipped !== undefined ? 'skip' : passed ? 'pass' : 'FAIL'
  return `  ${verdict}  ${group.padEnd(44)} ${String(count).padStart(5)}  ${figures.padEnd(18)} ${short}`.trimEnd()
}

const folders = process.argv.slice(2)
if (folders.length === 0) {
  console.error('usage: npm run verify -- FOLDER…')
  process.exit(1)
}

const sums = { passed: 0, failed: 0, skipped: 0 }
for (const folder of folders) {
  console.log(folder)
  try {
    for (const check of await checkFolder(folder)) {
      sums[check.skipped !== undefined ? 'skipped' : check.passed ? 'passed' : 'failed']++
      console.log(line(check))
    }
  } catch (error) {
    sums.failed++
    console.log(`  FAIL  ${error instanceof Error ? error.message : String(error)}`)
  }
}
const { passed, failed, skipped } = sums
if (passed + failed === 0) console.log('nothing was checked')
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
