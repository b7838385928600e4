/** The page: what is on it answers to the worker, which does the work. */
import { attentionView } from './attention.ts'
import { lossChart } from './chart.ts'
import type { Answer, Derivative, EngineOffer, Piece, Place, Request, Settings } from './message.ts'
import { withCommas } from './number.ts'
import { textSource } from './source.ts'
import { defaultText } from './text.ts'
import { askApart } from './typed.ts'

const element = <E extends HTMLElement = HTMLElement>(id: string): E => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found as E
}
const input = (id: string): HTMLInputElement => element<HTMLInputElement>(id)
const button = (id: string): HTMLButtonElement => element<HTMLButtonElement>(id)
const select = (id: string): HTMLSelectElement => element<HTMLSelectElement>(id)

const makeWorker = (): Worker => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
const worker = makeWorker()
const ask = (request: Request): void => worker.postMessage(request)

const chart = lossChart(element('chart'))
const attention = attentionView({
  row: element('attention'),
  map: element('map'),
  heads: element('head-maps'),
  note: element('attention-note'),
})

const text = textSource({
  field: element<HTMLTextAreaElement>('text'),
  note: element('text-note'),
  back: button('type'),
})

/** What the run says of itself. */
let learning = ''

/** Whether something is trained, and may be asked. */
let trained = false

const say = (about: 'training' | 'function', message: string, bad = false): void => {
  const place = element(`${about}-message`)
  place.textContent = message
  place.classList.toggle('bad', bad)
}

type Activity = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped'

const show = (activity: Activity): void => {
  const busy = activity === 'running' || activity === 'starting' || activity === 'stopping'
  button('start').disabled = activity === 'starting' || activity === 'stopping'
  button('start').textContent = trained ? 'Start anew' : 'Start'
  button('stop').disabled = activity !== 'running'
  button('resume').disabled = activity !== 'stopped'
  button('load').disabled = activity === 'starting' || activity === 'stopping'
  button('save').disabled = !trained || activity === 'starting'
  button('attend-button').disabled = !trained || activity === 'starting'
  document.body.dataset['activity'] = activity
  element('chart').setAttribute('aria-busy', String(busy))
}

const settings = (): Settings => ({
  engine: select('engine').value,
  model: select('model').value === 'bert' ? 'bert' : 'gpt',
  layers: input('layers').valueAsNumber,
  width: input('width').valueAsNumber,
  heads: input('heads').valueAsNumber,
  length: input('length').valueAsNumber,
  batch: input('batch').valueAsNumber,
  rate: input('rate').valueAsNumber,
})

const start = (checkpoint?: Uint8Array<ArrayBuffer>): void => {
  if (!element<HTMLFormElement>('settings').reportValidity()) return
  const asked = settings()
  if (checkpoint === undefined && asked.width % asked.heads !== 0)
    return say('training', `a width of ${asked.width} cannot be split into ${asked.heads} heads`, true)
  say('training', 'Getting ready …')
  show('starting')
  ask({
    kind: 'start',
    settings: asked,
    text: text.value(),
    ...(checkpoint === undefined ? {} : { checkpoint }),
  })
}

const offer = (offers: readonly EngineOffer[]): void => {
  const names: Readonly<Record<string, string>> = {
    webgpu: 'GPU, through WebGPU',
    'webgpu:software': 'WebGPU in software',
    'gpujs:webgl2': 'GPU, through WebGL2',
    wasm: 'Processor, through WebAssembly',
  }
  const choices = select('engine')
  choices.replaceChildren(
    ...offers.map(({ name, available, detail }) => {
      const option = new Option(`${names[name] ?? name}${available ? '' : ' (not here)'}`, name)
      option.disabled = !available
      option.title = detail
      return option
    }),
  )
  const tell = (): void => {
    element('engine-detail').textContent = offers.find(({ name }) => name === choices.value)?.detail ?? ''
  }
  const missing = offers.filter(({ available }) => !available)
  element('missing').hidden = missing.length === 0
  element('missing-engines').replaceChildren(
    ...missing.map(({ name, detail }) => {
      const item = document.createElement('li')
      item.textContent = `${names[name] ?? name}: ${detail}`
      return item
    }),
  )
  const best = ['webgpu', 'wasm'].find((name) => offers.some((one) => one.name === name && one.available))
  choices.value = best ?? offers.find(({ available }) => available)?.name ?? ''
  choices.addEventListener('change', tell)
  tell()
  show('idle')
}

const sampleItem = (step: number, pieces: readonly Piece[]): HTMLLIElement => {
  const item = document.createElement('li')
  const label = document.createElement('small')
  label.textContent = `step ${withCommas(step)}`
  item.append(label)
  item.dir = 'auto'
  for (const { text: piece, guess } of pieces) {
    const span = document.createElement('span')
    span.textContent = piece
    if (guess !== undefined) span.className = guess
    item.append(span)
  }
  return item
}

const fact = (name: string, value: string): void => void (element(`fact-${name}`).textContent = value)

const showDerivative = ({ value, gradient, traced, differentiated, sources }: Derivative): void => {
  for (const [id, text] of Object.entries({ value, gradient, traced, differentiated }))
    element(id).textContent = text
  const target = select('target')
  const before = target.value
  target.replaceChildren(...sources.map(({ title }, index) => new Option(title, String(index))))
  target.value = before || '0'
  const tell = (): void => {
    element('code').textContent = sources[Number(target.value)]?.code ?? ''
  }
  target.onchange = tell
  tell()
  element('derivative').hidden = false
  element('derivative').classList.remove('stale')
  say('function', '')
}

/** Selects the place in the typed function; the message, with the place in words. */
const pointTo = ({ line, column }: Place, message: string): string => {
  const source = element<HTMLTextAreaElement>('source')
  const before = source.value.split('\n').slice(0, line - 1)
  const at = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1
  const word = /^\w+/.exec(source.value.slice(at))?.[0].length ?? 1
  source.setAttribute('aria-invalid', 'true')
  source.focus()
  source.setSelectionRange(at, at + word)
  return `Line ${line}, column ${column}: ${message}`
}

/** Asks what the model looks at in the text beside the map. */
const attend = (): void => {
  const about = input('attend-text').value
  if (trained && [...about].length > 1) ask({ kind: 'attend', text: about })
}

const download = (bytes: Uint8Array<ArrayBuffer>, name: string): void => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes]))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

const receive = (data: Answer): void => {
  switch (data.kind) {
    case 'engines':
      return offer(data.offers)
    case 'started': {
      trained = true
      chart.clear()
      for (const name of ['loss', 'speed']) fact(name, '–')
      element('samples').replaceChildren()
      element('no-samples').hidden = false
      const { settings: own, parameters, vocabulary, detail, step } = data
      for (const name of ['layers', 'width', 'heads', 'length', 'batch'] as const)
        input(name).value = String(own[name])
      select('model').value = own.model
      fact('parameters', withCommas(parameters))
      fact('step', withCommas(step))
      learning = `Learning ${vocabulary} different characters on ${detail}.`
      // Its kernels are compiled at the first step, which may take a while and moves nothing on the page.
      say('training', `Compiling, then learning ${vocabulary} different characters on ${detail} …`)
      return show('running')
    }
    case 'progress':
      if (element('training-message').textContent?.startsWith('Compiling')) say('training', learning)
      fact('step', withCommas(data.step))
      fact('loss', (data.losses.at(-1) ?? NaN).toFixed(3))
      fact('speed', withCommas(Math.round(data.tokensPerSecond)))
      return chart.add(data.step, data.losses)
    case 'sample':
      element('no-samples').hidden = true
      element('samples').prepend(sampleItem(data.step, data.pieces))
      return attend()
    case 'attention':
      return attention.show(data.tokens, data.weights)
    case 'stopped':
      say('training', `Stopped after step ${withCommas(data.step)}.`)
      return show('stopped')
    case 'saved':
      return download(data.bytes, data.name)
    case 'derivative':
      return showDerivative(data)
    case 'failed':
      if (data.about === 'function') element('derivative').classList.add('stale')
      else trained = data.trained
      say(data.about, data.place === undefined ? data.message : pointTo(data.place, data.message), true)
      // What had been running has ended with it.
      if (data.ended) show(trained ? 'stopped' : 'idle')
  }
}
worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => receive(data))
worker.addEventListener('error', (event) =>
  say('training', event.message || 'the worker failed to start', true),
)

element('settings').addEventListener('submit', (event) => {
  event.preventDefault()
  start()
})
button('stop').addEventListener('click', () => {
  show('stopping')
  ask({ kind: 'stop' })
})
button('resume').addEventListener('click', () => {
  say('training', learning)
  show('running')
  ask({ kind: 'resume', engine: select('engine').value })
})
button('save').addEventListener('click', () => ask({ kind: 'save' }))
button('load').addEventListener('click', () => input('file').click())
input('file').addEventListener('change', () => {
  const [file] = input('file').files ?? []
  input('file').value = ''
  if (file !== undefined) void file.arrayBuffer().then((buffer) => start(new Uint8Array(buffer)))
})
element('attend').addEventListener('submit', (event) => {
  event.preventDefault()
  ask({ kind: 'attend', text: input('attend-text').value })
})
button('open').addEventListener('click', () => input('text-file').click())
input('text-file').addEventListener('change', () => {
  const [file] = input('text-file').files ?? []
  input('text-file').value = ''
  if (file === undefined) return
  void file.text().then((found) => text.set(found, file.name))
})
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') button('stop').click()
})
const askTyped = askApart(makeWorker, receive, (sentence) => {
  element('derivative').classList.add('stale')
  say('function', sentence, true)
})
const differentiate = (): void => {
  say('function', 'Differentiating …')
  element('source').removeAttribute('aria-invalid')
  askTyped({
    kind: 'differentiate',
    source: element<HTMLTextAreaElement>('source').value,
    shapes: input('shapes').value,
  })
}
element('function').addEventListener('submit', (event) => {
  event.preventDefault()
  differentiate()
})

const tabs = ['train', 'function'] as const
const openTab = (name: (typeof tabs)[number]): void => {
  for (const other of tabs) {
    const chosen = other === name
    button(`tab-${other}`).setAttribute('aria-selected', String(chosen))
    button(`tab-${other}`).tabIndex = chosen ? 0 : -1
    element(`panel-${other}`).hidden = !chosen
  }
  // what is there to read is read once, so that nobody meets an empty page
  if (name === 'function' && element('function-message').textContent === '' && element('derivative').hidden)
    differentiate()
}
tabs.forEach((name, index) => {
  button(`tab-${name}`).addEventListener('click', () => openTab(name))
  button(`tab-${name}`).addEventListener('keydown', ({ key }) => {
    if (key !== 'ArrowRight' && key !== 'ArrowLeft') return
    const next = tabs[(index + 1) % tabs.length] as (typeof tabs)[number]
    openTab(next)
    button(`tab-${next}`).focus()
  })
})

element<HTMLTextAreaElement>('text').value = defaultText
button('start').disabled = true
ask({ kind: 'engines' })
