/** Convolution and pooling over one or two spatial axes; channels are last. */
export { conv1d, conv2d } from './convolve.ts'
export type { ConvolutionOptions, TransposedOptions } from './convolve.ts'
export { averagePool1d, averagePool2d, maxPool1d, maxPool2d } from './pool.ts'
export { convTranspose1d, convTranspose2d } from './transposed.ts'
export type { Padding, WindowOptions } from './window.ts'
