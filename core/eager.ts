import type { Executable, HostArray, Memory } from '../kernels/index.ts'
import { hostArray } from '../kernels/index.ts'
import { defaultEngine } from './engine.ts'
import { PullbackError } from './error.ts'
import type { Engine } from '../kernels/index.ts'
import { lowerEquations } from './lower/lower.ts'
import type { Primitive } from './primitive.ts'
import { keyOf } from './primitive.ts'
import type { Aval, Tensor, Literal } from './tensor.ts'
import { Concrete } from './tensor.ts'

const caches = new WeakMap<Engine, Map<string, Executable>>()
const cacheLimit = 4096

const literals = new WeakMap<Engine, Map<string, Memory>>()

/** A literal's memory on an engine; a few hundred of the last are kept. */
export const literalMemory = (literal: Literal, engine: Engine): Memory => {
  const known = memo(literals, engine)
  const key = `${literal.dtype} ${Object.is(literal.value, -0) ? '-0' : String(literal.value)}`
  return remember(known, key, 256, () => {
    const data: HostArray = hostArray(literal.dtype, 1)
    data[0] = literal.value
    return engine.upload(data)
  })
}

const memo = <V>(all: WeakMap<Engine, Map<string, V>>, engine: Engine): Map<string, V> => {
  let known = all.get(engine)
  if (known === undefined) all.set(engine, (known = new Map<string, V>()))
  return known
}

const remember = <V>(known: Map<string, V>, key: string, limit: number, make: () => V): V => {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    if (known.size >= limit) known.delete(known.keys().next().value as string)
    known.set(key, value)
  }
  return value
}

/** The engine of the inputs, which must be one; the default engine where there are only literals. */
export const engineOf = (operation: string, inputs: readonly Tensor[]): Engine => {
  let engine: Engine | undefined
  for (const input of inputs) {
    if (!(input instanceof Concrete)) continue
    if (engine !== undefined && input.engine !== engine)
      throw new PullbackError({
        tag: 'engine',
        operation,
        detail: `tensors are on different engines (${engine.name} and ${input.engine.name}); move one with transfer(x, engine)`,
      })
    engine = input.engine
  }
  return engine ?? defaultEngine()
}

/** Runs one primitive at once: a program of one equation, compiled once for each signature. */
export const evaluate = <P>(
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
  outputs: readonly Aval[],
): readonly Tensor[] => {
  const engine = engineOf(primitive.name, inputs)
  let key = keyOf(primitive, params)
  for (const input of inputs) key += ` ${input.dtype}${input.shape.join(',')}`
  const executable = remember(memo(caches, engine), key, cacheLimit, () =>
    engine.compile(
      lowerEquations({
        inputs: inputs.map(({ shape, dtype }, id) => ({ id, shape, dtype })),
        equations: [
          {
            primitive: primitive as Primitive,
            params,
            inputs: inputs.map(({ shape, dtype }, id) => ({ id, shape, dtype })),
            outputs: outputs.map(({ shape, dtype }, i) => ({ id: inputs.length + i, shape, dtype })),
          },
        ],
        outputs: outputs.map(({ shape, dtype }, i) => ({ id: inputs.length + i, shape, dtype })),
      }),
    ),
  )
  const memories = executable.run(
    inputs.map((input) =>
      input instanceof Concrete ? input.memory(primitive.name) : literalMemory(input as Literal, engine),
    ),
  )
  return outputs.map(({ shape, dtype }, i) => new Concrete(shape, dtype, engine, memories[i] as Memory))
}
