/** What stands where in the scratch memory that each thread has. */

/** Bytes that a row of a reduction may keep values in; blocks at the edge of a product use the first few. */
export const rowScratchBytes = 262144
/** Rows of a tile of a product, its columns at most, and steps in depth that are packed at once. */
export const tileRows = 48
export const tileColumns = 512
export const tileDepth = 256
/** Floats of a tile's packed rows. */
const packedRowFloats: number = tileRows * tileDepth
/** Bytes of packed columns that are kept from tile to tile. */
export const packedColumnBytes: number = 4 * 2 ** 20
/** Floats of the sums of a tile, or of a block of queries. */
export const sumFloats: number = 120 * tileColumns

export const packedRowsAt: number = rowScratchBytes
export const packedColumnsAt: number = packedRowsAt + 4 * packedRowFloats
export const sumsAt: number = packedColumnsAt + packedColumnBytes
/** Which columns are packed (packed.ts): behind all else. */
export const packedNoteAt: number = sumsAt + 4 * sumFloats
/** Bytes of scratch memory that each thread needs. */
export const scratchBytes: number = packedNoteAt + 64
