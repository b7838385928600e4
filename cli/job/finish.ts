/** The end of a run: its summary and its report. */
import type { taskEither as TE } from 'fp-ts'
import { steps } from '../context.ts'
import { writeJson, writeWhole } from '../file.ts'
import { page } from '../report/page.ts'
import { placeOf } from '../run.ts'
import type { Findings } from './summary.ts'
import { reportOf, summaryOf } from './summary.ts'

/** Writes summary.json and report.html. */
export const finish = (folder: string, findings: Findings): TE.TaskEither<string, void> =>
  steps(async (take) => {
    await take(writeJson(placeOf(folder, 'summary'), summaryOf(findings)))
    await take(writeWhole(placeOf(folder, 'report'), page(reportOf(findings))))
  })
