import { bind, primitives } from '../../../core/index.ts'
import type { Primitive, PrimitiveName, Tensor } from '../../../core/index.ts'

/** A primitive as a function of its inputs; one output stands for itself. */
export const applied =
  (name: PrimitiveName, params: unknown): ((...inputs: Tensor[]) => Tensor | readonly Tensor[]) =>
  (...inputs) => {
    const outputs = bind(primitives[name] as Primitive, inputs, params)
    return outputs.length === 1 ? (outputs[0] as Tensor) : outputs
  }
