/** What models are told: their sizes and choices, as they stand in a config.json. */
export type { BartConfig } from './bart.ts'
export { bartCodec, bartConfig } from './bart.ts'
export type { BertConfig } from './bert.ts'
export { bertCodec, bertConfig } from './bert.ts'
export type {
  ClipConfig,
  ClipEntries,
  ClipTextConfig,
  ClipTextModelConfig,
  ClipVisionConfig,
  ClipVisionModelConfig,
} from './clip.ts'
export { clipCodec, clipConfig, clipTextCodec, clipVisionCodec } from './clip.ts'
export type { ConfigFile } from './codec.ts'
export { decodeConfig } from './codec.ts'
export type { DistilBertConfig } from './distilbert.ts'
export { distilBertCodec, distilBertConfig } from './distilbert.ts'
export type { GptConfig } from './gpt.ts'
export { gptCodec, gptConfig } from './gpt.ts'
export type { LlamaConfig } from './llama.ts'
export { llamaCodec, llamaConfig } from './llama.ts'
export type { MarianConfig } from './marian.ts'
export { marianCodec, marianConfig } from './marian.ts'
export type { RobertaConfig } from './roberta.ts'
export { robertaCodec, robertaConfig } from './roberta.ts'
export type { T5Config, T5FeedForward } from './t5.ts'
export { t5Codec, t5Config } from './t5.ts'
export type { Sharing, TransformerConfig } from './transformer.ts'
export { transformerCodec, transformerConfig } from './transformer.ts'
export type { VitConfig } from './vit.ts'
export { vitCodec, vitConfig } from './vit.ts'
