/** Images: from files, and as the numbers that models see. */
export { decodeImage, readImage } from './decode.ts'
export type { RawImage } from './raw.ts'
export type { ImageProcessor, Pixels, Size } from './processor.ts'
export { imageProcessorFromJson, preprocess } from './processor.ts'
export type { Resampling } from './resize.ts'
