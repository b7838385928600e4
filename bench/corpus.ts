/**
 * `node bench/corpus.ts [MEGABYTES] [HEAP]`: tokenizers trained on a corpus that is larger than JavaScript's heap may be
 * (200 MB, in a heap of 64 MB): made-up words, a line at a time, which nobody keeps. Each kind in a process of its own;
 * prints the time and the peak of resident memory. Linux.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { trainByteLevelBpe, trainUnigram, trainWordPiece } from '../models/index.ts'

const syllables = [
  'ba',
  'con',
  'di',
  'er',
  'fu',
  'ging',
  'ho',
  'in',
  'ka',
  'lo',
  'men',
  'no',
  'ou',
  'per',
  're',
  'st',
]

/** As many megabytes of lines, the same every time; a few of 20,000 words are most of them, as in texts. */
function* lines(megabytes: number): Generator<string> {
  let state = 1
  const draw = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  const words = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 1 + Math.floor(4 * draw()) }, () => syllables[Math.floor(16 * draw())]).join(''),
  )
  for (let length = 0; length < megabytes * 1e6;) {
    const line = Array.from({ length: 12 }, () => words[Math.floor(words.length * draw() ** 3)]).join(' ')
    length += line.length + 1
    yield line
  }
}

const trainers = {
  WordPiece: (corpus: Iterable<string>) => trainWordPiece(corpus, { vocabSize: 4096 }),
  'byte-level BPE': (corpus: Iterable<string>) => trainByteLevelBpe(corpus, { vocabSize: 4096 }),
  Unigram: (corpus: Iterable<string>) => trainUnigram(corpus, { vocabSize: 4096 }),
}

const [megabytes = '200', heap = '64', child] = process.argv.slice(2)
if (child !== undefined) {
  const start = performance.now()
  const trained = trainers[child as keyof typeof trainers](lines(Number(megabytes)))
  if (E.isLeft(trained)) throw new Error(trained.left)
  const peak = process.resourceUsage().maxRSS / 1024
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s, ${peak.toFixed(0)} MB resident at most`)
} else
  for (const kind of Object.keys(trainers)) {
    const flags = [`--max-old-space-size=${heap}`, fileURLToPath(import.meta.url), megabytes, heap, kind]
    const told = String(execFileSync(process.execPath, flags)).trim()
    console.log(`${kind.padEnd(16)}${megabytes} MB of text, a heap of ${heap} MB: ${told}`)
  }
