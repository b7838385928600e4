/** BART and its tasks. */
export type { BartBodyParams, BartInput, BartOutput, BartParams, BartRead } from './body.ts'
export { bart, bartEncoder } from './body.ts'
export type {
  BartClassificationOutput,
  BartForQuestionAnsweringParams,
  BartForSequenceClassificationParams,
  BartSpanOutput,
  BartTextInput,
} from './task.ts'
export { bartForQuestionAnswering, bartForSequenceClassification, bartModel } from './task.ts'
