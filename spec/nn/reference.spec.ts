/** Layers against PyTorch's: outputs, and gradients of parameters and inputs. */
import { suite } from 'uvu'
import { assertPasses } from '../verify/pass.ts'

const torch = suite('as in PyTorch')

torch('linear, norms, embeddings, convolutions, pooling, recurrence, activations', () =>
  assertPasses('torch/layers', 94),
)

torch('attention', () => assertPasses('torch/attention', 25))

torch('encoder and decoder layers, and a whole Transformer', () => assertPasses('torch/transformers', 30))

torch.run()
