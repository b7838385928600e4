/** Images: from files, and as the numbers that models see. */
export { decodePicture, readPicture } from './decode.ts'
export type { Picture } from './picture.ts'
export type { ImageProcessor, Pixels, Size } from './processor.ts'
export { imageProcessorFromJson, preprocess } from './processor.ts'
export type { Resampling } from './resize.ts'
