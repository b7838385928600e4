/** Kernels that are ended while others, and they themselves, are still of use. */
import { add, jit, mul, tensor } from 'pullback'
import type { Tensor } from 'pullback'
import type { Engine, Executable } from 'pullback/kernels'
import { collect } from './growth.ts'

const compiled = (engine: Engine, f: (x: Tensor) => Tensor): Executable =>
  engine.compile(jit(f).program(tensor([0, 0])))

/** What an executable gives for two numbers; it is started at once. */
const started = (
  engine: Engine,
  { run }: Executable,
  numbers: readonly number[],
): Promise<readonly number[]> => {
  const [result] = run([engine.upload(Float32Array.from(numbers))])
  return engine.read(result as never).then((values) => [...values])
}

/**
 * x + 1 of [1, 2], and of [3, 4] when the kernels of what was compiled after it are gone; then 10 x of [5, 6] by a
 * program that nobody holds any more when it has just been put behind twenty others.
 */
export const endedKernels = async (engine: Engine): Promise<readonly (readonly number[])[]> => {
  const kept = compiled(engine, (x) => add(x, 1))
  const first = await started(engine, kept, [1, 2])
  await started(
    engine,
    compiled(engine, (x) => mul(x, 7)),
    [1, 2],
  )
  await collect()
  const again = await started(engine, kept, [3, 4])
  const others = Array.from({ length: 20 }, () => started(engine, kept, [1, 2]))
  const left = started(
    engine,
    compiled(engine, (x) => mul(x, 10)),
    [5, 6],
  )
  await collect()
  await Promise.all(others)
  return [first, again, await left]
}
