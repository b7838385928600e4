/** Random valid programs over the whole launch language, with arguments and tolerances. */
import type * as fc from 'fast-check'
import type { Dtype, HostArray, Launch, Program } from '../../kernels/index.ts'
import { isFloating, writesOf } from '../../kernels/index.ts'
import { attention, attentionGradient } from './attention.ts'
import { custom, map, matmul, reduce, scan, scatter, sort } from './launch.ts'
import type { Buffer, Build } from './operand.ts'
import type { Tape } from './tape.ts'
import { fromTape } from './tape.ts'

export interface ProgramCase {
  readonly program: Program
  readonly inputs: readonly HostArray[]
  /** How much each output may differ, absolutely; 0 means not at all. */
  readonly tolerances: readonly number[]
}

export interface ProgramOptions {
  readonly dtypes?: readonly Dtype[]
  readonly kinds?: readonly Launch['kind'][]
  readonly maxLaunches?: number
}

const allDtypes: readonly Dtype[] = ['float32', 'int32', 'bool', 'uint32', 'float64']
const allKinds: readonly Launch['kind'][] = [
  'map',
  'reduce',
  'matmul',
  'scatter',
  'scan',
  'sort',
  'custom',
  'attention',
  'attentionGradient',
]

const writes =
  (id: number) =>
  (launch: Launch): boolean =>
    writesOf(launch).includes(id)

const makers: Readonly<Record<Launch['kind'], (build: Build) => Launch[]>> = {
  map,
  reduce,
  matmul,
  scatter,
  sort,
  scan,
  custom,
  attention,
  attentionGradient,
}

const build = (
  tape: Tape,
  { dtypes = allDtypes, kinds = allKinds, maxLaunches = 4 }: ProgramOptions,
): ProgramCase => {
  const state: Build = {
    tape,
    dtypes: allDtypes.filter((dtype) => dtypes.includes(dtype)),
    buffers: [],
    launches: [],
    used: new Map(),
  }
  const chosen = kinds.filter((kind) => kind !== 'sort' || dtypes.includes('int32'))
  for (let n = 1 + tape.pick(maxLaunches); n > 0; n--) {
    state.used.clear()
    state.launches.push(...makers[tape.of(chosen)](state))
  }
  const { buffers, launches } = state
  const written = buffers.flatMap((_, id) => (launches.some(writes(id)) ? [id] : [])).reverse()
  const outputs = written.filter((_, index) => index === 0 || !tape.chance(3))
  if (tape.chance(10)) outputs.push(tape.pick(buffers.length))
  const inputs = buffers.flatMap(({ data }, id) => (data === undefined ? [] : [id]))
  return {
    program: {
      buffers: buffers.map(({ spec }) => spec),
      inputs,
      outputs,
      donated: inputs.flatMap((id, position) => ((buffers[id] as Buffer).donated ? [position] : [])),
      launches,
    },
    inputs: inputs.map((id) => (buffers[id] as Buffer).data as HostArray),
    tolerances: outputs.map((id) => {
      const { error, dtype } = (buffers[id] as Buffer).fact
      return isFloating(dtype) ? error : 0
    }),
  }
}

/** Programs of one to `maxLaunches` random launches (and the fills that their targets need). */
export const programCase = (options: ProgramOptions = {}): fc.Arbitrary<ProgramCase> =>
  fromTape(400, (tape) => build(tape, options))
