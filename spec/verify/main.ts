/** npm run verify -- FOLDER…: checks folders with references, and prints what came of it, group by group. */
import type { Check } from './check.ts'
import { checkFolder } from './folder.ts'

const shown = (x: number): string => (x === 0 ? '0' : x.toExponential(1))

const line = ({ group, count, deviation, tolerance, passed, complaint }: Check): string => {
  const figures = tolerance === 0 ? 'exact' : `${shown(deviation)} of ${shown(tolerance)}`
  const words =
    complaint === undefined ? '' : `  ${complaint.length > 300 ? `${complaint.slice(0, 299)}…` : complaint}`
  return `  ${passed ? 'pass' : 'FAIL'}  ${group.padEnd(36)} ${String(count).padStart(5)}  ${figures}${words}`
}

const folders = process.argv.slice(2)
if (folders.length === 0) {
  console.error('usage: npm run verify -- FOLDER…')
  process.exit(1)
}

let failures = 0
for (const folder of folders) {
  console.log(folder)
  try {
    for (const check of await checkFolder(folder)) {
      if (!check.passed) failures++
      console.log(line(check))
    }
  } catch (error) {
    failures++
    console.log(`  FAIL  ${error instanceof Error ? error.message : String(error)}`)
  }
}
console.log(failures === 0 ? 'all passed' : `${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
