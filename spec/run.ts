/** The test runner: every spec file in a process of its own, two at a time, longest first. */
import { execFile, fork } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs, stripVTControlCharacters, styleText } from 'node:util'
import type { FileResult } from './support/record.ts'
import { softwareVulkan } from '../bench/vulkan.ts'

type Outcome = FileResult & { readonly label: string; readonly ms: number; readonly output: string }
type Job = { readonly label: string; readonly run: () => Promise<Outcome> }

const root = new URL('..', import.meta.url).pathname
const memory = `${root}.cache/test-time.json`

const usage = `npm test [-- WORD…]    the specs whose path contains one of the words;
                       without words the type check and all specs, except spec/browser

  --jobs N             files at a time (2)
  --limit SECONDS      what one file may take (300)
  --browser            the specs in spec/browser: npm run test:browser

  Ends with \`N passed, N failed\`.`

const say = (text: string, code: number): never => {
  console.log(text)
  process.exit(code)
}

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        jobs: { type: 'string', default: '2' },
        limit: { type: 'string', default: '300' },
        browser: { type: 'boolean', default: false },
        root: { type: 'string', default: 'spec' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    return say(`${(error as Error).message}\n\n${usage}`, 2)
  }
}
const { values: flag, positionals: words } = read()
if (flag.help) say(usage, 0)
for (const name of ['jobs', 'limit'] as const)
  if (!/^[1-9]\d*$/.test(flag[name])) say(`--${name} must be a number above 0, got '${flag[name]}'`, 2)
// elsewhere only in the runner's own tests
const folder = resolve(root, flag.root)
const own = folder === resolve(root, 'spec')
const limit = Number(flag.limit) * 1000

const failure = (text: string): FileResult => ({ passed: 0, failed: 1, texts: [text], skips: [] })

const runSpec = (label: string, path: string): Promise<Outcome> =>
  new Promise((done) => {
    const start = performance.now()
    const child = fork(new URL('support/child.ts', import.meta.url), [path], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        // A folder that is not there may be a name on the Hub; nothing is asked of it here.
        HF_HUB_OFFLINE: '1',
        // The processes that specs start need not strip the types of the same sources each anew.
        NODE_COMPILE_CACHE: `${root}.cache/compile`,
        ...softwareVulkan(process.env),
        ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
      },
    })
    let output = ''
    let result: FileResult | undefined
    let late = false
    const keep = (chunk: Buffer): void => void (output += chunk.toString())
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('message', (message) => void (result = message as FileResult))
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limit)
    const end = (): void => {
      clearTimeout(timer)
      const { exitCode, signalCode } = child
      const why = late ? `took longer than ${flag.limit} s` : `ended early (${signalCode ?? exitCode})`
      done({ ...(result ?? failure(why)), label, ms: performance.now() - start, output })
    }
    child.on('close', end)
    // a process that the file left behind may hold the pipes open
    child.on('exit', () => setTimeout(end, 2000).unref())
  })

const runTypeCheck = (): Promise<Outcome> =>
  new Promise((done) => {
    const start = performance.now()
    execFile(
      'npm',
      ['run', '--silent', 'typecheck'],
      { cwd: root, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const result = error ? failure(stdout + stderr) : { passed: 1, failed: 0, texts: [], skips: [] }
        done({ ...result, label: 'types', ms: performance.now() - start, output: '' })
      },
    )
  })

const readTimes = (): Record<string, number> => {
  try {
    return JSON.parse(readFileSync(memory, 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}

// what the tests printed, without uvu's own dots and counts
const said = (output: string): string =>
  stripVTControlCharacters(output)
    .replace(/[•✘] |\s*\(\d+ \/ \d+\)$/gm, '')
    .trim()

const mark = (outcome: Outcome): string =>
  outcome.failed > 0 ? styleText('red', '✘') : styleText('green', outcome.passed > 0 ? '✔' : '–')

const print = (outcome: Outcome): void => {
  const count =
    outcome.failed > 0 ? `${outcome.passed} passed, ${outcome.failed} failed` : `${outcome.passed} passed`
  const time = `${(outcome.ms / 1000).toFixed(2)} s`.padStart(8)
  console.log(`${mark(outcome)} ${time}  ${outcome.label}  ${styleText('gray', count)}`)
  for (const { name, reason } of outcome.skips) console.log(`    skipped: ${name} (${reason})`)
  if (outcome.failed === 0) return
  for (const text of outcome.texts) console.log(text.replace(/^(?=.)/gm, '    '))
  const printed = said(outcome.output)
  if (printed !== '') console.log(styleText('gray', `    printed by the file:\n${printed}`))
}

const specs = globSync('**/*.spec.ts', { cwd: folder })
  .map((path) => path.replaceAll('\\', '/'))
  .filter(
    (path) =>
      words.some((word) => `spec/${path}`.includes(word)) ||
      (words.length === 0 && flag.browser === path.startsWith('browser/')),
  )
  .map((path) => ({ label: path.replace(/\.spec\.ts$/, ''), path: `${folder}/${path}` }))

const times = readTimes()
const jobs: Job[] = specs
  // a file never seen before goes first: it may be the longest
  .sort(
    (a, b) => (times[b.label] ?? Infinity) - (times[a.label] ?? Infinity) || a.label.localeCompare(b.label),
  )
  .map(({ label, path }) => ({ label, run: () => runSpec(label, path) }))
const whole = words.length === 0 && !flag.browser && own
if (whole) jobs.unshift({ label: 'types', run: runTypeCheck })

const outcomes: Outcome[] = []
const work = async (): Promise<void> => {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const outcome = await job.run()
    outcomes.push(outcome)
    times[job.label] = Math.round(outcome.ms)
    print(outcome)
  }
}
const start = performance.now()
await Promise.all(Array.from({ length: Number(flag.jobs) }, work))

if (outcomes.length === 0) {
  const none = flag.browser && words.length === 0
  const text = none
    ? 'no spec files under spec/browser'
    : `no spec file's path contains ${words.join(' or ')}`
  outcomes.push({
    ...(none
      ? { passed: 0, failed: 0, texts: [], skips: [{ name: 'browser', reason: text }] }
      : failure(text)),
    label: 'specs',
    ms: 0,
    output: '',
  })
  outcomes.forEach(print)
}
if (own) {
  mkdirSync(`${root}.cache`, { recursive: true })
  writeFileSync(memory, JSON.stringify(times))
}

const sum = (key: 'passed' | 'failed'): number => outcomes.reduce((total, outcome) => total + outcome[key], 0)
const skipped = outcomes.reduce((total, outcome) => total + outcome.skips.length, 0)
const broken = outcomes.filter((outcome) => outcome.failed > 0).map((outcome) => outcome.label)
if (broken.length > 0) console.log(`\nfailed: ${broken.join(', ')}`)
console.log(`\n${outcomes.length} files in ${((performance.now() - start) / 1000).toFixed(1)} s`)
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(sum('failed') > 0 ? 1 : 0)
