/** The words of the program's block that hold each buffer's address, kept up to date. */
export class Block {
  readonly #words: readonly (readonly number[])[]
  readonly #memory: WebAssembly.Memory
  readonly #held: Float64Array
  readonly #address: number
  readonly #size: number

  constructor(
    memory: WebAssembly.Memory,
    address: number,
    size: number,
    words: readonly (readonly number[])[],
  ) {
    this.#memory = memory
    this.#address = address
    this.#size = size
    this.#words = words
    this.#held = new Float64Array(words.length).fill(-1)
  }

  update(addresses: Float64Array): void {
    let table: Int32Array | undefined
    for (let id = 0; id < addresses.length; id++) {
      const address = addresses[id] as number
      if (this.#held[id] === address) continue
      this.#held[id] = address
      const words = this.#words[id] as readonly number[]
      if (words.length === 0) continue
      table ??= new Int32Array(this.#memory.buffer, this.#address, this.#size)
      for (const word of words) table[word] = address
    }
  }
}
