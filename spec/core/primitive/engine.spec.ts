/** Every primitive, and its pullback, on every engine that opens on a machine without a GPU. */
import { subjects } from '../../support/engine.ts'
import { primitivesAgree } from './agree.ts'

for (const subject of await subjects()) primitivesAgree(subject, 10).run()
