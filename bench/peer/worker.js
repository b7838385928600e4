// A browser's Worker on top of Node's, for peers that start theirs from blobs.
import { Worker as NodeWorker } from 'node:worker_threads'

const source = `
  const { parentPort } = require('node:worker_threads')
  globalThis.self = globalThis
  globalThis.postMessage = (message) => parentPort.postMessage(message)
  let handler
  Object.defineProperty(globalThis, 'onmessage', { set: (f) => (handler = f), get: () => handler })
  parentPort.on('message', (data) => (data?.script === undefined ? handler({ data }) : (0, eval)(data.script)))`

export const workersForBlobs = async () => {
  const blobs = new Map()
  const original = URL.createObjectURL
  URL.createObjectURL = (blob) => {
    const url = original(blob)
    blobs.set(url, blob)
    return url
  }
  globalThis.Worker = class {
    constructor(url) {
      this.waiting = []
      this.worker = new NodeWorker(source, { eval: true })
      this.worker.unref()
      this.worker.on('message', (data) => this.onmessage?.({ data }))
      blobs
        .get(url)
        .text()
        .then((script) => {
          this.worker.postMessage({ script })
          this.ready = true
          for (const message of this.waiting) this.worker.postMessage(message)
        })
    }
    postMessage(message) {
      if (this.ready) this.worker.postMessage(message)
      else this.waiting.push(message)
    }
  }
}
