/** `pullback doctor`: what this machine offers, what would run, and why. */
import { either as E } from 'fp-ts'
import { diagnose, renderDiagnosis } from '../../kernels/index.ts'
import { command } from '../command.ts'
import type { AnyCommand } from '../command.ts'
import { steps } from '../context.ts'

export const doctor: AnyCommand = command({
  name: 'doctor',
  about: 'tell what this machine offers, which engine would run, and why',
  arguments: [],
  settings: ['engine'],
  run: ({ terminal: { say } }, { engine }) =>
    steps(async (take) => {
      const diagnosis = await diagnose(engine)
      say(renderDiagnosis(diagnosis))
      if (E.isLeft(diagnosis.choice)) await take(diagnosis.choice)
    }),
})
