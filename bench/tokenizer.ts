/**
 * `node bench/tokenizer.ts TEXT FOLDER…`: how fast a text is encoded, line by line, by the tokenizer.json of each folder,
 * by ourselves and by @huggingface/tokenizers (bench/package.json), in turns. Prints millions of characters a second, the
 * best of five rounds after one to warm up, and whether both give the same ids.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { either as E } from 'fp-ts'
import { encode, encodeIds, tokenizerFromJson } from '../models/index.ts'

interface Peer {
  readonly encode: (text: string) => { readonly ids: readonly number[] }
}

interface Library {
  readonly Tokenizer: new (json: unknown, config: unknown) => Peer
}

const [path, ...folders] = process.argv.slice(2)
if (path === undefined || folders.length === 0) {
  console.error('usage: node bench/tokenizer.ts TEXT FOLDER…')
  process.exit(2)
}

// bench/ has peers of its own, which the check of types must not need
const peers: string = '@huggingface/tokenizers'
const { Tokenizer } = (await import(peers)) as Library
const lines = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '')
const characters = lines.reduce((n, line) => n + line.length, 0)
const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

const seconds = (work: (line: string) => unknown): number => {
  const start = performance.now()
  for (const line of lines) work(line)
  return (performance.now() - start) / 1000
}

/** The peer's tokenizer, or why it will not read the file. */
const made = (file: unknown, config: unknown): { readonly peer?: Peer; readonly refusal?: string } => {
  try {
    return { peer: new Tokenizer(file, config) }
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error) }
  }
}

const rounds = 5
const speed = (times: readonly number[]): string => (characters / Math.min(...times) / 1e6).toFixed(2)

for (const folder of folders) {
  const file = json(join(folder, 'tokenizer.json'))
  const config = join(folder, 'tokenizer_config.json')
  const own = tokenizerFromJson(file)
  if (E.isLeft(own)) throw new Error(own.left.join('; '))
  const { peer, refusal } = made(file, existsSync(config) ? json(config) : {})
  const different =
    peer === undefined
      ? []
      : lines.filter((line) => encodeIds(own.right, line).join() !== peer.encode(line).ids.join())
  const [ids, whole, theirs]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round <= rounds; round++) {
    const one = seconds((line) => encodeIds(own.right, line))
    const two = seconds((line) => encode(own.right, line))
    const three = peer === undefined ? NaN : seconds((line) => peer.encode(line))
    if (round === 0) continue
    ids.push(one)
    whole.push(two)
    theirs.push(three)
  }
  const name = basename(folder).padEnd(26)
  console.log(
    `${name} ids ${speed(ids)}, whole encodings ${speed(whole)}, @huggingface/tokenizers ${refusal ?? speed(theirs)}, in M characters/s` +
      (different.length === 0 ? '' : `; ${different.length} of ${lines.length} lines differ`),
  )
}
