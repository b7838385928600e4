/** Every command, in the order of the help. */
import type { AnyCommand } from './command.ts'
import { doctor } from './command/doctor.ts'
import { evaluate } from './command/evaluate.ts'
import { fill } from './command/fill.ts'
import { finetune } from './command/finetune.ts'
import { generate } from './command/generate.ts'
import { predict } from './command/predict.ts'
import { pretrain } from './command/pretrain.ts'
import { profile } from './command/profile.ts'
import { resume } from './command/resume.ts'
import { run } from './command/run.ts'
import { start } from './command/start.ts'

export const commands: readonly AnyCommand[] = [
  start,
  pretrain,
  resume,
  finetune,
  evaluate,
  predict,
  fill,
  generate,
  run,
  doctor,
  profile,
]
