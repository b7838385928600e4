/** Numbers as the page writes them: 1,234. */
const format = new Intl.NumberFormat('en')

export const withCommas = (n: number): string => format.format(n)
