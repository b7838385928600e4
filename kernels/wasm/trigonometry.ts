/** sin and cos of four float32 numbers at once. */
import type { Code } from './code/index.ts'
import { call, f32x4, f64 } from './code/index.ts'
import type { Emitter, HostName } from './emitter.ts'

const each = (e: Emitter, name: HostName, x: Code): Code =>
  [0, 1, 2, 3].reduce<Code>(
    (value, lane) =>
      f32x4.replace(value, lane, f64.demoteToF32(call(e.host(name), f64.promoteF32(f32x4.extract(x, lane))))),
    x,
  )

export const sine = (e: Emitter, x: Code): Code => each(e, 'sin', x)
export const cosine = (e: Emitter, x: Code): Code => each(e, 'cos', x)
