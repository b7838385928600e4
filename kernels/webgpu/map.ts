/** Map launches: one thread for each element. */
import type { MapLaunch } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { collapse, groupsFor, unravel } from './axis.ts'
import { needed, statements } from './scalar.ts'
import type { Context, Dispatch } from './shader.ts'
import { binder, moduleOf } from './shader.ts'

const threads = 64

export const mapDispatches = (launch: MapLaunch, context: Context): readonly Dispatch[] => {
  const size = sizeOf(launch.shape)
  if (size === 0) return []
  const { body, outputs } = launch
  const {
    outer: shape,
    operands,
    targets,
  } = collapse({
    outer: launch.shape,
    inner: [],
    operands: launch.operands,
    targets: outputs.map(({ target }) => target),
  })
  const bind = binder(context)
  const { axes, code } = unravel('at', shape, 'i')
  const values = outputs.map(({ value }) => value)
  const computed = statements(
    {
      body,
      read: (index) => bind.read(operands[index] as (typeof operands)[number], axes),
      fold: () => '0.0',
    },
    needed(body, values),
  )
  const stores = values.map((value, index) =>
    bind.store(targets[index] as (typeof targets)[number], axes, `v${value}`),
  )
  const [x, y] = groupsFor(Math.ceil(size / threads))
  const main = [
    `let at = thread.x + thread.y * ${x * threads}u;`,
    `if (at >= ${size}u) { return; }`,
    ...code,
    ...computed,
    ...stores,
  ]
  return [
    {
      label: `map ${shape.join('×')}`,
      code: moduleOf(bind.declarations(), {
        parameters: '@builtin(global_invocation_id) thread: vec3<u32>',
        code: main,
        size: threads,
      }),
      bindings: bind.bindings(),
      groups: [x, y, 1],
    },
  ]
}
