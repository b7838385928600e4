/** x^y of four float32 numbers at once. */
import type { Code } from './code/index.ts'
import { call, f32x4, f64 } from './code/index.ts'
import type { Emitter } from './emitter.ts'

export const power = (e: Emitter, x: Code, y: Code): Code =>
  [0, 1, 2, 3].reduce<Code>(
    (value, lane) =>
      f32x4.replace(
        value,
        lane,
        f64.demoteToF32(
          call(e.host('pow'), f64.promoteF32(f32x4.extract(x, lane)), f64.promoteF32(f32x4.extract(y, lane))),
        ),
      ),
    x,
  )
