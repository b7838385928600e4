/** Where the command line speaks: plain words on standard output, progress bars where somebody watches. */
import { styleText } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'

/** The progress of something of a known length. */
export interface Bar {
  /** How far it is, and what else is to be told of it. */
  readonly at: (done: number, note?: string) => void
  readonly end: () => void
}

export interface Terminal {
  /** A line. */
  readonly say: (line?: string) => void
  /** A line beside the answer: on standard error, so that the answer can be piped on. */
  readonly note: (line: string) => void
  /** The title of what comes now. */
  readonly title: (line: string) => void
  readonly bar: (label: string, total: number) => Bar
  /** The progress of something beside the answer, on standard error. */
  readonly noteBar: (label: string, total: number) => Bar
}

const width = 24

/** A bar on a terminal, drawn over itself. */
const drawn = (label: string, total: number, stream: NodeJS.WriteStream): Bar => {
  const bar = new SingleBar(
    {
      format: `  ${label.padEnd(width)} {bar} {percentage} %  {note}`,
      barsize: 24,
      hideCursor: true,
      stream,
      // The run itself decides what Ctrl-C means.
      gracefulExit: false,
      linewrap: null,
    },
    Presets.shades_classic,
  )
  bar.start(total, 0, { note: '' })
  return {
    at: (done, note = '') => bar.update(Math.min(done, total), { note }),
    end: () => bar.stop(),
  }
}

/** In a file or a pipe: a line at each tenth. */
const written = (label: string, total: number, say: (line: string) => void): Bar => {
  let told = 0
  return {
    at: (done, note = '') => {
      const tenth = Math.floor((10 * done) / Math.max(1, total))
      if (tenth <= told) return
      told = tenth
      say(`  ${label} ${10 * tenth} %${note === '' ? '' : `  ${note}`}`)
    },
    end: () => undefined,
  }
}

/** Where anything is written to. */
export const outputs: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr]

/** Standard output. */
export const terminal = (): Terminal => {
  const watched = process.stdout.isTTY
  const say = (line = ''): void => void process.stdout.write(`${line}\n`)
  const note = (line: string): void => void process.stderr.write(`${line}\n`)
  return {
    say,
    note,
    title: (line) => say(`\n${watched ? styleText('bold', line) : line}`),
    bar: (label, total) => (watched ? drawn(label, total, process.stdout) : written(label, total, say)),
    noteBar: (label, total) =>
      process.stderr.isTTY ? drawn(label, total, process.stderr) : written(label, total, note),
  }
}
