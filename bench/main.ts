/** `npm run bench`: measures this project beside its peers, each in a process of its own, in turns. */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { either as E } from 'fp-ts'
import { chooseEngineAsync } from '../kernels/index.ts'
import { softwareVulkan } from './vulkan.ts'
import type { Figure, Line } from './figure.ts'
import { figuresOf, summarise } from './figure.ts'
import { save, tableOf } from './report.ts'
import { prepareFolder } from './folder.ts'
import type { WriterName } from './size.ts'
import { loads, writers } from './size.ts'
import type { Job, Measurement, Subject } from './subject.ts'
import {
  alone,
  devicePeers,
  hasPeers,
  javascriptPeers,
  linesOf,
  measurements,
  ourselves,
  torch,
} from './subject.ts'

const usage = `npm run bench -- [MEASUREMENT…] [OPTION…]

  Measures this project beside its peers, each in a process of its own, in turns.

  measurements: ${measurements.join(', ')} (all)

  --torch python3        beside PyTorch too, which that Python has
  --alone                without the peers in JavaScript
  --engine NAME          wasm, webgpu (beside jax-js there, CUDA with --torch, and our own products in float16,
                         if the GPU has it) or webgpu:software (no GPU, beside jax-js there)
  --threads N,M          numbers of threads (1,2)
  --load NAME            the size of a step (${Object.keys(loads).join(', ')}) or of a model that writes (${Object.keys(writers).join(', ')})
  --rounds N             times that each is measured (3)
  --seconds N            seconds of steps, each time (4)
  --json                 only our own lines, as JSON; with generate those of the peers too

  npm run bench -- matmul rows --torch python3
  npm run bench -- matmul step --load S --rounds 1 --engine webgpu:software
  npm run --silent bench -- step --load S --engine wasm --threads 2 --json`

const refuse = (sentence: string): never => {
  console.error(`bench: ${sentence}`)
  process.exit(2)
}

const parsed = E.tryCatch(
  () =>
    parseArgs({
      allowPositionals: true,
      options: {
        load: { type: 'string' },
        engine: { type: 'string', default: 'wasm' },
        threads: { type: 'string' },
        json: { type: 'boolean', default: false },
        torch: { type: 'string' },
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '4' },
        alone: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  (error) => (error as Error).message.split('. ')[0] as string,
)
const { values: options, positionals } = E.isLeft(parsed) ? refuse(parsed.left) : parsed.right
if (options.help) {
  console.log(usage)
  process.exit()
}

/** Where it is measured: on the CPU, on a GPU, or on one in software. */
const place =
  options.engine === 'webgpu:software' ? 'software' : options.engine.startsWith('webgpu') ? 'gpu' : 'cpu'

const driver = place === 'software' ? softwareVulkan(process.env) : {}
if (Object.keys(driver).length > 0) {
  const env = { ...process.env, ...driver }
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1)
}

const isMeasurement = (name: string): name is Measurement => measurements.includes(name as Measurement)
const wanted: readonly Measurement[] =
  positionals.length === 0
    ? place === 'cpu'
      ? measurements
      : ['matmul', 'rows', 'step']
    : positionals.map((name) =>
        isMeasurement(name)
          ? name
          : refuse(`there is no measurement '${name}', there are ${measurements.join(', ')}`),
      )

const whole = (name: string, text: string): number =>
  /^[1-9]\d*$/.test(text) ? Number(text) : refuse(`--${name} must be a number above 0, got '${text}'`)

const threadCounts =
  options.threads === undefined
    ? place === 'cpu'
      ? [1, 2]
      : [1]
    : options.threads.split(',').map((n) => whole('threads', n))
const rounds = whole('rounds', options.rounds)
const seconds = whole('seconds', options.seconds)
/** The sizes that a measurement is made at, if it has any. */
const argumentsOf = (measurement: Measurement): readonly string[] => {
  const [known, usual] =
    measurement === 'step'
      ? [Object.keys(loads), { cpu: ['S', 'M'], gpu: ['S', 'M', 'L'], software: ['X'] }[place]]
      : measurement === 'generate'
        ? [Object.keys(writers), ['small']]
        : [undefined, [measurement === 'matmul' && place !== 'cpu' ? place : '-']]
  if (known === undefined || options.load === undefined) return usual
  return known.includes(options.load)
    ? [options.load]
    : refuse(`there is no load '${options.load}', there are ${known.join(', ')}`)
}
for (const measurement of wanted) argumentsOf(measurement)

const jobsOf = (measurement: Measurement): readonly Job[] => {
  const counts =
    measurement === 'eager' || measurement === 'depth' || measurement === 'dispatch' ? [1] : threadCounts
  return argumentsOf(measurement).flatMap((argument) =>
    counts.map((threads): Job => ({ measurement, argument, threads, seconds })),
  )
}

const own = ourselves(options.engine)
/** Ourselves in less exact ways, beside the usual one. */
const others = options.engine === 'webgpu' ? [ourselves('webgpu:float16', ['matmul', 'step'])] : []

const arePeersHere = place === 'cpu' ? hasPeers() : hasPeers(['@jax-js/jax'])
const peers = options.alone || !arePeersHere ? [] : place === 'cpu' ? javascriptPeers : devicePeers
const python = options.torch === undefined ? [] : [torch(options.torch, place === 'gpu' ? 'cuda' : 'cpu')]

/** Those that do a measurement. */
const subjectsOf = (measurement: Measurement): readonly Subject[] =>
  alone.has(measurement)
    ? [own]
    : [own, ...others, ...python, ...peers].filter(({ does = measurements }) => does.includes(measurement))

/** What has to be there before anybody is measured. */
const prepare = async (measurement: Measurement): Promise<void> => {
  if (measurement !== 'generate') return
  for (const writer of argumentsOf(measurement)) await prepareFolder(writer as WriterName)
}

/** The lines as they are: our own, and those of all who write the same text. */
const printLines = async (): Promise<void> => {
  for (const measurement of wanted) {
    await prepare(measurement)
    for (const job of jobsOf(measurement))
      for (const subject of measurement === 'generate' ? subjectsOf(measurement) : [own])
        for (const line of await linesOf(subject.command(job))) console.log(JSON.stringify(line))
  }
}

/** Complains where two write different texts. */
const compareTexts = (known: Map<string, Line>, line: Line): void => {
  const { ids, load, engine } = line
  if (typeof ids !== 'string') return
  const first = known.get(String(load)) ?? line
  known.set(String(load), first)
  if (first['ids'] !== ids)
    console.error(`bench: ${engine} writes another text than ${first['engine']}: ${ids}; ${first['ids']}`)
}

/** Peers this many times slower are measured once: rounds are for what is close. */
const farBehind = 6

const measure = async (measurement: Measurement, subjects: readonly Subject[]): Promise<void> => {
  const figures: Figure[] = []
  const costs = new Map<string, number>()
  const texts = new Map<string, Line>()
  await prepare(measurement)
  for (const job of jobsOf(measurement))
    for (let round = 0; round < rounds; round++)
      for (const subject of subjects) {
        const key = `${subject.name} ${job.argument} ${job.threads}`
        if ((costs.get(key) ?? 0) > farBehind) continue
        try {
          const lines = await linesOf(subject.command(job))
          for (const line of lines) compareTexts(texts, line)
          const found = lines.flatMap(figuresOf)
          figures.push(...found)
          const steps = found.find(({ metric }) => metric === 'msPerStep')?.value
          const ours = figures.find(
            (one) =>
              one.metric === 'msPerStep' &&
              one.engine === own.name &&
              one.case === job.argument &&
              one.threads === job.threads,
          )?.value
          if (steps !== undefined && ours !== undefined) costs.set(key, steps / ours)
        } catch (error) {
          if (subject === own) throw error
          console.error(`bench: ${subject.name} could not be measured: ${(error as Error).message}`)
          costs.set(key, Infinity)
        }
      }
  const rows = summarise(figures, own.name)
  const beside = subjects.length > 1 ? `: (×n) is how much better ${own.name} does in this run` : ''
  console.log(`\n${measurement}${beside}\n`)
  console.log(tableOf(rows))
  const name = place === 'cpu' ? measurement : `${measurement}-webgpu`
  if (device !== undefined) console.log(`\n${place === 'software' ? 'software, no GPU: ' : ''}${device}`)
  console.log(`\n${save(name, rows, options.torch, device)}`)
}

/** The device that is measured, with its limits. */
const deviceOf = async (): Promise<string> => {
  const choice = await chooseEngineAsync(options.engine)
  if (E.isLeft(choice)) return refuse(choice.left)
  const { detail } = choice.right.engine
  await choice.right.engine.close()
  return detail
}
const device = place === 'cpu' || options.json ? undefined : await deviceOf()

if (options.json) await printLines()
else {
  if (!options.alone && !arePeersHere)
    refuse(
      'the peers are not installed; install them with `npm ci --prefix bench`, or measure without them: `npm run bench -- --alone`',
    )
  for (const measurement of wanted) await measure(measurement, subjectsOf(measurement))
}
