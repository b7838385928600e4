/** What somebody types may never end: it is computed apart from training, and given up after a while. */
import type { Answer, Request } from './message.ts'

/** Milliseconds. */
const longest = 15_000

/** Asks a worker of its own, one question at a time: another one gives up what is not answered yet. */
export const askApart = (
  makeWorker: () => Worker,
  receive: (answer: Answer) => void,
  late: (sentence: string) => void,
): ((request: Request) => void) => {
  let worker: Worker | undefined
  let timer: number | undefined
  const end = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  const giveUp = (): void => {
    end()
    worker?.terminate()
    worker = undefined
  }
  const open = (): Worker => {
    const own = makeWorker()
    own.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      end()
      receive(data)
    })
    return own
  }
  return (request) => {
    if (timer !== undefined) giveUp()
    worker ??= open()
    timer = window.setTimeout(() => {
      giveUp()
      late(`this took longer than ${longest / 1000} seconds and was given up`)
    }, longest)
    worker.postMessage(request)
  }
}
