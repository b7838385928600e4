/** Models under the names that the original library has for arguments and outputs. */
import { either as E } from 'fp-ts'
import { fromArray, item, jit, random, tensor, valueAndGrad } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { folderSource, loadModel, paramEntries } from '../../models/index.ts'
import type { Architecture, Loaded, Names, Reader } from '../../models/index.ts'
import { evaluation, withCache, withTaps } from '../../nn/index.ts'
import type { Cache, Layer } from '../../nn/index.ts'
import { initState, makeAccumulatingStep } from '../../training/index.ts'
import type { Transform } from '../../training/index.ts'

/** Tensors by name. */
export type Named = ReadonlyMap<string, Tensor>

/** A model that is run and differentiated. */
export interface Runnable {
  /** Outputs and inner values: `logits`, `hidden_states.0`, `attentions.1` … */
  readonly run: (inputs: Named) => Named
  /** The loss, and its gradient by the names in the file. */
  /** Keys and values after reading the inputs, by path; undefined for models that do not read in parts. */
  readonly keep: ((inputs: Named) => Cache) | undefined
  readonly write: ((inputs: Named) => Writer) | undefined
  /** Steps of an optimizer on micro-batches in order, `accumulation` of them a step. */
  readonly train: (
    batch: (i: number) => Named,
    optimizer: Transform,
    steps: number,
    accumulation: number,
    wanted: readonly number[],
  ) => Promise<Trained>
  readonly differentiate: (inputs: Named) => Promise<{ readonly loss: Tensor; readonly gradients: Named }>
}

/** A model that writes. */
export interface Writer {
  readonly reader: Reader
  /** What each text begins with. */
  readonly prompts: readonly (readonly number[])[]
  /** The id of padding in the reference's outputs. */
  readonly padding: number
  /** Whether sequences of the reference begin with the prompts, padding in front of them. */
  readonly width: number
}

/** What came of a training run. */
export interface Trained {
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  /** The parameters after some steps, by the names in the file. */
  readonly params: ReadonlyMap<number, Named>
}

export interface Runner {
  /** Reads the folder; `lenient` takes what the model has use for. */
  readonly load: (folder: string, lenient?: boolean) => Promise<Runnable>
}

/** What is needed to speak of a model as the library does. */
export interface Description<C, P, I, O> {
  readonly input: (inputs: Named, config: C) => I
  readonly outputs: (output: O, config: C) => Readonly<Record<string, Tensor>>
  /** Inner values by the library's names: paths of taps. */
  readonly inner?: (config: C) => Readonly<Record<string, string>>
  readonly loss?: (output: O, inputs: Named) => Tensor
  /** Whether keys and values are kept, as `withCache` does. */
  readonly keeps?: boolean
  readonly write?: (loaded: Loaded<C, P, I, O>, inputs: Named) => Writer
}

export const need = (inputs: Named, name: string): Tensor => {
  const found = inputs.get(name)
  if (found === undefined) throw new Error(`the reference has no ${name}`)
  return found
}

/** A name of ours as it stands in a folder's file, where that has another model's of the family. */
export const spellingIn = async (
  folder: string,
  { prefix, otherPrefix }: Names,
): Promise<(name: string) => string> => {
  const source = await folderSource(folder)()
  if (E.isLeft(source)) throw new Error(source.left)
  const { tensors } = source.right
  return (name) => {
    const other = otherPrefix + name.slice(prefix.length)
    return !tensors.has(name) && name.startsWith(prefix) && tensors.has(other) ? other : name
  }
}

/** A tree of a layer's parameters by the names in the file. */
const namedBy = async <P>(
  layer: Layer<P, never, unknown>,
  names: Names,
  params: P,
  spelling: (name: string) => string,
): Promise<Named> =>
  new Map(
    (await paramEntries(layer, names, params)).map(({ name, shape, data }) => [
      spelling(name),
      fromArray(data as Float32Array, shape),
    ]),
  )

export const runnerOf = <C, P, I, O>(
  architecture: Architecture<C, P, I, O>,
  { input, outputs, inner = () => ({}), loss, keeps = false, write }: Description<C, P, I, O>,
): Runner => ({
  load: async (folder, lenient = false) => {
    const loaded = await loadModel(architecture, folder, lenient ? { fresh: random.key(0) } : {})()
    if (E.isLeft(loaded)) throw new Error(loaded.left)
    const { config, layer, params } = loaded.right
    const paths = inner(config)
    const spelling = await spellingIn(folder, architecture.names(config))
    const tapped = withTaps(layer, Object.values(paths))
    return {
      run: (inputs) => {
        const call = jit((p: P, given: Readonly<Record<string, Tensor>>) => {
          const { output, taps } = tapped.apply(p, evaluation)(input(new Map(Object.entries(given)), config))
          const named = Object.entries(paths).map(([name, path]) => [name, taps[path] as Tensor] as const)
          return { ...Object.fromEntries(named), ...outputs(output, config) }
        })
        return new Map(Object.entries(call(params, Object.fromEntries(inputs))))
      },
      keep: !keeps
        ? undefined
        : (inputs) =>
            withCache(layer, need(inputs, 'input_ids').shape[1] as number).apply(
              params,
              evaluation,
            )({
              input: input(inputs, config),
              cache: {},
              length: tensor(0, { dtype: 'int32' }),
            }).cache,
      write: write === undefined ? undefined : (inputs) => write(loaded.right, inputs),
      train: async (batch, optimizer, steps, accumulation, wanted) => {
        const objective = (own: P, given: Readonly<Record<string, Tensor>>): Tensor => {
          const named = new Map(Object.entries(given))
          if (loss === undefined) throw new Error(`${architecture.name} has no loss`)
          return loss(layer.apply(own, evaluation)(input(named, config)), named)
        }
        const step = makeAccumulatingStep({ objective, optimizer })
        let state = initState(params, optimizer, random.key(0))
        const [losses, norms, found]: [number[], number[], Map<number, Named>] = [[], [], new Map()]
        for (let i = 0; i < steps; i++) {
          const micro = Array.from({ length: accumulation }, (_, j) =>
            Object.fromEntries(batch(i * accumulation + j)),
          )
          const [next, metrics] = step(state, micro)
          state = next
          losses.push(await item(metrics.loss))
          norms.push(await item(metrics.gradientNorm))
          if (wanted.includes(i + 1))
            found.set(i + 1, await namedBy(layer, architecture.names(config), state.params, spelling))
        }
        return { losses, norms, params: found }
      },
      differentiate: async (inputs) => {
        if (loss === undefined) throw new Error(`${architecture.name} has no loss`)
        const f = jit((p: P, given: Readonly<Record<string, Tensor>>) =>
          valueAndGrad((q: P) => {
            const named = new Map(Object.entries(given))
            return loss(layer.apply(q, evaluation)(input(named, config)), named) as Tensor<readonly []>
          })(p),
        )
        const [value, gradients] = f(params, Object.fromEntries(inputs)) as readonly [Tensor, P]
        return {
          loss: value,
          gradients: await namedBy(layer, architecture.names(config), gradients, spelling),
        }
      },
    }
  },
})

export interface StackTaps {
  readonly hidden?: string
  readonly attentions?: string
  /** The part of a block that looks. */
  readonly part?: string
  /** Whether the last hidden state is the last block's output, and no norm's behind it. */
  readonly last?: boolean
}

/** `hidden_states.i` and `attentions.i` of a stack: what goes in, what comes out of each block, and what it looked at. */
export const stackTaps = (
  stack: string,
  layers: number,
  embeddings: string,
  options: StackTaps = {},
): Readonly<Record<string, string>> => {
  const { hidden = 'hidden_states', attentions = 'attentions', part = 'attention', last = true } = options
  return Object.fromEntries([
    [`${hidden}.0`, embeddings],
    ...Array.from({ length: last ? layers : layers - 1 }, (_, i) => [
      `${hidden}.${i + 1}`,
      `${stack}/block/${i}/output`,
    ]),
    ...Array.from({ length: layers }, (_, i) => [
      `${attentions}.${i}`,
      `${stack}/block/${i}/${part}/weights`,
    ]),
  ]) as Readonly<Record<string, string>>
}
