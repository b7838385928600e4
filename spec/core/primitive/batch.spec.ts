/** Every primitive's batching rule against a loop: once, twice, and of its derivative. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import { fromArray, primitives, stack, toArraySync, vjp, vmap } from '../../../core/index.ts'
import type { BatchAxis, Dtype, PrimitiveName, Tensor } from '../../../core/index.ts'
import { isFloating } from '../../../kernels/index.ts'
import { applications, generators, primitiveNames } from '../../arbitrary/primitive.ts'
import type { Application } from '../../arbitrary/primitive.ts'
import { vmapEqualsLoopAt } from '../../law/evaluation.ts'
import { directions, leavesOf, like } from '../../law/host.ts'
import { check, law } from '../../law/law.ts'
import { applied } from './apply.ts'
import '../../support/reference.ts'

/** The elements moved on by `by` places: other numbers that the primitive accepts as well. */
const turned = (x: Tensor, by: number): Tensor => {
  const data = toArraySync(x)
  return fromArray(
    data.map((_, i) => data[(i + by) % data.length] as number),
    x.shape,
  )
}

const batch = (x: Tensor, size: number): Tensor =>
  stack(Array.from({ length: size }, (_, example) => turned(x, example)))

interface Batched {
  readonly application: Application
  /** Which inputs are batched; at least one. */
  readonly flags: readonly boolean[]
  readonly size: number
}

const batched = (name: PrimitiveName): fc.Arbitrary<Batched> =>
  fc
    .constantFrom<Dtype>(...generators[name].dtypes)
    .chain((dtype) => applications(name, { dtype }))
    .chain((application) =>
      fc
        .tuple(
          fc.tuple(...application.inputs.map(() => fc.boolean())),
          fc.nat(Math.max(0, application.inputs.length - 1)),
          fc.integer({ min: 1, max: 3 }),
        )
        .map(([flags, sure, size]) => ({
          application,
          flags: flags.map((flag, i) => flag || i === sure),
          size,
        })),
    )

const axesOf = (flags: readonly boolean[]): readonly BatchAxis[] => flags.map((flag) => (flag ? 0 : null))

const spread = (inputs: readonly Tensor[], flags: readonly boolean[], size: number): Tensor[] =>
  inputs.map((x, i) => (flags[i] === true ? batch(x, size) : x))

/** The pullback of a primitive as a function of its floating inputs and one fixed cotangent. */
const pulled =
  (name: PrimitiveName, params: unknown) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const floats = inputs.filter(({ dtype }) => isFloating(dtype))
    const { value, pullback } = vjp(
      (...moving: Tensor[]) => {
        let next = 0
        const all = inputs.map((x) => (isFloating(x.dtype) ? (moving[next++] as Tensor) : x))
        return leavesOf(applied(name, params)(...all))
      },
      ...floats,
    )
    const draw = directions(7)
    return pullback(value.map((out) => like(out, draw(out.shape.reduce((n, size) => n * size, 1)))))
  }

const names = primitiveNames.filter((name) => name !== 'iota')

const each = (
  title: string,
  chosen: readonly PrimitiveName[],
  runs: number,
  at: (name: PrimitiveName, example: Batched) => Promise<void>,
): void => {
  const test = suite(title)
  for (const name of chosen)
    test(name, () =>
      check(
        law(`${title}: ${name}`, batched(name), (example) => at(name, example)),
        { numRuns: runs },
      ),
    )
  test.run()
}

each('vmap = loop', names, 60, (name, { application: { inputs, params }, flags, size }) =>
  vmapEqualsLoopAt(applied(name, params), spread(inputs, flags, size), axesOf(flags)),
)

each('vmap of vmap = loop', names, 25, (name, { application: { inputs, params }, flags, size }) => {
  // The inner batch is the first input that is batched outside too, and every second other.
  const inner = flags.map((flag, i) => flag || i % 2 === 0)
  const twice = spread(spread(inputs, inner, 2), flags, size)
  return vmapEqualsLoopAt(
    vmap(applied(name, params), { inAxes: axesOf(inner) }) as (...args: never[]) => unknown,
    twice,
    axesOf(flags),
  )
})

const smooth = names.filter(
  (name) => primitives[name].vjp !== 'none' && generators[name].dtypes.includes('float32'),
)

each(
  'vmap of the pullback = loop',
  smooth,
  25,
  async (name, { application: { inputs, params }, flags, size }) => {
    if (!inputs.every(({ dtype }, i) => isFloating(dtype) || flags[i] !== true)) return
    if (!inputs.some(({ dtype }) => isFloating(dtype))) return
    await vmapEqualsLoopAt(pulled(name, params), spread(inputs, flags, size), axesOf(flags))
  },
)
