/** Trees of tensors as safetensors: each leaf under its path, bit for bit. */
import { either as E } from 'fp-ts'
import { fromArray, toArray, tree } from '../../core/index.ts'
import type { Dtype, Engine, HostArray, Tensor } from '../../core/index.ts'
import type { SafetensorsDtype, SafetensorsEntry, SafetensorsTensor } from '../../core/safetensors.ts'

const fileDtypes: Readonly<Record<Dtype, SafetensorsDtype>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint32: 'U32',
  bool: 'BOOL',
}

/** The leaves of a tree, read from their engine. */
export const entriesOf = (state: unknown): Promise<readonly SafetensorsEntry[]> =>
  Promise.all(
    tree.entries(state).map(async ([name, leaf]) => {
      const data = await toArray(leaf)
      return { name, dtype: fileDtypes[leaf.dtype], shape: leaf.shape, data } as SafetensorsEntry
    }),
  )

/** What is told about a tensor before its numbers are read. */
export interface TensorForm {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
}

const formText = ({ dtype, shape }: TensorForm): string => `${dtype} [${shape.join(', ')}]`

const formOf = ({ dtype, shape }: Tensor): TensorForm => ({ dtype: fileDtypes[dtype], shape })

/** Every way in which the tensors of a file differ from the leaves of a tree, a phrase each. */
const mismatches = (found: ReadonlyMap<string, TensorForm>, like: unknown): readonly string[] => {
  const leaves = tree.entries(like)
  const names = new Set(leaves.map(([name]) => name))
  return [
    ...leaves.flatMap(([name, leaf]) => {
      const [expected, got] = [formOf(leaf), found.get(name)]
      if (got === undefined) return [`${name} is missing (${formText(expected)})`]
      return formText(got) === formText(expected)
        ? []
        : [`${name} is ${formText(got)}, expected ${formText(expected)}`]
    }),
    ...[...found.keys()].filter((name) => !names.has(name)).map((name) => `${name} is not expected`),
  ]
}

/** The mismatches as a refusal. */
export const checkForms = (found: ReadonlyMap<string, TensorForm>, like: unknown): E.Either<string, void> => {
  const all = mismatches(found, like)
  return all.length === 0 ? E.right(undefined) : E.left(`does not fit: ${all.join('; ')}`)
}

export interface LoadOptions {
  /** Where the tensors shall live; the default engine by default. */
  readonly engine?: Engine
}

/** The tree of `like` with the numbers of a file whose forms fit. */
export const fill = <S>(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  like: S,
  options: LoadOptions = {},
): S =>
  tree.mapWithPath((path, leaf) => fromArray(tensors.get(path)?.data as HostArray, leaf.shape, options), like)
