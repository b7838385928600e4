/** Laws that every engine obeys. */
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import type { Engine, Executable, HostArray, Memory, Program } from '../../kernels/index.ts'
import { referenceEngine } from '../../kernels/index.ts'
import type { ProgramCase, ProgramOptions } from '../arbitrary/program.ts'
import { programCase } from '../arbitrary/program.ts'

const dtypes = ['float32', 'int32', 'bool', 'uint32', 'float64'] as const

/** Equal, both NaN, or at most `tolerance` apart. */
const close = (x: number, y: number, tolerance: number): boolean =>
  x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= tolerance

/** Throws, naming the first element, unless the arrays agree within an absolute tolerance. */
export const assertClose = (
  actual: HostArray,
  expected: HostArray,
  tolerance: number,
  where: string,
): void => {
  assert.is(actual.constructor, expected.constructor, `${where}: dtype`)
  assert.is(actual.length, expected.length, `${where}: length`)
  for (let i = 0; i < actual.length; i++)
    if (!close(actual[i] as number, expected[i] as number, tolerance))
      assert.unreachable(`${where}[${i}]: expected ${expected[i]} ± ${tolerance}, got ${actual[i]}`)
}

interface Ran {
  readonly outputs: readonly HostArray[]
  /** The arguments that were not donated, read after the run. */
  readonly kept: readonly (HostArray | undefined)[]
}

const runOnce = async (
  engine: Engine,
  executable: Executable,
  program: Program,
  inputs: readonly HostArray[],
): Promise<Ran> => {
  const memories = inputs.map((data) => engine.upload(data))
  const results = executable.run(memories)
  const outputs = await Promise.all(results.map(engine.read))
  const kept = await Promise.all(
    memories.map((memory, position) =>
      program.donated.includes(position) ? Promise.resolve(undefined) : engine.read(memory),
    ),
  )
  const left = memories.filter((_, position) => !program.donated.includes(position))
  for (const memory of new Set<Memory>([...left, ...results])) engine.release(memory)
  return { outputs, kept }
}

/** What an engine gives for a program; nothing of it stays in memory. */
export const outputsOf = async (
  engine: Engine,
  { program, inputs }: Pick<ProgramCase, 'program' | 'inputs'>,
): Promise<readonly HostArray[]> => (await runOnce(engine, engine.compile(program), program, inputs)).outputs

/** The bytes of an array as a text: with them NaN is NaN, and 0 is not -0. */
export const bitsOf = ({ buffer, byteOffset, byteLength }: HostArray): string =>
  new Uint8Array(buffer, byteOffset, byteLength).join(' ')

/** Law: engines give the same bits for every random program. */
export const sameBits = (
  [first, ...others]: readonly [Engine, ...Engine[]],
  options: ProgramOptions = {},
): fc.IAsyncProperty<[ProgramCase]> =>
  fc.asyncProperty(programCase(options), async (example) => {
    const expected = (await outputsOf(first, example)).map(bitsOf)
    for (const engine of others)
      assert.equal((await outputsOf(engine, example)).map(bitsOf), expected, engine.detail)
  })

/**
 * On this program, `engine` gives what `reference` gives within the case's tolerances, twice in a row;
 * leaves arguments that are not donated as they were; and holds no memory once all is released.
 */
export const agreesOn = async (
  engine: Engine,
  { program, inputs, tolerances }: ProgramCase,
  reference: Engine = referenceEngine(),
): Promise<void> => {
  const expected = await runOnce(reference, reference.compile(program), program, inputs)
  const before = engine.live()
  const executable = engine.compile(program)
  for (const time of ['first', 'second']) {
    const actual = await runOnce(engine, executable, program, inputs)
    actual.outputs.forEach((output, index) =>
      assertClose(
        output,
        expected.outputs[index] as HostArray,
        tolerances[index] as number,
        `${engine.name}, ${time} run, output ${index}`,
      ),
    )
    actual.kept.forEach((data, index) => {
      if (data !== undefined)
        assertClose(data, inputs[index] as HostArray, 0, `argument ${index} was changed`)
    })
  }
  const after = engine.live()
  assert.is(after.count, before.count, `${engine.name}: memories alive after all were released`)
  assert.is(after.bytes, before.bytes, `${engine.name}: bytes alive after all were released`)
}

/**
 * Law: an engine agrees with the reference on every random program over the dtypes that it supports. Integer
 * and truth values agree exactly, and so do floating values that are whole numbers; others within the
 * forward error bound of the program, at a few units in the last place for each operation
 * (`spec/arbitrary/fact.ts`).
 *
 * @example
 * import * as fc from 'fast-check'
 * import { wasmEngine } from 'pullback/kernels'
 * await fc.assert(engineAgrees(wasmEngine()), { numRuns: 20 })
 */
export const engineAgrees = (
  engine: Engine,
  options: ProgramOptions = {},
  reference: Engine = referenceEngine(),
): fc.IAsyncProperty<[ProgramCase]> =>
  fc.asyncProperty(programCase({ dtypes: dtypes.filter(engine.supports), ...options }), (example) =>
    agreesOn(engine, example, reference),
  )
