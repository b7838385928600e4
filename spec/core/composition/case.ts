/** What the laws of random functions share: their derivatives as functions, and batches of their arguments. */
import { jvp, mul, sin, stack, vjp } from '../../../core/index.ts'
import type { BatchAxis, Tensor } from '../../../core/index.ts'
import { directions, like } from '../../law/host.ts'

export const closeness: { readonly tolerance: number; readonly absolute: number } = {
  tolerance: 1e-9,
  absolute: 1e-12,
}

/** The value, and the pullback of a random cotangent. */
export const pulled =
  (f: (...inputs: Tensor[]) => readonly Tensor[]) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const { value, pullback } = vjp(f, ...inputs)
    const draw = directions(7)
    return [
      ...value,
      ...pullback(value.map((out) => like(out, draw(out.shape.reduce((n, size) => n * size, 1))))),
    ]
  }

/** A batch of three for each input whose bit is set; at least one is. */
export const batched = (
  inputs: readonly Tensor[],
  bits: number,
): { args: readonly Tensor[]; axes: readonly BatchAxis[] } => {
  const axes = inputs.map((_, i) => (i === bits % inputs.length || (bits >> i) % 2 === 1 ? 0 : null))
  return {
    axes,
    args: inputs.map((x, i) => (axes[i] === null ? x : stack([x, mul(x, -0.5), sin(mul(x, 3) as Tensor)]))),
  }
}

/** The value, and the derivative along a direction. */
export const pushed =
  (f: (...inputs: Tensor[]) => readonly Tensor[]) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const draw = directions(9)
    const tangents = inputs.map((x) => like(x, draw(x.shape.reduce((n, size) => n * size, 1))))
    return jvp(f, inputs, tangents).flat()
  }
