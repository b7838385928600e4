/** Checks layers against PyTorch's modules: outputs, and gradients of parameters and inputs. */
import { vjp } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { blocks } from './block.ts'
import type { Check } from './check.ts'
import { compareTo, holds } from './check.ts'
import { modules } from './module.ts'
import type { Module, Options, Outputs } from './module.ts'
import type { Case } from './param.ts'
import type { Reference } from './reference.ts'
import { below } from './reference.ts'
import type { Named } from './runner.ts'

const caseOf = (name: string, tensors: ReadonlyMap<string, Tensor>): Case => ({
  name,
  has: (one) => tensors.has(one),
  get: (one) => {
    const found = tensors.get(one)
    if (found === undefined) throw new Error(`${name} has no ${one}`)
    return found
  },
})

const isFloating = (x: Tensor): boolean => x.dtype === 'float32'
const filtered = (named: Named, keep: (x: Tensor) => boolean): Record<string, Tensor> =>
  Object.fromEntries([...named].filter(([, x]) => keep(x)))

const checkCase = async (
  reference: Reference,
  name: string,
  module: Module,
  options: Options,
): Promise<readonly Check[]> => {
  const option = <T>(key: string, otherwise: T): T => (options[key] ?? otherwise) as T
  const params = below(reference, `${name}.param.`)
  const before = below(reference, `${name}_before.param.`)
  // What a batch changes is what it was before.
  const state = new Map([...before].filter(([one]) => one.startsWith('running_')))
  const inputs = new Map([...below(reference, `${name}.in.`), ...state])
  const fixed = filtered(inputs, (x) => !isFloating(x))
  const own = (p: Readonly<Record<string, Tensor>>, x: Readonly<Record<string, Tensor>>): Outputs =>
    module(
      caseOf(name, new Map(Object.entries(p))),
      caseOf(name, new Map(Object.entries({ ...fixed, ...x }))),
      option,
    )
  const [p, x] = [filtered(params, isFloating), filtered(inputs, isFloating)]
  const wanted = below(reference, `${name}.out.`)
  const actual = new Map(Object.entries(own(p, x)))
  const checks = [await compareTo(`${name}: outputs`, actual, wanted)]
  const cotangent = reference.tensors.get(`${name}.cotangent`)
  if (cotangent === undefined) return checks
  const { pullback } = vjp((a: typeof p, b: typeof x) => own(a, b)['output'] as Tensor, p, x)
  const [ofParams, ofInputs] = pullback(cotangent)
  for (const [what, prefix, gradients] of [
    ['parameters', 'grad', ofParams],
    ['inputs', 'grad_in', ofInputs],
  ] as const) {
    const expected = below(reference, `${name}.${prefix}.`)
    if (expected.size > 0)
      checks.push(
        await compareTo(
          `${name}: gradients of ${what}`,
          new Map(Object.entries(gradients as Readonly<Record<string, Tensor>>)),
          expected,
          4,
        ),
      )
  }
  return checks
}

/** Every case of a folder like `torch-layers`, `torch-multihead-attention` or `torch-transformer-layers`. */
export const checkLayers = async (
  reference: Reference,
  file: Readonly<Record<string, unknown>>,
): Promise<readonly Check[]> => {
  const names = [
    ...new Set([...reference.tensors.keys()].flatMap((one) => /^([^.]+)\.out\./.exec(one)?.[1] ?? [])),
  ]
  const told = (file['cases'] ?? {}) as Readonly<Record<string, Options>>
  const checks: Check[] = []
  for (const name of names) {
    const module = [...modules, ...blocks].find(([pattern]) => pattern.test(name))?.[1]
    checks.push(
      ...(module === undefined
        ? [holds(name, 0, ['no such layer is known here'])]
        : await checkCase(reference, name, module, told[name] ?? {})),
    )
  }
  return checks.length === 0 ? [holds('layers', 0, ['there is no case'])] : checks
}
