/** Layers: records of two pure functions, and what layers are made of. */
export * from './activation.ts'
export type { AttentionConfig, AttentionInput, AttentionParams } from './attention.ts'
export { mergeHeads, multiHeadAttention, splitHeads } from './attention.ts'
export type { BlockConfig } from './block.ts'
export type { Cache, CachedInput, CachedOutput, Caching, KeyValue } from './cache.ts'
export { positionsIn, withCache } from './cache.ts'
export type { ConvolutionLayerOptions, ConvolutionParams, TransposedLayerOptions } from './convolution.ts'
export {
  convolution1d,
  convolution2d,
  transposedConvolution1d,
  transposedConvolution2d,
} from './convolution.ts'
export type { Applied, StructParams } from './composition.ts'
export { repeat, residual, scanLayers, scannedLayers, sequence, struct } from './composition.ts'
export type { DecoderInput, DecoderLayerParams, DecoderParams, MemoryConfig } from './decoder.ts'
export { decoder, decoderLayer } from './decoder.ts'
export type { Attended, DotProductOptions } from './dotproduct.ts'
export { dotProductAttention } from './dotproduct.ts'
export { dropout } from './dropout.ts'
export type { EmbeddingOptions, EmbeddingParams, Table } from './embedding.ts'
export { embedding, unembed } from './embedding.ts'
export type { EncoderInput, EncoderLayerParams, EncoderParams, StackConfig } from './encoder.ts'
export { encoder, encoderLayer } from './encoder.ts'
export type { FeedForwardConfig, FeedForwardParams, GatedFeedForwardParams } from './feedforward.ts'
export { feedForward, gatedFeedForward, geglu, swiglu } from './feedforward.ts'
export * from './initialiser.ts'
export type { AnyLayer, InputOf, Layer, NoParams, OutputOf, ParamsOf, Run } from './layer.ts'
export { descend, evaluation, identity, lift, noParams, parameter, training } from './layer.ts'
export type { LinearOptions, LinearParams } from './linear.ts'
export { linear } from './linear.ts'
export type { Lora, LoraFactors, LoraOptions, LoraParams } from './lora.ts'
export { lora } from './lora.ts'
export type { Mask, Masks } from './mask.ts'
export { causalMask, notPadding } from './mask.ts'
export type {
  BatchNormInput,
  BatchNormOptions,
  BatchNormOutput,
  BatchStatistics,
  NormOptions,
  NormParams,
} from './norm.ts'
export { batchNorm, groupNorm, initialStatistics, layerNorm, rmsNorm } from './norm.ts'
export type { LearnedPositionsOptions, RotaryOptions, SinusoidalOptions } from './position.ts'
export { learnedPositions, rotary, rotaryFrequencies, sinusoidal, sinusoidalPositions } from './position.ts'
export type { PositionalHeadsOptions, PositionedEmbeddings, PositionedParams } from './positional.ts'
export { positionalHeads } from './positional.ts'
export type {
  Bidirectional,
  LstmState,
  Recurrent,
  RecurrentInput,
  RecurrentOptions,
  RecurrentParams,
} from './recurrent.ts'
export { bidirectional, gru, lstm, outputsOf, rnn } from './recurrent.ts'
export type {
  CallLayer,
  CallOf,
  Features,
  KeepingLayer,
  Pointwise,
  RowLayer,
  Rowwise,
  Widening,
  WideningLayer,
} from './size.ts'
export type { Move, Places, Sliding, SlidingLayer } from './slide.ts'
export type {
  Attending,
  AttendingLayer,
  Decoding,
  DecodingLayer,
  Normalising,
  NormalisingLayer,
  Recurring,
  RecurrentLayer,
  StreamLayer,
  Streaming,
} from './stream.ts'
export type { Tapped, Taps } from './tap.ts'
export { tap, withTaps } from './tap.ts'
export type { RowMatrix, QuantizeOptions, Quantized, QuantizedMatrix, StoredPrecision } from './quantized.ts'
export type { PackedMatrix, PackedPrecision } from './packed.ts'
export { quantize, quantized } from './quantized.ts'
