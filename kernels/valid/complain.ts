/** Takes one clear sentence about what is wrong. */
export type Complain = (problem: string) => void

/** Whether a number can be a size. */
export const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
