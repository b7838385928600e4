/** What sentence-transformers calls its files. */

export const sentenceModules = 'modules.json'
export const sentenceFile = 'sentence_bert_config.json'
export const sentencePrompts = 'config_sentence_transformers.json'

/** Of a module's folder: `1_Pooling/config.json`, `2_Dense/model.safetensors`. */
export const isModule = (path: string): boolean => /^\d+_\w+\/(config\.json|model\.safetensors)$/.test(path)

/** A module's folder. */
export const isModuleFolder = (path: string): boolean => /^\d+_\w+$/.test(path)
