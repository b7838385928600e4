/** A program that saves states until it is killed: argument 1 is the folder. State k holds k in every element. */
import { full } from '../../core/index.ts'
import { saveCheckpoint } from '../../training/checkpoint/index.ts'

const folder = process.argv[2] as string
for (let k = 1; ; k++) {
  const tensors = Array.from({ length: 20 }, () => full([20_000], k))
  const saved = await saveCheckpoint(folder, { params: tensors, step: full([], k, 'int32') }, { step: k })()
  if (saved._tag === 'Left') throw new Error(saved.left)
  console.log(k)
}
