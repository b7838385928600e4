/** What stands where in the scratch memory that each thread has. */

/** Bytes that a row of a reduction may keep values in; blocks at the edge of a product use the first few. */
export const rowScratchBytes = 262144
/** Rows of a tile of a product, its columns at most, and steps in depth that are packed at once. */
export const tileRows = 120
export const tileColumns = 512
export const tileDepth = 256
/** Floats of packed rows. */
export const packedRowFloats: number = tileRows * tileDepth
/** Bytes of packed columns that are kept from tile to tile. */
export const packedColumnBytes: number = 4 * 2 ** 20
/** Floats of the sums of a tile. */
export const sumFloats: number = tileRows * tileColumns

export const packedRowsAt: number = rowScratchBytes
export const packedColumnsAt: number = packedRowsAt + 4 * packedRowFloats
export const sumsAt: number = packedColumnsAt + packedColumnBytes
/** Bytes of scratch memory that each thread needs. */
export const scratchBytes: number = sumsAt + 4 * sumFloats
