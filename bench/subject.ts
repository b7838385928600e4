/** Who is measured, each in a process of its own: ourselves, and the peers that are there. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Line } from './figure.ts'
import { nameOf, shapesOf } from './shape.ts'
import { modelsFolder } from './folder.ts'
import { loads, promptOf, writers } from './size.ts'

export const measurements = [
  'matmul',
  'rows',
  'eager',
  'step',
  'generate',
  'depth',
  'examples',
  'dispatch',
] as const
export type Measurement = (typeof measurements)[number]
/** Those of ourselves alone, which compare one form of a function with another, or tell what only we do. */
export const alone: ReadonlySet<Measurement> = new Set(['depth', 'examples', 'dispatch'])

/** What is to be measured in one process. */
export interface Job {
  readonly measurement: Measurement
  /** The load of a step, the writer of texts; `-` for all else. */
  readonly argument: string
  readonly threads: number
  readonly seconds: number
}

export interface Subject {
  readonly name: string
  /** What it can do; everything where left out. */
  readonly does?: readonly Measurement[]
  /** The command line that does a job. */
  readonly command: (job: Job) => readonly string[]
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const allPeers = [
  '@huggingface/transformers',
  '@jax-js/jax',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
] as const

/** Whether the peers of bench/package.json are installed. */
export const hasPeers = (names: readonly string[] = allPeers): boolean =>
  names.every((name) => existsSync(at(`node_modules/${name}/package.json`)))

export const ourselves = (engine: string, does: readonly Measurement[] = measurements): Subject => ({
  name: engine,
  does,
  command: ({ measurement, argument, threads, seconds }) => [
    process.execPath,
    at('own/main.ts'),
    measurement,
    argument,
    engine,
    String(threads),
    String(seconds),
  ],
})

const script = (
  name: string,
  file: string,
  does: readonly Measurement[],
  ...more: readonly string[]
): Subject => ({
  name,
  does,
  command: ({ measurement, argument, threads, seconds }) => [
    process.execPath,
    at(file),
    measurement,
    argument,
    String(threads),
    String(seconds),
    ...more,
  ],
})

/** Those that have a WebGPU of their own. */
export const devicePeers: readonly Subject[] = [
  script('jax-js-webgpu', 'peer/jaxjs.js', ['matmul', 'rows', 'step'], 'webgpu'),
]

export const javascriptPeers: readonly Subject[] = [
  script('jax-js', 'peer/jaxjs.js', ['matmul', 'rows', 'eager', 'step']),
  script('tfjs-wasm', 'peer/tfjs.js', ['matmul', 'rows', 'eager', 'step']),
  script('transformers.js', 'peer/transformersjs.js', ['generate']),
]

const sizes = JSON.stringify({
  loads,
  matmul: Object.fromEntries(
    ['-', 'gpu', 'software'].map((set) => [
      set,
      shapesOf(set).map((shape) => [nameOf(shape), [shape.batch, shape.rows, shape.inner, shape.columns]]),
    ]),
  ),
  writers: Object.fromEntries(
    Object.entries(writers).map(([name, writer]) => [
      name,
      { folder: `${modelsFolder}${name}`, prompt: promptOf(writer), tokens: writer.tokens },
    ]),
  ),
})

/** PyTorch, where `python` has it. */
export const torch = (python: string, device: 'cpu' | 'cuda' = 'cpu'): Subject => ({
  name: device === 'cuda' ? 'torch-cuda' : 'torch',
  command: ({ measurement, argument, threads, seconds }) => [
    python,
    at('peer/pytorch.py'),
    measurement,
    argument,
    String(threads),
    String(seconds),
    sizes,
    device,
  ],
})

/** Runs a command and gives the JSON lines that it prints; throws, with what it said, where it fails. */
export const linesOf = (command: readonly string[]): Promise<readonly Line[]> =>
  new Promise((resolve, reject) => {
    const [file, ...args] = command as [string, ...string[]]
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err]: [string[], string[]] = [[], []]
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) {
        const said = err.join('').trim().split('\n').slice(-3).join('; ')
        reject(new Error(`${args[0]} ended with code ${code}: ${said}`))
        return
      }
      const lines = out.join('').split('\n')
      resolve(lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line))
    })
  })
